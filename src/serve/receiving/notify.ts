import type { IncomingMessage } from "node:http";
import type { Reception } from "./dispatch.ts";
import type { Handler } from "./listener.ts";

/** A notification is 256 KiB at most, and its envelope little; JSON escapes may blow it up. */
const MAX_BODY_BYTES = 1_024 * 1_024;
const LINGER_MS = 500;
/** Of all bodies that are being received at one time. */
const MAX_BUFFERED_BYTES = 64 * 1_024 * 1_024;

/** The HTTP face for SNS: one path, POST only, bodies of at most 1 MiB. */
export function notifyHandler(path: string, receive: (body: string) => Promise<Reception>): Handler {
  const buffered: Buffered = { bytes: 0 };
  return async (request, response) => {
    const answer = (status: number, reason: string) => {
      const text = `${reason}\n`;
      response.writeHead(status, {
        "content-type": "text/plain; charset=utf-8",
        "content-length": Buffer.byteLength(text),
        ...(status === 405 && { allow: "POST" }),
      });
      response.end(text);
    };
    if (pathOf(request.url ?? "/") !== path) return answer(404, "not here");
    if (request.method !== "POST") return answer(405, "POST only");
    if (request.headers["x-amz-sns-rawdelivery"] !== undefined) {
      return answer(403, "raw delivery carries no signature; switch it off on the subscription");
    }
    if (buffered.bytes > MAX_BUFFERED_BYTES) return answer(503, "too much is being received");
    const body = await readBody(request, buffered);
    if (body === undefined) {
      // The rest is thrown away unread for a moment, so that the answer arrives before the connection is cut.
      response.shouldKeepAlive = false;
      request.resume();
      response.once("finish", () => setTimeout(() => request.destroy(), LINGER_MS).unref());
      return answer(413, "larger than any SNS message");
    }
    const { status, reason } = await receive(body);
    answer(status, reason);
  };
}

/** Proxies may ask by the whole URL. */
function pathOf(url: string): string | undefined {
  return url.startsWith("/") ? url.split("?", 1)[0] : new URL(url, "http://localhost").pathname;
}

interface Buffered {
  bytes: number;
}

async function readBody(request: IncomingMessage, buffered: Buffered): Promise<string | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      buffered.bytes += chunk.length;
      if (size > MAX_BODY_BYTES) {
        chunks.length = 0;
        resolve(undefined);
      } else chunks.push(chunk);
    });
    request.once("close", () => {
      buffered.bytes -= size;
    });
    request.once("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    request.once("error", reject);
  });
}
