/** What a command answers. A string is a bulk string; `{ status }` and `{ error }` are the one-line kinds. */
export type RespValue =
  | null
  | number
  | string
  | { readonly status: string }
  | { readonly error: string }
  | readonly RespValue[];

export const OK: RespValue = { status: "OK" };

/** Encodes one answer as RESP2. */
export function encodeResp(value: RespValue): string {
  if (value === null) return "$-1\r\n";
  if (typeof value === "number") return `:${Math.trunc(value)}\r\n`;
  if (typeof value === "string") return `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
  if ("status" in value) return `+${value.status}\r\n`;
  if ("error" in value) return `-${value.error.replaceAll(/[\r\n]+/g, " ")}\r\n`;
  return `*${value.length}\r\n${value.map(encodeResp).join("")}`;
}
