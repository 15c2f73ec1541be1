import { isDeepStrictEqual } from "node:util";
import type { YamlEdits } from "./edit.ts";
import { properties, sameKey, segments, type YamlFile } from "./parse.ts";

/** Throws a refusal unless `after` differs from `before` by exactly the intended properties. */
export function assertOnlyIntended(before: YamlFile, after: YamlFile, edits: YamlEdits): void {
  const set = (edits.set ?? []).map((edit) => ({ names: segments(edit.keys), value: edit.value }));
  const removed = (edits.remove ?? []).map(segments);
  const expected = byName(before).filter(
    ({ names, value }) =>
      !removed.some((path) => startsWith(names, path) || (isHollow(value) && startsWith(path, names))) &&
      !set.some(
        (edit) => startsWith(names, edit.names) || (isHollow(value) && startsWith(edit.names, names)),
      ),
  );
  const found = byName(after);
  // A key that a removal leaves empty, for the comments in it, shows as one more leaf.
  const emptied = ({ names, value }: Named) =>
    isHollow(value) && removed.some((path) => startsWith(path, names));
  const kept = found.filter(
    (property) => !emptied(property) && !set.some((edit) => startsWith(property.names, edit.names)),
  );
  const stray = firstDifference(expected, kept);
  if (stray) {
    throw before.refuse(
      0,
      `this file cannot be edited safely: ${stray.join(".")} would change too`,
      "make the change by hand; aec install --print shows the lines",
    );
  }
  for (const edit of set) {
    const now = found.find(({ names }) => samePath(names, edit.names));
    if (now?.value !== edit.value) {
      throw before.refuse(0, `${edit.names.join(".")} would not become ${JSON.stringify(edit.value)}`);
    }
  }
  before.documents.forEach((document, index) => {
    if (document !== before.document && !isDeepStrictEqual(document.toJS(), after.documents[index]?.toJS())) {
      throw before.refuse(document.range[0], "another document of this file would change too");
    }
  });
}

interface Named {
  names: readonly string[];
  value: unknown;
}

function byName(file: YamlFile): Named[] {
  return properties(file).map(({ keys, value }) => ({ names: segments(keys), value }));
}

function firstDifference(expected: readonly Named[], found: readonly Named[]): readonly string[] | undefined {
  const value = ({ names, value: scalar }: Named) => JSON.stringify([names, scalar]);
  const left = new Set(expected.map(value));
  const right = new Set(found.map(value));
  return (
    expected.find((property) => !right.has(value(property)))?.names ??
    found.find((property) => !left.has(value(property)))?.names
  );
}

function isHollow(value: unknown): boolean {
  return value === null || (typeof value === "object" && Object.keys(value).length === 0);
}

function startsWith(names: readonly string[], prefix: readonly string[]): boolean {
  return prefix.length <= names.length && prefix.every((name, index) => sameKey(name, names[index] ?? ""));
}

function samePath(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && startsWith(a, b);
}
