import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { failure, messageOf } from "../errors.ts";
import { writeAtomically } from "../install/files.ts";
import { inState } from "../install/state.ts";
import type { World } from "../world.ts";
import type { RecordingRecord } from "./undo.ts";

/** The first state that `aec` found in an account and Region, kept until `disable`. */
export function recordingState(world: World, accountId: string, region: string) {
  const directory = join(world.env.XDG_STATE_HOME || join(world.home, ".local", "state"), "aec", "recorder");
  const path = join(directory, `${accountId}-${region}.json`);
  return {
    /** Throws where the file is no record any more. */
    read(): RecordingRecord | undefined {
      if (!existsSync(path)) return undefined;
      try {
        const record = JSON.parse(readFileSync(path, "utf8")) as RecordingRecord;
        if (record.version === 1 && record.before) return record;
        throw new Error("not a record of aec");
      } catch (cause) {
        throw failure("bad-state", `${path} cannot be read: ${messageOf(cause)}`, {
          hint: "move it away: without it, disable takes only the topic out of the delivery channel",
          cause,
        });
      }
    },
    /** Keeps the oldest state before, and the newest that was made. */
    remember(record: RecordingRecord): void {
      const known = this.read();
      const kept =
        known?.topicArn === record.topicArn
          ? {
              ...record,
              before: known.before,
              made: newest(known.made, record.made),
            }
          : record;
      inState(directory, () => {
        mkdirSync(directory, { recursive: true });
        writeAtomically(path, `${JSON.stringify(kept, null, 2)}\n`, 0o600);
      });
    },
    forget: () => rmSync(path, { force: true }),
  };
}

/** Unknown where an earlier `aec` wrote the record and this one left the recorder alone: that one may have widened it. */
function newest(known: RecordingRecord["made"], made: RecordingRecord["made"]): RecordingRecord["made"] {
  if (!known && !made?.recorder) return undefined;
  return { recorder: made?.recorder ?? known?.recorder, channel: made?.channel ?? known?.channel };
}
