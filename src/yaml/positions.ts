import { isCollection, isScalar, type ParsedNode } from "yaml";
import type { MapPair, YamlFile } from "./parse.ts";

/** Offset behind the last character that belongs to a pair, comments and blank lines after it excluded. */
export function pairEnd(pair: MapPair): number {
  return nodeEnd(pair.value) ?? (pair.key?.range?.[1] ?? 0) + 1;
}

/** The same for a node; undefined for an empty value, which has no text of its own: its key's colon ends the pair. */
export function nodeEnd(node: ParsedNode | null | undefined): number | undefined {
  if (!node?.range) return undefined;
  if (isCollection(node) && !node.flow) {
    const last = node.items.at(-1) as MapPair | ParsedNode | undefined;
    if (last && "key" in last) return pairEnd(last);
    return nodeEnd(last as ParsedNode | undefined) ?? node.range[1];
  }
  return isScalar(node) && node.range[1] === node.range[0] ? undefined : node.range[1];
}

/** Offset behind the line that holds `offset`; a line feed just before it ends that line already. */
export function lineEnd(text: string, offset: number): number {
  if (offset > 0 && text[offset - 1] === "\n") return offset;
  const end = text.indexOf("\n", offset);
  return end === -1 ? text.length : end + 1;
}

/** How far a line is indented before `offset`, a byte order mark aside. */
export function columnAt(text: string, offset: number): number {
  const lineStart = text.lastIndexOf("\n", offset - 1) + 1;
  return offset - lineStart - (lineStart === 0 && text.startsWith("\uFEFF") ? 1 : 0);
}

/** The text with whole lines inserted at the start of a line, or at the end of a text that ends without one. */
export function insertLines(
  { text, eol }: Pick<YamlFile, "text" | "eol">,
  offset: number,
  lines: readonly string[],
): string {
  const atLineStart = offset === 0 || text[offset - 1] === "\n" || text[offset - 1] === "\uFEFF";
  const block = atLineStart ? lines.map((line) => line + eol).join("") : eol + lines.join(eol);
  return text.slice(0, offset) + block + text.slice(offset);
}
