import type { Clock } from "../clock.ts";
import { formatDuration } from "../duration.ts";
import type { Progress } from "../output/progress.ts";
import { itemText } from "../refresh/items.ts";
import type { ItemResult } from "../refresh/refresh.ts";

/** So many lines at the most tell of the way, where there is no terminal. */
const MILESTONES = 20;
/** An estimate from less than this is none. */
const ENOUGH_DONE = 0.05;

/** Tells of each result, and how long the rest will take if it goes on like that. */
export function reporter(progress: Progress, total: number, clock: Clock): (result: ItemResult) => void {
  const started = clock.now();
  const step = Math.ceil(total / MILESTONES);
  let done = 0;
  return (result) => {
    done += 1;
    const elapsed = clock.now() - started;
    const left = Math.round(((elapsed / done) * (total - done)) / 1_000) * 1_000;
    const estimate =
      done < total && done / total >= ENOUGH_DONE && left > 0 ? `, about ${formatDuration(left)} left` : "";
    progress.update(
      `${done}/${total}${estimate}: ${itemText(result)} ${result.verdict}`,
      done % step === 0 || done === total,
    );
  };
}
