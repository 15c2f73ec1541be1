import type { Context } from "../../context.ts";
import { parseDuration } from "../../duration.ts";
import { EXIT, ExpectedError } from "../../errors.ts";
import { parseMessage } from "../../events/message.ts";
import { createLog } from "../../serve/log.ts";
import type { Fate } from "../../serve/receiving/memory.ts";
import type { Mode } from "../../serve/running/apply.ts";
import { chooseMode, openScheduler } from "../../serve/scheduler.ts";
import { numberOption } from "../number-option.ts";
import { readCaptured } from "./captured-file.ts";

export interface EventReplayOptions {
  /** Default: all at once. */
  speed?: string | undefined;
  debounce: string;
  mode?: Mode | undefined;
}

/** A message that could not be taken because too many are open is offered again after that. */
const AGAIN_MS = 500;

/**
 * `aec event replay`: applies captured messages by the code of `serve`. Who names the file vouches for it, as for a
 * queue: signatures are reported, not required. What SNS says of subscriptions is left out.
 */
export async function run(context: Context, file: string, options: EventReplayOptions): Promise<undefined> {
  const { world, out, settings } = context;
  const { clock, signal } = world;
  const speed =
    options.speed === undefined
      ? undefined
      : numberOption("--speed", options.speed, { least: 0.01, most: 10_000 });
  const messages = await readCaptured(context, file);
  const scheduler = await openScheduler(context, {
    mode: chooseMode(options.mode, settings.lockStore.value),
    topics: [],
    debounceMs: parseDuration(options.debounce, "--debounce"),
    requireVersion2: false,
    log: createLog(context, "warn"),
  });
  const first = messages.find(({ receivedAt }) => receivedAt > 0)?.receivedAt ?? 0;
  const started = clock.now();
  const outcomes: Fate["outcome"][] = [];
  const replayOne = async ({ body, receivedAt }: (typeof messages)[number], index: number) => {
    const message = parseMessage(body);
    if (!("reason" in message) && message.Type !== "Notification") return;
    const due = speed === undefined || receivedAt === 0 ? started : started + (receivedAt - first) / speed;
    if (due > clock.now()) await clock.sleep(due - clock.now(), signal);
    const id = "reason" in message ? `message ${index + 1}` : message.MessageId;
    let fate = await scheduler.dispatch.receiveQueued(body, id);
    while (fate === undefined) {
      await clock.sleep(AGAIN_MS, signal);
      fate = await scheduler.dispatch.receiveQueued(body, id);
    }
    const { outcome, reason, work = [] } = fate;
    outcomes.push(outcome);
    if (out.format === "text") world.stdout.write(`${outcome.padEnd(9)} ${id}  ${reason}\n`);
    else out.line({ id, outcome, reason, work });
  };
  try {
    await Promise.all(messages.map(replayOne));
  } finally {
    await scheduler.close();
  }
  const failed = outcomes.filter((outcome) => outcome === "failed").length;
  if (failed === 0) return undefined;
  const exit = failed === outcomes.length ? EXIT.failed : EXIT.partial;
  throw new ExpectedError(exit, "replay-failed", `${failed} of ${outcomes.length} messages failed`, {
    hint: "replay them again when what is named above is mended",
  });
}
