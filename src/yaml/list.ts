import { isDeepStrictEqual } from "node:util";
import { isMap, isScalar, isSeq, type ParsedNode, stringify } from "yaml";
import {
  type BlockOrFlowMap,
  keyText,
  type MapPair,
  parseYaml,
  topLevelPair,
  type YamlFile,
} from "./parse.ts";
import { columnAt, insertLines, lineEnd, nodeEnd } from "./positions.ts";

/** A list item to add: a plain string, or a map of strings and maps. */
export type ListItem = string | { readonly [key: string]: ListItem };

/**
 * The text with one more item at the end of a top-level list, behind its last live item; the list is made where the
 * key is missing or empty. Every other byte stays. Throws a refusal for anything that is no list.
 */
export function appendItem(file: YamlFile, key: string, item: ListItem): string {
  const pair = topLevelPair(file, key);
  const text = pair ? intoPair(file, pair, item) : asNewKey(file, key, item);
  assertList(file, text, key, [...listOf(file, key), item]);
  return text;
}

/** The text without the item that `matches`; a block list that it leaves empty goes with its key. */
export function removeItem(file: YamlFile, key: string, matches: (item: unknown) => boolean): string {
  const pair = topLevelPair(file, key);
  const list = pair?.value;
  if (!pair || !isSeq(list)) return file.text;
  const before = listOf(file, key);
  const index = before.findIndex(matches);
  const node = list.items[index] as ParsedNode | undefined;
  if (!node?.range) return file.text;
  if (list.flow) {
    const [cutStart, cutEnd] = flowCut(list.items as ParsedNode[], index);
    const cut = file.text.slice(0, cutStart) + file.text.slice(cutEnd);
    assertList(file, cut, key, before.toSpliced(index, 1));
    return cut;
  }
  const start = list.items.length === 1 ? (pair.key.range?.[0] ?? 0) : dashOf(file, node);
  const lineStart = file.text.lastIndexOf("\n", start - 1) + 1;
  const text = file.text.slice(0, lineStart) + file.text.slice(lineEnd(file.text, endOf(node)));
  assertList(file, text, key, before.toSpliced(index, 1));
  return text;
}

/** From the item to the next one, or from the end of the previous one. */
function flowCut(items: readonly ParsedNode[], index: number): [number, number] {
  const item = items[index] as ParsedNode;
  const next = items[index + 1];
  if (next) return [item.range[0], next.range[0]];
  const previous = items[index - 1];
  return [previous ? endOf(previous) : item.range[0], endOf(item)];
}

function listOf(file: YamlFile, key: string): unknown[] {
  const value: unknown = (file.document.toJS() as Record<string, unknown> | null)?.[key];
  return Array.isArray(value) ? value : [];
}

function intoPair(file: YamlFile, pair: MapPair, item: ListItem): string {
  const { text, eol } = file;
  const list = pair.value;
  if (isSeq(list) && list.flow) {
    const [start, end] = list.range as [number, number, number];
    const last = list.items.at(-1) as ParsedNode | undefined;
    const flow = flowText(item);
    if (!last) return `${text.slice(0, start)}[${flow}]${text.slice(end)}`;
    const at = endOf(last);
    return `${text.slice(0, at)}, ${flow}${text.slice(at)}`;
  }
  if (isSeq(list)) {
    const [first, last] = [list.items[0] as ParsedNode, list.items.at(-1) as ParsedNode];
    const dash = dashOf(file, first);
    const column = columnAt(text, dash);
    return insertLines(file, lineEnd(text, endOf(last)), itemLines(item, column));
  }
  if (list && !(isScalar(list) && list.value === null)) {
    throw file.refuse(list.range[0], `${keyText(pair)} holds something else than a list`);
  }
  const keyEnd = lineEnd(text, pair.key.range?.[1] ?? 0);
  if (isScalar(list) && list.range && list.range[1] > list.range[0]) {
    throw file.refuse(list.range[0], `${keyText(pair)} is written as null; make it an empty list`);
  }
  return insertLines({ text, eol }, keyEnd, itemLines(item, listIndent(file)));
}

function asNewKey(file: YamlFile, key: string, item: ListItem): string {
  const lines = [`${key}:`, ...itemLines(item, listIndent(file))];
  return insertLines(file, file.text.length, lines);
}

/** How far this file indents the items of a list below its key. */
function listIndent(file: YamlFile): number {
  const root = file.document.contents;
  if (!isMap(root)) return 2;
  for (const { value } of (root as BlockOrFlowMap).items) {
    const first = isSeq(value) && !value.flow ? (value.items[0] as ParsedNode | undefined) : undefined;
    if (first) {
      return columnAt(file.text, dashOf(file, first));
    }
  }
  return 2;
}

function endOf(item: ParsedNode): number {
  return nodeEnd(item) ?? item.range[1];
}

/** The dash begins the item's line: one further back may stand in a comment or an anchor's name. */
function dashOf({ text }: YamlFile, item: ParsedNode): number {
  const lineStart = text.lastIndexOf("\n", (item.range?.[0] ?? 0) - 1) + 1;
  const dash = /^[\uFEFF \t]*-/.exec(text.slice(lineStart, item.range?.[0]));
  return dash ? lineStart + dash[0].length - 1 : text.lastIndexOf("-", (item.range?.[0] ?? 1) - 1);
}

function itemLines(item: ListItem, column: number): string[] {
  const indent = " ".repeat(column);
  if (typeof item === "string") return [`${indent}- ${scalar(item)}`];
  const [first = "", ...rest] = mapLines(item, column + 2);
  return [`${indent}- ${first.trimStart()}`, ...rest];
}

function mapLines(map: { readonly [key: string]: ListItem }, column: number): string[] {
  const indent = " ".repeat(column);
  return Object.entries(map).flatMap(([key, value]) =>
    typeof value === "string"
      ? [`${indent}${key}: ${scalar(value)}`]
      : [`${indent}${key}:`, ...mapLines(value, column + 2)],
  );
}

function flowText(item: ListItem): string {
  if (typeof item === "string") return scalar(item);
  return `{${Object.entries(item)
    .map(([key, value]) => `${key}: ${flowText(value)}`)
    .join(", ")}}`;
}

function scalar(text: string): string {
  return stringify(text, { lineWidth: 0 }).trimEnd();
}

function assertList(before: YamlFile, text: string, key: string, expected: readonly unknown[]): void {
  const wanted = { ...((before.document.toJS() as object | null) ?? {}), [key]: expected };
  const found = { [key]: [], ...((parseYaml(text, before.path).document.toJS() as object | null) ?? {}) };
  if (!isDeepStrictEqual(found, wanted)) {
    throw before.refuse(0, `the list ${key} of this file cannot be edited safely`);
  }
}
