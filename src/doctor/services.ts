import { openLockStore } from "../agents/stores/open.ts";
import { createClouddriver } from "../clouddriver/client.ts";
import type { Context } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { checkNotify } from "../install/verify.ts";
import { askServe } from "../serve/telling/client.ts";
import type { RecentEvent } from "../serve/telling/recent.ts";
import type { Status } from "../serve/telling/status.ts";
import { type Check, failed, ok, skipped } from "./check.ts";

/** Whether the endpoint, Clouddriver, the lock store and a running `serve` answer. */
export async function checkServices(context: Context): Promise<Check[]> {
  const looked = await Promise.all([
    endpoint(context),
    clouddriver(context),
    lockStore(context),
    serve(context),
  ]);
  return looked.flat();
}

async function endpoint(context: Context): Promise<Check> {
  const url = context.settings.section.notify?.endpoint;
  if (url === undefined) return skipped("endpoint", "no endpoint is set", "notify.endpoint in aec.yml");
  const { result, reason, fix } = await checkNotify(context, url);
  // It has to be reachable for SNS, not for the machine that asks.
  if (result === "failure") return { id: "endpoint", result: "warning", reason, evidence: url, fix };
  return ok("endpoint", reason, url);
}

async function clouddriver(context: Context): Promise<Check> {
  const id = "clouddriver";
  if (context.settings.clouddriver.origin === "not set")
    return skipped(id, "no Clouddriver is named", "--clouddriver-url, or clouddriver in aec.yml");
  return explained(id, async () => {
    const accounts = (await createClouddriver(context).accounts()).filter(
      ({ provider }) => provider === "aws",
    );
    return accounts.length > 0
      ? ok(
          id,
          `Clouddriver answers and has ${accounts.length} AWS accounts`,
          accounts.map(({ name }) => name).join(", "),
        )
      : { id, result: "failure", reason: "this Clouddriver has no AWS account", fix: "is it the right one?" };
  });
}

async function lockStore(context: Context): Promise<Check> {
  const id = "lock-store";
  const { lockStore: named, section } = context.settings;
  if (named.origin === "not set" && section.polling?.mode === "events") {
    return {
      id,
      result: "failure",
      reason: "polling.mode is events, which needs the lock store of Clouddriver's scheduler",
      fix: "--lock-store, or lockStore in aec.yml",
    };
  }
  if (named.origin === "not set")
    return skipped(
      id,
      "no lock store is named: aec serve waits for passes",
      "--lock-store, or lockStore in aec.yml",
    );
  return explained(id, async () => {
    const locks = await openLockStore(context.settings.lockStore.value ?? "");
    try {
      await locks.count(["readiness"]);
      return ok(id, "the lock store answers");
    } finally {
      locks.close();
    }
  });
}

async function serve(context: Context): Promise<Check[]> {
  const id = "serve";
  if (context.settings.serve.origin === "not set")
    return [skipped(id, "no running aec serve is named", "--serve-url, or serve in aec.yml")];
  try {
    const { mode, missing = [], last = [] } = (await askServe(context, "/status")) as Partial<Status>;
    const ready: Check =
      missing.length === 0
        ? ok(id, `aec serve is ready, in mode ${mode}`)
        : {
            id,
            result: "failure",
            reason: "aec serve is not ready",
            evidence: missing.join("\n"),
            fix: "its log tells more",
          };
    return [ready, lastEvent(last[0], context.world.clock.now())];
  } catch (error) {
    return [failed(id, error)];
  }
}

/** A quiet site has none for hours; a broken chain too. */
function lastEvent(event: RecentEvent | undefined, now: number): Check {
  const id = "events";
  if (event === undefined) {
    return {
      id,
      result: "warning",
      reason: "no event has come since aec serve was started",
      fix: "aec doctor --synthetic sends one through the whole chain",
    };
  }
  const ago = formatDuration(Math.max(0, now - event.receivedAt));
  return event.outcome === "failed"
    ? { id, result: "warning", reason: "the last event could not be applied", evidence: event.reason }
    : ok(id, `the last event came ${ago} ago`, `${event.type} ${event.name}: ${event.outcome}`);
}

async function explained(id: string, look: () => Promise<Check>): Promise<Check> {
  try {
    return await look();
  } catch (error) {
    return failed(id, error);
  }
}
