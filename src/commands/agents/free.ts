import { blockedBy, freeBlocked, LOOK_AGAIN_MS, stillBlocked } from "../../agents/blocked.ts";
import { deadNodes } from "../../agents/dead-nodes.ts";
import type { Sighting } from "../../agents/sighting.ts";
import { needLocks, openWatchers } from "../../agents/watchers.ts";
import type { Context } from "../../context.ts";
import { formatDuration } from "../../duration.ts";
import { EXIT, failure, usageError } from "../../errors.ts";
import type { CommandResult } from "../../output/output.ts";
import type { ApplyOptions } from "../in-places.ts";

export interface AgentsFreeOptions extends ApplyOptions {
  node?: string | undefined;
}

/** `aec agents free`: deletes the locks of nodes that are gone, so that the agents run again before they expire. */
export async function run(context: Context, options: AgentsFreeOptions): Promise<CommandResult> {
  const { clock, signal } = context.world;
  const watchers = await openWatchers(context);
  try {
    const locks = needLocks(watchers);
    const first = await watchers.see(true);
    assertGone(first, options.node);
    let blocked = blockedBy(first, options.node);
    if (blocked.length > 0) {
      await clock.sleep(LOOK_AGAIN_MS, signal);
      const second = await watchers.see(true);
      assertGone(second, options.node);
      blocked = stillBlocked(blocked, blockedBy(second, options.node));
    }
    const data = { locks: blocked, dryRun: Boolean(options.dryRun) };
    const lines = blocked.map(
      ({ agent, node, lifeMs }) =>
        `free ${agent}: held by ${node}, for another ${formatDuration(Math.round(lifeMs / 1_000) * 1_000)}`,
    );
    if (blocked.length === 0) return { data, text: () => "No lock of a node that is gone." };
    if (options.dryRun) {
      return {
        data,
        text: () => [...lines, "Dry run: nothing was changed."].join("\n"),
        exit: options.exitCode ? EXIT.differences : EXIT.ok,
      };
    }
    const show = context.asks ? context.out.show : context.out.say;
    for (const line of lines) show(line);
    const nodes = [...new Set(blocked.map(({ node }) => node))].join(", ");
    await context.confirm(`Free ${blocked.length} agents of ${nodes}, which finished no run?`);
    const freed = await freeBlocked(locks, blocked);
    return {
      data: { ...data, freed },
      text: () =>
        freed.map((one) => (one.freed ? `freed ${one.agent}` : `taken meanwhile: ${one.agent}`)).join("\n"),
    };
  } finally {
    watchers.close();
  }
}

/** A node that has an idle lock has finished a run within its interval: it lives. */
function assertGone(sighting: Sighting, node: string | undefined): void {
  if (node === undefined) return;
  const holders = new Set([...sighting.locks.values()].map(({ holder }) => holder));
  if (!holders.has(node)) {
    const nodes = [...holders].filter((holder) => holder && !holder.startsWith("aec:"));
    throw usageError("unknown-node", `no lock is held by "${node}"`, {
      hint: nodes.length > 0 ? `there are: ${nodes.join(", ")}` : "no node has a lock at all",
    });
  }
  if (deadNodes(sighting).has(node)) return;
  throw failure("node-lives", `${node} has finished runs: it lives, or nothing shows that it does not`, {
    hint: "its locks end by themselves; aec agents list shows who holds what",
  });
}
