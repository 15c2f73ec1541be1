import { queryProtocol } from "./protocol.ts";
import type { Service } from "./service.ts";

/** STS: GetCallerIdentity only. */
export function createSts(account: string): Service {
  return {
    protocol: queryProtocol("https://sts.amazonaws.com/doc/2011-06-15/"),
    actions: {
      GetCallerIdentity: () => ({
        Arn: `arn:aws:iam::${account}:user/sandbox`,
        UserId: "AIDASANDBOXSANDBOX123",
        Account: account,
      }),
    },
  };
}
