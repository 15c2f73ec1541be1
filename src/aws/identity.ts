import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import type { Context } from "../context.ts";
import { clientConfig, watchCalls } from "./clients.ts";
import { awsCall } from "./errors.ts";
import type { Credentials } from "./places.ts";

export interface Identity {
  /** 12 digits. */
  accountId: string;
  /** `aws`, `aws-cn` or `aws-us-gov`. */
  partition: string;
}

/** Who the command's own credentials belong to; needs no permission. */
export async function callerIdentity(context: Context, region: string): Promise<Identity> {
  const client = watchCalls(new STSClient(clientConfig(context, { region }, "STS")), context);
  const { Account, Arn } = await awsCall("sts:GetCallerIdentity", () =>
    client.send(new GetCallerIdentityCommand({})),
  );
  return { accountId: Account ?? "", partition: Arn?.split(":")[1] ?? "aws" };
}

/** A role as Spinnaker's account configuration names it (clouddriver-aws README). */
export interface Role {
  arn: string;
  /** Default as in Spinnaker: `Spinnaker`. */
  sessionName?: string | undefined;
  externalId?: string | undefined;
}

/** Credentials of the role; the SDK keeps them and asks again before they expire. */
export function assumedRole(context: Context, region: string, role: Role): Credentials {
  const client = watchCalls(new STSClient(clientConfig(context, { region }, "STS")), context);
  return async () => {
    const { Credentials: given } = await awsCall("sts:AssumeRole", () =>
      client.send(
        new AssumeRoleCommand({
          RoleArn: role.arn,
          RoleSessionName: role.sessionName ?? "Spinnaker",
          ExternalId: role.externalId,
        }),
      ),
    );
    return {
      accessKeyId: given?.AccessKeyId ?? "",
      secretAccessKey: given?.SecretAccessKey ?? "",
      ...(given?.SessionToken && { sessionToken: given.SessionToken }),
      ...(given?.Expiration && { expiration: given.Expiration }),
    };
  };
}
