import type { Context } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { messageOf, usageError } from "../errors.ts";

/** The Region of one command: --aws-region, AWS_REGION, `aec.yml`. Throws where none is named. */
export function regionOf({ settings }: Context): string {
  const region = settings.awsRegion.value ?? settings.section.notify?.regions?.[0];
  if (region === undefined) {
    throw usageError("aws-no-region", "no AWS Region is named", {
      hint: "add --aws-region us-east-1, export AWS_REGION, or set notify.regions in aec.yml",
    });
  }
  if (!/^[a-z]{2,}(-[a-z]+)+-\d+$/.test(region)) {
    throw usageError("aws-bad-region", `"${region}" (${settings.awsRegion.origin}) is not an AWS Region`, {
      hint: "Regions look like us-east-1",
    });
  }
  return region;
}

/**
 * Configuration of one SDK client. The SDK's own chain finds the credentials; what the command's environment says
 * outright is handed over, because a command may run in an environment that is not the process's.
 * `service` is the suffix of AWS_ENDPOINT_URL_<SERVICE>.
 */
export function clientConfig({ settings, world }: Context, region: string, service: string) {
  const { env } = world;
  const endpoint = env[`AWS_ENDPOINT_URL_${service}`] ?? env.AWS_ENDPOINT_URL;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = env;
  const profile = settings.awsProfile.value;
  return {
    region,
    ...(endpoint && { endpoint }),
    ...(profile && { profile }),
    ...(!profile &&
      accessKeyId &&
      secretAccessKey && {
        credentials: {
          accessKeyId,
          secretAccessKey,
          ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
        },
      }),
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 20_000 },
  };
}

interface MiddlewareStack {
  add(
    middleware: (
      next: (args: never) => Promise<unknown>,
      context: { clientName?: string; commandName?: string },
    ) => (args: never) => Promise<unknown>,
    options: { step: "initialize"; name: string },
  ): void;
}

/** Stops a client's calls after Ctrl-C, and with -v shows each with its duration and number of attempts. */
export function watchCalls<T extends { middlewareStack: unknown }>(client: T, { out, world }: Context): T {
  (client.middlewareStack as MiddlewareStack).add(
    (next, { clientName, commandName }) =>
      async (args) => {
        world.signal.throwIfAborted();
        const started = world.clock.now();
        const what = `AWS ${clientName?.replace(/Client$/, "")}:${commandName?.replace(/Command$/, "")}`;
        const took = () => formatDuration(world.clock.now() - started);
        try {
          const answer = await next(args);
          const attempts =
            (answer as { output?: { $metadata?: { attempts?: number } } }).output?.$metadata?.attempts ?? 1;
          out.trace(`${what} → ok (${took()}${attempts > 1 ? `, ${attempts} attempts` : ""})`);
          return answer;
        } catch (error) {
          out.trace(`${what} → ${messageOf(error)} (${took()})`);
          throw error;
        }
      },
    { step: "initialize", name: "aecWatch" },
  );
  return client;
}
