import { awsError } from "./error.ts";
import { text } from "./input.ts";
import { queryProtocol } from "./protocol.ts";
import type { Service } from "./service.ts";

const ASSUMED = /^ASIA(\d{12})$/;
const AN_HOUR_MS = 3_600_000;

/** The account that credentials of the sandbox belong to; undefined for those of the account itself. */
export function accountOfKey(accessKeyId: string): string | undefined {
  return ASSUMED.exec(accessKeyId)?.[1];
}

/** STS: who calls, and roles of any account but those whose name says `denied`. */
export function createSts(account: string): Service {
  return {
    protocol: queryProtocol("https://sts.amazonaws.com/doc/2011-06-15/"),
    actions: {
      GetCallerIdentity: () => ({
        Arn: `arn:aws:iam::${account}:user/sandbox`,
        UserId: "AIDASANDBOXSANDBOX123",
        Account: account,
      }),
      AssumeRole: ({ input }) => {
        const role = text(input, "RoleArn");
        const owner = /^arn:[^:]+:iam::(\d{12}):role\/(.+)$/.exec(role)?.[1];
        if (!owner || role.includes("denied")) {
          throw awsError(
            "AccessDenied",
            `User: sandbox is not authorized to perform: sts:AssumeRole on ${role}`,
            403,
          );
        }
        return {
          Credentials: {
            AccessKeyId: `ASIA${owner}`,
            SecretAccessKey: "sandbox",
            SessionToken: "sandbox",
            Expiration: new Date(Date.now() + AN_HOUR_MS).toISOString(),
          },
          AssumedRoleUser: { Arn: `${role}/${text(input, "RoleSessionName")}`, AssumedRoleId: "AROASANDBOX" },
        };
      },
    },
  };
}
