import { isDeepStrictEqual } from "node:util";
import type { YamlEdits } from "./edits.ts";
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
  return properties(file).map(({ keys, value }) => ({ names: keys, value }));
}

/** Edits neither reorder nor rename: what is not intended has to be the same, one after the other. */
function firstDifference(expected: readonly Named[], found: readonly Named[]): readonly string[] | undefined {
  for (let index = 0; index < Math.max(expected.length, found.length); index += 1) {
    const [left, right] = [expected[index], found[index]];
    if (!left || !right) return (left ?? right)?.names;
    if (!sameValue(left.value, right.value) || !sameNames(left.names, right.names)) return left.names;
  }
  return undefined;
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, index) => name === b[index]);
}

function sameValue(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || (isHollow(a) && isHollow(b) && JSON.stringify(a) === JSON.stringify(b));
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
