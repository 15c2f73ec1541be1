import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  type ParsedNode,
  parseAllDocuments,
  visit,
  type YAMLMap,
} from "yaml";
import { type ExpectedError, usageError } from "../errors.ts";

export type BlockOrFlowMap = YAMLMap<ParsedNode, ParsedNode | null>;
export type MapPair = Pair<ParsedNode, ParsedNode | null>;

/** A YAML file as text with the positions of its nodes. */
export interface YamlFile {
  path: string;
  text: string;
  eol: "\n" | "\r\n";
  /** The document that edits go to. */
  document: Document.Parsed;
  documents: readonly Document.Parsed[];
  isMeant: (document: Document.Parsed) => boolean;
  /** A refusal (exit 2) that begins with `path:line:column`. */
  refuse(offset: number, reason: string, hint?: string): ExpectedError;
}

/** One leaf of a document. */
export interface Property {
  /** Single names, whether they stand nested or dotted in the file. List items are their index. */
  keys: readonly string[];
  value: unknown;
  /** 1-based line of the key. */
  line: number;
}

/**
 * Parses a file of maps; throws a refusal for what its reader could not read either, and for a root that is no map.
 * Of several documents the first that `isMeant` takes is the one to edit: by default the one that no Spring profile
 * has to activate.
 */
export function parseYaml(
  text: string,
  path: string,
  isMeant = (document: Document.Parsed) => !isProfileSpecific(document),
): YamlFile {
  const lines = new LineCounter();
  const refuse = (offset: number, reason: string, hint?: string) => {
    const { line, col } = lines.linePos(offset);
    return usageError("yaml-refused", `${path}:${line}:${col}: ${reason}`, {
      hint: hint ?? "mend the file and run again; nothing was written",
    });
  };
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    logLevel: "silent",
    version: "1.1",
    merge: true,
  });
  const documents = "empty" in parsed ? [] : parsed;
  for (const document of documents) {
    const error = document.errors[0];
    if (error)
      throw refuse(error.pos[0], `invalid YAML: ${error.message.split("\n")[0]?.replace(/ at line .*/, "")}`);
    const cycle = ownAlias(document, text);
    if (cycle !== undefined) throw refuse(cycle, "an alias stands inside its own anchor");
    const root = document.contents;
    if (root && !isMap(root) && !(isScalar(root) && root.value === null)) {
      throw refuse(root.range[0], "the root is not a map of keys");
    }
  }
  const meant = documents.find(isMeant) ?? documents[0];
  return {
    path,
    text,
    eol: text.includes("\r\n") ? "\r\n" : "\n",
    document: meant ?? emptyDocument(),
    documents,
    isMeant,
    refuse,
  };
}

/** Offset of an alias that refers to a node around it. */
function ownAlias(document: Document.Parsed, text: string): number | undefined {
  if (!text.includes("*")) return undefined;
  let found: number | undefined;
  visit(document, {
    Alias(_, alias, path) {
      const target = alias.resolve(document);
      if (target === undefined || !path.includes(target as never)) return undefined;
      found = alias.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return found;
}

function emptyDocument(): Document.Parsed {
  return parseAllDocuments("---\n")[0] as Document.Parsed;
}

/** Keys that make a document apply only under a profile or a platform (Spring Boot, multi-document files). */
const CONDITIONS = [
  "spring.config.activate.on-profile",
  "spring.config.activate.on-cloud-platform",
  "spring.profiles",
];

function isProfileSpecific(document: Document.Parsed): boolean {
  const root = document.contents;
  const mentions =
    isMap(root) && (root as BlockOrFlowMap).items.some((pair) => keyText(pair).startsWith("spring"));
  return (
    mentions &&
    leaves(document).some(({ keys }) =>
      CONDITIONS.some((condition) =>
        sameProperty(segments(keys).slice(0, condition.split(".").length), [condition]),
      ),
    )
  );
}

/** The pair of a key at the root of the document that edits go to. */
export function topLevelPair({ document }: YamlFile, key: string): MapPair | undefined {
  const root = document.contents;
  return isMap(root) ? (root as BlockOrFlowMap).items.find((pair) => keyText(pair) === key) : undefined;
}

/** The leaves of the document that edits go to, in file order; aliases and merge keys are resolved. */
export function properties(file: YamlFile): readonly Property[] {
  const known = propertiesOf.get(file);
  if (known) return known;
  const lines = lineIndex(file.text);
  const found = leaves(file.document).map(({ keys, value, offset }) => ({
    keys,
    value,
    line: lines(offset),
  }));
  propertiesOf.set(file, found);
  return found;
}

/** Lines of the file's other documents that set a property too, each under the condition of its document. */
export function linesElsewhere(file: YamlFile, keys: readonly string[]): number[] {
  const lines = lineIndex(file.text);
  return file.documents
    .filter((document) => document !== file.document)
    .flatMap((document) => leaves(document))
    .filter((leaf) => sameProperty(leaf.keys, keys))
    .map(({ offset }) => lines(offset));
}

/** Files of hundreds of accounts have tens of thousands of leaves, and each is asked for several times. */
const propertiesOf = new WeakMap<YamlFile, readonly Property[]>();

function leaves(document: Document.Parsed) {
  const found: { keys: string[]; value: unknown; offset: number }[] = [];
  const path: string[] = [];
  const below = (names: readonly string[], node: unknown, offset: number) => {
    for (const name of names) path.push(name);
    collect(node, offset);
    path.length -= names.length;
  };
  const collect = (node: unknown, offset: number) => {
    const target = isAlias(node) ? node.resolve(document) : node;
    if (isMap(target) && target.items.length > 0) {
      collectPairs(target.items as MapPair[], isAlias(node) ? offset : undefined, new Set());
    } else if (isSeq(target) && target.items.length > 0) {
      target.items.forEach((item, index) => {
        below([String(index)], item, (item as ParsedNode | null)?.range?.[0] ?? offset);
      });
    } else if (path.length > 0) {
      const value = isScalar(target) ? target.value : isMap(target) ? {} : isSeq(target) ? [] : null;
      found.push({ keys: [...path], value, offset });
    }
  };
  /** A key of the map itself shadows one that is merged in, with everything below it. */
  const collectPairs = (pairs: readonly MapPair[], offset: number | undefined, shadowed: Set<string>) => {
    const at = (pair: MapPair) => offset ?? pair.key?.range?.[0] ?? 0;
    const own = pairs.filter((pair) => keyText(pair) !== "<<" && !shadowed.has(keyText(pair)));
    for (const pair of own) {
      shadowed.add(keyText(pair));
      below(segments([keyText(pair)]), pair.value, at(pair));
    }
    for (const pair of pairs.filter((merge) => keyText(merge) === "<<")) {
      const merged = isSeq(pair.value) ? pair.value.items : [pair.value];
      for (const source of merged) {
        const target = isAlias(source) ? source.resolve(document) : source;
        if (isMap(target)) collectPairs(target.items as MapPair[], at(pair), shadowed);
      }
    }
  };
  collect(document.contents, 0);
  return found;
}

/** The text of a pair's key, as Spring would see it. */
export function keyText(pair: MapPair): string {
  const key = pair.key;
  return isScalar(key) ? (key.source ?? String(key.value)) : String(key);
}

function lineIndex(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

/** Keys as Spring binds them: `interval-seconds` and `intervalSeconds` are one. */
export function sameKey(a: string, b: string): boolean {
  return a === b || (a.length !== b.length && camel(a) === camel(b));
}

function camel(key: string): string {
  if (!key.includes("-")) return key;
  return key.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The single names of a path: Spring joins nested and dotted keys alike. */
export function segments(keys: readonly string[]): readonly string[] {
  if (!keys.some((key) => key.includes("."))) return keys;
  return keys.flatMap((key) => (key.startsWith("[") ? [key] : key.split(".")));
}

/** One spelling of a path for all that name the same property. */
export function canonicalProperty(keys: readonly string[]): string {
  return segments(keys).map(camel).join(".");
}

/** Whether two paths name the same property. */
export function sameProperty(a: readonly string[], b: readonly string[]): boolean {
  const left = segments(a);
  const right = segments(b);
  return left.length === right.length && left.every((name, index) => sameKey(name, right[index] ?? ""));
}
