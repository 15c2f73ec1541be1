import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDir } from "./clouddriver/cache-dir.ts";
import { freePort, spawnServer, waitUntil } from "./clouddriver/process.ts";

/** A private LocalStack: an SNS that signs, confirms and delivers over HTTP. */
export interface LocalStack {
  readonly url: string;
  readonly port: number;
  /** Environment variables that lead the AWS SDK there, into that account. */
  env(account: string, region: string): Record<string, string>;
  /** The short form, since the one that it tells has its host below an address. */
  queueUrl(account: string, name: string): string;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

/** How `startLocalStack` starts it. */
export interface LocalStackOptions {
  /** The services that answer; the default is all that the suite uses. */
  readonly services?: readonly string[];
}

const LAUNCHER = fileURLToPath(new URL("localstack_launcher.py", import.meta.url));
const SERVICES = ["sns", "sqs", "config", "events", "ec2", "iam", "sts", "s3"];

/** Nothing is inherited but PATH: a proxy, a profile or an endpoint of the developer would change deliveries. */
function environment(port: number, root: string, services: readonly string[]): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    HOME: root,
    TMPDIR: root,
    FILESYSTEM_ROOT: root,
    GATEWAY_LISTEN: `127.0.0.1:${port}`,
    LOCALSTACK_HOST: `127.0.0.1:${port}`,
    SERVICES: services.join(","),
    DNS_ADDRESS: "0",
    DISABLE_EVENTS: "1",
    SKIP_SSL_CERT_DOWNLOAD: "1",
  };
}

/** Starts the LocalStack of the cache directory on a free port of 127.0.0.1, with an empty state. */
export async function startLocalStack(options: LocalStackOptions = {}): Promise<LocalStack> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const root = await mkdtemp(join(tmpdir(), "aec-localstack-"));
  const cleanUp = (): Promise<void> => rm(root, { recursive: true, force: true, maxRetries: 5 });
  try {
    const python = join(cacheDir(), "localstack", "bin", "python");
    const env = environment(port, root, options.services ?? SERVICES);
    const server = await spawnServer(python, ["-I", LAUNCHER], { cwd: root, env });
    await waitUntil("localstack", server, 60_000, async () => {
      const answer = await fetch(`${url}/_localstack/health`, { signal: AbortSignal.timeout(5_000) });
      await answer.body?.cancel();
      return answer.ok;
    });
    return {
      url,
      port,
      env: (account, region) => ({
        AWS_ENDPOINT_URL: url,
        AWS_ACCESS_KEY_ID: account,
        AWS_SECRET_ACCESS_KEY: "test",
        AWS_REGION: region,
      }),
      queueUrl: (account, name) => `${url}/${account}/${name}`,
      async stop() {
        await server.stop(5_000);
        await cleanUp();
      },
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}
