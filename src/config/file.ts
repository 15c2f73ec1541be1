import { readFileSync } from "node:fs";
import { isMap, isScalar, LineCounter, type Node, type ParsedNode, parseDocument } from "yaml";
import { messageOf, usageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { type AecConfig, configSchema } from "./schema.ts";

export interface ConfigFile {
  path: string;
  config: AecConfig;
}

/** Reads and checks `aec.yml`; a mistake is a usage error with file, line, column and the nearest valid key. */
export function readConfig(path: string): ConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(readFile(path), { lineCounter: lines });
  const at = (offset: number | undefined) => {
    const { line, col } = lines.linePos(offset ?? 0);
    return `${path}:${line}:${col}`;
  };

  const syntax = document.errors[0];
  if (syntax)
    throw usageError("config-invalid", `${at(syntax.pos[0])}: ${syntax.message.split(/ at line |\n/)[0]}`);
  if (document.contents === null) {
    throw usageError("config-invalid", `${path} is empty`, { hint: "it begins with: version: 1" });
  }

  const parsed = configSchema.safeParse(document.toJS());
  if (parsed.success) return { path, config: parsed.data };

  const issue = parsed.error.issues[0];
  if (!issue) throw new Error("zod reported a failure without an issue");
  const keys = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0] ?? "";
    const suggestion = nearest(key, knownKeys(keys));
    throw usageError(
      "config-invalid",
      `${at(keyOffset(document.contents, [...keys, key]))}: unknown key "${key}"`,
      {
        hint: suggestion ? `did you mean "${suggestion}"?` : undefined,
      },
    );
  }
  const where = keys.length > 0 ? `${keys.join(".")} ` : "";
  throw usageError("config-invalid", `${at(keyOffset(document.contents, keys))}: ${where}${issue.message}`);
}

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw usageError("config-unreadable", `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}

/** Offset of the key at `path`, or of the deepest key that is there. */
function keyOffset(root: ParsedNode | null, path: readonly string[]): number | undefined {
  let node: Node | null | undefined = root;
  let offset = root?.range?.[0];
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === step);
      if (!pair) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else {
      const item: Node | undefined = (node as { items?: Node[] } | null)?.items?.[Number(step)];
      offset = item?.range?.[0] ?? offset;
      node = item;
    }
  }
  return offset;
}

/** The keys that the schema allows at `path`. */
function knownKeys(path: readonly string[]): string[] {
  let schema: unknown = configSchema;
  for (const step of path) schema = child(unwrap(schema), step);
  return Object.keys((unwrap(schema) as { shape?: object } | undefined)?.shape ?? {});
}

function unwrap(schema: unknown): unknown {
  const inner = (schema as { def?: { type?: string; innerType?: unknown } } | undefined)?.def;
  return inner?.type === "optional" ? inner.innerType : schema;
}

function child(schema: unknown, step: string): unknown {
  const { shape, def } = (schema ?? {}) as {
    shape?: Record<string, unknown>;
    def?: { valueType?: unknown; element?: unknown };
  };
  return shape?.[step] ?? def?.valueType ?? def?.element;
}
