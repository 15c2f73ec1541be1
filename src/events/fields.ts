/** A JSON object of unknown shape. */
export type Fields = Readonly<Record<string, unknown>>;

/** The value of a JSON text; undefined where it is none. */
export function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** The value where it is a JSON object. */
export function fields(value: unknown): Fields | undefined {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** The value where it is a string with something in it. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** As much of a stranger's text as a reason may quote. */
export function clip(value: string): string {
  return value.slice(0, 100);
}

/** Milliseconds since the epoch of an ISO time, 0 where it is none. */
export function timeOf(value: unknown): number {
  const at = Date.parse(text(value) ?? "");
  return Number.isNaN(at) ? 0 : at;
}
