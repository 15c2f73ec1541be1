import type { Output } from "./output.ts";

export interface Progress {
  /** Replaces the text; off a terminal a line is written only when `milestone` is set. */
  update(text: string, milestone?: boolean): void;
  stop(): void;
}

/** Progress of work that may take over a second: a spinner on a terminal, lines otherwise. */
export async function startProgress(output: Output, text: string): Promise<Progress> {
  if (!output.live) {
    output.say(text);
    return { update: (next, milestone) => void (milestone && output.say(next)), stop: () => {} };
  }
  const { default: ora } = await import("ora");
  const spinner = ora({ text, stream: output.stderr as NodeJS.WriteStream, discardStdin: false }).start();
  return {
    update(next) {
      spinner.text = next;
    },
    stop: () => void spinner.stop(),
  };
}
