import { read } from "./deployment.ts";
import { pause } from "./figures.ts";

/** Orca's own back-off between two looks (its ServerGroupCacheForceRefreshTask). */
const BACK_OFF_MS = 10_000;
const GIVE_UP_MS = 12 * 60_000;
const LOOK_MS = 250;

interface Pending {
  details?: { account?: string; region?: string; serverGroup?: string };
  cacheTime?: number;
  processedTime?: number;
}

/** Refreshes a server group as Orca's stages do; resolves with how long they waited, ms. */
export async function orcaRefresh(url: string, region: string, name: string): Promise<number> {
  const started = Date.now();
  const post = async (body: object) => {
    const answer = await fetch(`${url}/cache/aws/ServerGroup`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ account: "default", region, ...body }),
    });
    await answer.body?.cancel();
    return answer.status;
  };
  if ((await post({ serverGroupName: name })) === 200) return Date.now() - started;
  while (Date.now() - started < GIVE_UP_MS) {
    await pause(BACK_OFF_MS);
    const pending = (await read<Pending[]>(url, "/cache/aws/ServerGroup")) ?? [];
    const record = pending.find(
      ({ details }) =>
        details?.account === "default" && details.region === region && details.serverGroup === name,
    );
    // Its second request names the group in a field that no agent reads, and so is answered 200.
    if (record === undefined && (await post({ serverGroup: name })) === 200) break;
    if (record && (record.cacheTime ?? 0) >= started && (record.processedTime ?? 0) >= started) break;
  }
  return Date.now() - started;
}

/** Watches whether groups that exist stay in the cache; `end` tells for how long each was gone, ms. */
export function watchPresence(url: string) {
  const watched = new Set<string>();
  const gone = new Map<string, number>();
  const absences: number[] = [];
  let stopped = false;
  const look = async () => {
    const ids = [...watched];
    if (ids.length === 0) return;
    const groups = await read<{ region: string; name: string }[]>(url, `/serverGroups?ids=${ids.join(",")}`);
    const now = Date.now();
    const present = new Set(groups?.map(({ region, name }) => `default:${region}:${name}`));
    for (const id of ids) {
      const since = gone.get(id);
      if (!present.has(id)) gone.set(id, since ?? now);
      else if (since !== undefined) {
        absences.push(now - since);
        gone.delete(id);
      }
    }
  };
  const watching = (async () => {
    while (!stopped) {
      await look().catch(() => {});
      await pause(LOOK_MS);
    }
  })();
  return {
    watch: (region: string, name: string) => void watched.add(`default:${region}:${name}`),
    anyGone: () => gone.size > 0,
    async end(): Promise<number[]> {
      stopped = true;
      await watching;
      return [...absences, ...[...gone.values()].map((since) => Date.now() - since)];
    },
  };
}
