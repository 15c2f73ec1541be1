import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Context } from "../context.ts";
import { clientConfig, watchCalls } from "./clients.ts";
import { awsCall } from "./errors.ts";

export interface Identity {
  /** 12 digits. */
  accountId: string;
  /** `aws`, `aws-cn` or `aws-us-gov`. */
  partition: string;
}

/** Who the credentials belong to; needs no permission. */
export async function callerIdentity(context: Context, region: string): Promise<Identity> {
  const client = watchCalls(new STSClient(clientConfig(context, region, "STS")), context);
  const { Account, Arn } = await awsCall("sts:GetCallerIdentity", () =>
    client.send(new GetCallerIdentityCommand({})),
  );
  return { accountId: Account ?? "", partition: Arn?.split(":")[1] ?? "aws" };
}
