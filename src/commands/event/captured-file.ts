import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Context } from "../../context.ts";
import { messageOf, usageError } from "../../errors.ts";
import { type Captured, capturedMessages } from "../../events/captured.ts";

/** The messages of a file, or of what is piped in (`-`). Throws usage errors for what cannot be read, or holds none. */
export async function readCaptured(context: Context, file: string): Promise<Captured[]> {
  const messages = capturedMessages(await read(context, file));
  // One that is broken among others is told of as serve would tell of it.
  if (!messages.some(({ body }) => isDocument(body))) {
    throw usageError("no-message", `there is no message in ${file === "-" ? "what was piped in" : file}`, {
      hint: "JSON as SNS or SQS deliver it, a line of aec serve --record, or the event of EventBridge itself",
    });
  }
  return messages;
}

function isDocument(body: string): boolean {
  try {
    return typeof JSON.parse(body) === "object";
  } catch {
    return false;
  }
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
