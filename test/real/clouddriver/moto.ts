import { join } from "node:path";
import { cacheDir } from "./cache-dir.ts";
import { freePort, spawnServer, waitUntil } from "./process.ts";

/** A private moto server: the AWS of the suite. Its account is 123456789012. */
export interface Moto {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts the `moto_server` of the cache directory on a free port of 127.0.0.1. */
export async function startMoto(): Promise<Moto> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const command = join(cacheDir(), "moto", "bin", "moto_server");
  const server = await spawnServer(command, ["-H", "127.0.0.1", "-p", String(port)]);
  await waitUntil("moto_server", server, 60_000, async () => {
    const answer = await fetch(`${url}/moto-api/data.json`);
    await answer.body?.cancel();
    return answer.ok;
  });
  return { url, port, stop: () => server.stop(2_000) };
}
