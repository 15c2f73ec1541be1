import type { ResourceType } from "../agents/kinds.ts";
import { type Fields, fields, text } from "./fields.ts";
import type { At, Row } from "./table.ts";

/** What a row reads out of an event. */
export interface RowReading {
  resourceType: string;
  kind: ResourceType;
  name: string;
  /** From the event's own state; undefined where it does not tell. */
  gone: boolean | undefined;
}

/** Applies a row to a document; a text is why it asks for nothing. */
export function readRow(row: Row, document: Fields): RowReading | string {
  const { kind, nothing, resourceType, state } = row;
  if (kind === undefined) return nothing ?? `${row.event} changes nothing that Spinnaker caches`;
  const skip = row.skips?.find(({ at, match }) => match.test(valueAt(document, at) ?? ""));
  if (skip) return skip.because;
  const name = row.name.map((at) => nameAt(document, at)).find((found) => found !== undefined);
  if (name === undefined) return `${row.event} does not name what it is about`;
  const told = state && (valueAt(document, state.at) ?? "");
  const gone = told === undefined ? undefined : goneBy(told, row);
  return { resourceType, kind, name, gone };
}

function goneBy(told: string, { state }: Row): boolean | undefined {
  if (state?.gone?.test(told)) return true;
  return told !== "" && state?.there.test(told) ? false : undefined;
}

function nameAt(document: Fields, at: At): string | undefined {
  if (at === "*") return at;
  if (typeof at === "string") return valueAt(document, at);
  return at.match.exec(valueAt(document, at.at) ?? "")?.[1];
}

/** The text at a path of own keys; an index goes into a list. */
function valueAt(document: Fields, path: string): string | undefined {
  let value: unknown = document;
  for (const key of path.split(".")) {
    const inner = Array.isArray(value) ? ({ ...value } as Fields) : fields(value);
    value = inner && Object.hasOwn(inner, key) ? inner[key] : undefined;
  }
  return text(value);
}
