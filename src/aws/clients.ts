import type { Context } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { messageOf } from "../errors.ts";
import { isThrottling } from "./errors.ts";
import type { Credentials } from "./places.ts";

/** Tries of one call, the first included: throttling passes, and adaptive retry slows the next calls down. */
const MAX_ATTEMPTS = 5;
const CONNECTION_TIMEOUT_MS = 5_000;
/** Of one try; --timeout may shorten it. */
const REQUEST_TIMEOUT_MS = 20_000;

/**
 * Configuration of one SDK client. The SDK's own chain finds the credentials; what the command's environment says
 * outright is handed over, because a command may run in an environment that is not the process's.
 * `service` is the suffix of AWS_ENDPOINT_URL_<SERVICE>.
 */
export function clientConfig(
  { settings, world, timeout }: Context,
  { region, credentials }: { region: string; credentials?: Credentials | undefined },
  service: string,
) {
  const { env } = world;
  const endpoint = env[`AWS_ENDPOINT_URL_${service}`] ?? env.AWS_ENDPOINT_URL;
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN } = env;
  const profile = settings.awsProfile.value;
  const given = accessKeyId &&
    secretAccessKey && {
      accessKeyId,
      secretAccessKey,
      ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
    };
  return {
    region,
    ...(endpoint && { endpoint }),
    ...(credentials ? { credentials } : profile ? { profile } : given ? { credentials: given } : {}),
    retryMode: env.AWS_RETRY_MODE ?? "adaptive",
    maxAttempts: Number(env.AWS_MAX_ATTEMPTS) || MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      throwOnRequestTimeout: true,
      requestTimeout: Math.min(REQUEST_TIMEOUT_MS, timeout(REQUEST_TIMEOUT_MS)),
    },
  };
}

interface MiddlewareStack {
  add(
    middleware: (
      next: (args: never) => Promise<unknown>,
      context: { clientName?: string; commandName?: string },
    ) => (args: never) => Promise<unknown>,
    options: { step: "initialize" | "finalizeRequest"; name: string; priority?: "low" },
  ): void;
}

/**
 * Stops a client's calls after Ctrl-C, tells once when AWS throttles them, and with -v shows each with its duration and
 * number of attempts.
 */
export function watchCalls<T extends { middlewareStack: unknown }>(client: T, { out, world }: Context): T {
  const stack = client.middlewareStack as MiddlewareStack;
  let told = false;
  // After the retry in the chain: sees every attempt.
  stack.add(
    (next, { clientName, commandName }) =>
      async (args) => {
        try {
          return await next(args);
        } catch (error) {
          if (!told && isThrottling(error)) {
            told = true;
            out.say(`AWS throttles ${called(clientName, commandName)}: trying again, more slowly`);
          }
          throw error;
        }
      },
    { step: "finalizeRequest", name: "aecThrottling", priority: "low" },
  );
  stack.add(
    (next, { clientName, commandName }) =>
      async (args) => {
        world.signal.throwIfAborted();
        const started = world.clock.now();
        const what = `AWS ${called(clientName, commandName)}`;
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

/** `SNS:CreateTopic`. */
function called(client: string | undefined, command: string | undefined): string {
  return `${client?.replace(/Client$/, "")}:${command?.replace(/Command$/, "")}`;
}
