import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeAtomically } from "../install/files.ts";
import { inState } from "../install/state.ts";
import type { World } from "../world.ts";
import type { ObservedRecording } from "./plan.ts";

/** What `disable` needs to leave the Region as it was before `enable`. */
interface RecordingRecord {
  version: 1;
  topicArn: string;
  before: ObservedRecording;
}

/** The first state that `aec` found in an account and Region, kept until `disable`. */
export function recordingState(world: World, accountId: string, region: string) {
  const directory = join(world.env.XDG_STATE_HOME || join(world.home, ".local", "state"), "aec", "recorder");
  const path = join(directory, `${accountId}-${region}.json`);
  return {
    read(): RecordingRecord | undefined {
      if (!existsSync(path)) return undefined;
      const record = JSON.parse(readFileSync(path, "utf8")) as RecordingRecord;
      return record.version === 1 ? record : undefined;
    },
    remember(topicArn: string, before: ObservedRecording): void {
      if (existsSync(path)) return;
      const record: RecordingRecord = { version: 1, topicArn, before };
      inState(directory, () => {
        mkdirSync(directory, { recursive: true });
        writeAtomically(path, `${JSON.stringify(record, null, 2)}\n`, 0o600);
      });
    },
    forget: () => rmSync(path, { force: true }),
  };
}
