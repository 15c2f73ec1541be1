import { readFileSync } from "node:fs";
import { unzipSync } from "fflate";
import { messageOf, usageError } from "../errors.ts";
import { TRAINS } from "./versions.ts";

/** What one plugin needs that trains have dropped. */
export interface PluginNeeds {
  /** Class names by prefix, such as `com/amazonaws/` → `com/amazonaws/services/sns/AmazonSNS`. */
  references: ReadonlyMap<string, readonly string[]>;
  classes: number;
}

/**
 * Reads the class references of a plugin: of the bundle itself and of every zip and jar in it. Names that the plugin
 * brings along do not count. Throws a usage error for a file that is no zip.
 */
export function readPluginNeeds(path: string): PluginNeeds {
  const classes = new Map<string, Uint8Array>();
  try {
    collect(readFileSync(path), classes);
  } catch (cause) {
    throw usageError("bad-plugin", `${path} cannot be read as a plugin: ${messageOf(cause)}`, {
      hint: "it is the bundle that the plugin index names, a .zip",
      cause,
    });
  }
  if (classes.size === 0)
    throw usageError("bad-plugin", `${path} has no classes in it`, { hint: "is it a plugin's bundle?" });
  const prefixes = [...new Set(TRAINS.flatMap(({ gone }) => gone))];
  const references = new Map(prefixes.map((prefix) => [prefix, referencesOf(prefix, classes)] as const));
  return { references, classes: classes.size };
}

function collect(archive: Uint8Array, classes: Map<string, Uint8Array>): void {
  for (const [name, bytes] of Object.entries(unzipSync(archive))) {
    if (name.endsWith(".class")) classes.set(name.replace(/^classes\//, "").replace(/\.class$/, ""), bytes);
    else if (/\.(zip|jar)$/.test(name)) collect(bytes, classes);
  }
}

/** Class names stand as plain text in the constant pool (JVM specification, 4.4). */
function referencesOf(prefix: string, classes: ReadonlyMap<string, Uint8Array>): string[] {
  const pattern = new RegExp(`${prefix}[A-Za-z0-9_$/]+`, "g");
  const found = new Set<string>();
  for (const bytes of classes.values()) {
    for (const [name] of Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      .toString("latin1")
      .matchAll(pattern)) {
      if (!classes.has(name)) found.add(name);
    }
  }
  return [...found].toSorted();
}
