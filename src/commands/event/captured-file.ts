import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Context } from "../../context.ts";
import { messageOf, usageError } from "../../errors.ts";
import { type Captured, capturedMessages } from "../../events/captured.ts";

/** The messages of a file, or of what is piped in (`-`). Throws usage errors for what cannot be read, or is empty. */
export async function readCaptured(context: Context, file: string): Promise<Captured[]> {
  const messages = capturedMessages(await read(context, file));
  if (messages.every(({ body }) => body.trim() === ""))
    throw usageError("no-message", `there is no message in ${file === "-" ? "what was piped in" : file}`);
  return messages;
}

async function read({ world }: Context, file: string): Promise<string> {
  if (file === "-") {
    let text = "";
    for await (const chunk of world.stdin) text += chunk;
    return text;
  }
  try {
    return readFileSync(resolve(world.cwd, file), "utf8");
  } catch (error) {
    throw usageError("unreadable", `cannot read ${file}: ${messageOf(error)}`);
  }
}
