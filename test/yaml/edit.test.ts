import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseDocument, stringify } from "yaml";
import { ExpectedError } from "../../src/errors.ts";
import { editYaml } from "../../src/yaml/edit.ts";
import type { ScalarValue, YamlEdits } from "../../src/yaml/edits.ts";
import { parseYaml, properties } from "../../src/yaml/parse.ts";

const edit = (text: string, edits: YamlEdits) => editYaml(parseYaml(text, "f.yml"), edits);
const set = (text: string, keys: string, value: ScalarValue) =>
  edit(text, { set: [{ keys: keys.split("/"), value }] });
const FIXTURES = join(import.meta.dirname, "..", "fixtures");

describe("set", () => {
  test.each([
    ["an empty file", "", "a:\n  b: 1\n"],
    ["comments only", "# hello\n", "# hello\na:\n  b: 1\n"],
    ["comments without a final newline", "# hello", "# hello\na:\n  b: 1"],
    ["a document start", "---\n", "---\na:\n  b: 1\n"],
    ["a new key at the end of its map", "a:\n  c: 2\nz: 1\n", "a:\n  c: 2\n  b: 1\nz: 1\n"],
    [
      "before comments that belong to what follows",
      "a:\n  c: 2\n# about z\nz: 1\n",
      "a:\n  c: 2\n  b: 1\n# about z\nz: 1\n",
    ],
    ["behind an end-of-line comment", "a:\n  c: 2 # two\n", "a:\n  c: 2 # two\n  b: 1\n"],
    ["four spaces", "x:\n    y: 1\na:\n    c: 2\n", "x:\n    y: 1\na:\n    c: 2\n    b: 1\n"],
    ["an indented root", "  a:\n    c: 2\n", "  a:\n    c: 2\n    b: 1\n"],
    ["a value in place", "a:\n  b: 7   # seven\n", "a:\n  b: 1   # seven\n"],
    ["a null map", "a:\nz: 1\n", "a:\n  b: 1\nz: 1\n"],
    ["a null map with a comment", "a: # later\nz: 1\n", "a: # later\n  b: 1\nz: 1\n"],
    ["a written null", "a: null # later\nz: 1\n", "a: # later\n  b: 1\nz: 1\n"],
    ["a tilde", "a: ~\n", "a:\n  b: 1\n"],
    ["an empty value in place", "a:\n  b:\n  c: 2\n", "a:\n  b: 1\n  c: 2\n"],
    ["dotted keys", "a.b: 7\n", "a.b: 1\n"],
    ["half-dotted keys", "a.x:\n  y: 2\na:\n  z: 1\n", "a.x:\n  y: 2\na:\n  z: 1\n  b: 1\n"],
    ["a flow map", "a: {c: 2}\n", "a: {c: 2, b: 1}\n"],
    ["a flow map with a trailing comma", "a: { c: 2, }\n", "a: { c: 2, b: 1 }\n"],
    ["an empty flow map", "a: {}\n", "a: {b: 1}\n"],
    ["an empty flow root", "{}\n", "{a: {b: 1}}\n"],
    ["Windows line ends", "a:\r\n  c: 2\r\n", "a:\r\n  c: 2\r\n  b: 1\r\n"],
    ["no final newline", "a:\n  c: 2", "a:\n  c: 2\n  b: 1"],
    ["a byte order mark", "\uFEFFa:\n  c: 2\n", "\uFEFFa:\n  c: 2\n  b: 1\n"],
    ["after a block scalar", "a:\n  c: |\n    text\n\nz: 1\n", "a:\n  c: |\n    text\n  b: 1\n\nz: 1\n"],
    ["after a list", "a:\n  c:\n  - 1\n  - 2\nz: 1\n", "a:\n  c:\n  - 1\n  - 2\n  b: 1\nz: 1\n"],
    ["both spellings of one property", "a.b: 7\na:\n  b: 8\n", "a.b: 1\na:\n  b: 1\n"],
  ])("%s", (_, before, after) => {
    expect(set(before, "a/b", 1)).toBe(after);
    expect(set(after, "a/b", 1)).toBe(after);
  });

  test("kebab and camel case are one property", () => {
    expect(set("redis.poll.interval-seconds: 30\n", "redis/poll/intervalSeconds", 60)).toBe(
      "redis.poll.interval-seconds: 60\n",
    );
  });

  test("keeps the quotes of the value that it replaces", () => {
    expect(set("v: '1.0' # pinned\n", "v", "2.0")).toBe("v: '2.0' # pinned\n");
    expect(set('v: "1.0"\n', "v", "2.0")).toBe('v: "2.0"\n');
    expect(set("v: 1.0.0\n", "v", "2.0")).toBe('v: "2.0"\n');
  });

  test("several places at once, the inner before the outer where they end on one line", () => {
    const edits = {
      set: [
        { keys: ["a", "other", "x"], value: 1 },
        { keys: ["a", "b", "k"], value: 2 },
      ],
    };
    expect(edit("a:\n  b:\n    m: 1\n", edits)).toBe("a:\n  b:\n    m: 1\n    k: 2\n  other:\n    x: 1\n");
  });

  test.each([
    "spring.profiles: test\na: {b: 1}\n---\na:\n  c: 2\n",
    "spring:\n  config:\n    activate:\n      on-profile: [test, qa]\n---\na:\n  c: 2\n",
    "spring.config.activate.onCloudPlatform: kubernetes\n---\na:\n  c: 2\n",
  ])("a document that needs a profile or platform is not the one: %j", (text) => {
    expect(set(text, "a/d", 3)).toBe(`${text}  d: 3\n`);
  });

  test("the document without a profile, and the others stay", () => {
    const text = readFileSync(join(FIXTURES, "profile-20-multi-doc.yml"), "utf8");
    expect(set(text, "redis/poll/intervalSeconds", 45)).toBe(
      text.replace("intervalSeconds: 30", "intervalSeconds: 45"),
    );
  });
});

describe("remove", () => {
  const remove = (text: string, ...paths: string[]) =>
    edit(text, { remove: paths.map((path) => path.split("/")) });
  test.each([
    ["a key", "a:\n  b: 1\n  c: 2\n", "a:\n  c: 2\n"],
    ["the last key takes its parents along", "x: 1\na:\n  b:\n    c: 2\n", "x: 1\n"],
    ["but not their comments", "x: 1\n# about a\na:\n  b: 2\n", "x: 1\n# about a\n"],
    ["in a flow map", "a: {b: 1, c: 2}\n", "a: {c: 2}\n"],
    ["the only key of a flow root", "{a: {b: 1}}\n", "{}\n"],
    ["at the end of a flow map", "a: {c: 2, b: 1}\n", "a: {c: 2}\n"],
    ["a dotted key", "a.b: 1\nc: 2\n", "c: 2\n"],
    ["with Windows line ends", "a:\r\n  b: 1\r\nc: 2\r\n", "c: 2\r\n"],
    ["behind a byte order mark", "\uFEFFa:\n  b: 1\nc: 2\n", "\uFEFFc: 2\n"],
    ["what is not there", "c: 2\n", "c: 2\n"],
  ])("%s", (_, before, after) => {
    expect(remove(before, "a/b")).toBe(after);
  });

  test("neighbours in a flow map go in one cut", () => {
    expect(remove("a: {x: 1, b: 1, c: 2}\n", "a/b", "a/c")).toBe("a: {x: 1}\n");
    expect(remove("a: {b: 1, c: 2, x: 1}\n", "a/b", "a/c")).toBe("a: {x: 1}\n");
    expect(remove("a: {b: 1, x: 1, c: 2}\n", "a/b", "a/c")).toBe("a: {x: 1}\n");
  });

  test("a parent with somebody's comments in it stays, empty", () => {
    const text = "s: # ours\n  # keep\n  e:\n    p:\n      x: 1\nz: 1\n";
    expect(remove(text, "s/e/p/x")).toBe("s: # ours\n  # keep\nz: 1\n");
  });

  test("two subtrees that together empty their parent", () => {
    expect(remove("s:\n  e:\n    p:\n      x: 1\n    r:\n      y: 2\nz: 1\n", "s/e/p/x", "s/e/r/y")).toBe(
      "z: 1\n",
    );
  });
});

describe("refusals name file, line and column", () => {
  test.each([
    ["a: 1\na: 2\n", /^f\.yml:2:1: invalid YAML: Map keys must be unique/],
    ["- a\n", /^f\.yml:1:1: the root is not a map/],
    ["a: text\n", /^f\.yml:1:4: a\.b cannot be set: a holds the value "text"/],
    ["a: [1]\n", /^f\.yml:1:4: a\.b cannot be set: a holds a list/],
    ["a:\n  b: {c: 1}\n", /^f\.yml:2:6: a\.b should be a single value/],
    ["x: &x {c: 1}\na: *x\n", /^f\.yml:2:4: .*alias \*x/],
    ["x: &x\n  c: 1\na:\n  <<: *x\n  b: &y 2\nz: *y\n", /cannot be edited safely: z would change too/],
    ["a: &a {b: *a}\n", /^f\.yml:1:11: an alias stands inside its own anchor/],
    ["a:\n\tb: 1\n", /^f\.yml:\d+:\d+: invalid YAML/],
  ])("%j", (text, message) => {
    expect(() => set(text, "a/b", 1)).toThrow(ExpectedError);
    expect(() => set(text, "a/b", 1)).toThrow(message);
  });
});

const fixtures = readdirSync(FIXTURES).filter((name) => name.startsWith("profile-"));

describe("the profiles found in the wild", () => {
  test.each(fixtures)(
    "%s: editing nothing changes nothing; an edit adds lines and changes no other, or is refused",
    (name) => {
      const text = readFileSync(join(FIXTURES, name), "utf8");
      let file: ReturnType<typeof parseYaml>;
      try {
        file = parseYaml(text, name);
      } catch (error) {
        expect(error).toBeInstanceOf(ExpectedError);
        return;
      }
      expect(editYaml(file, {})).toBe(text);
      const edited = editYaml(file, { set: [{ keys: ["contract", "probe"], value: "x" }] });
      expect(editYaml(parseYaml(edited, name), { remove: [["contract", "probe"]] }).trimEnd()).toBe(
        text.trimEnd(),
      );
      for (const line of text.split(/\r?\n/)) expect(edited).toContain(line);
    },
  );
});

const key = fc.stringMatching(/^[a-z][a-zA-Z0-9]{0,5}$/);
const scalar = fc.oneof(
  fc.integer(),
  fc.boolean(),
  fc.constantFrom(
    "plain",
    "with: colon",
    "$\u007ba.b:c}",
    "{cipher}00ff",
    "0.2.1",
    "",
    "# no comment",
    "012",
  ),
);
const { map: tree } = fc.letrec<{ node: unknown; map: Record<string, unknown> }>((tie) => ({
  node: fc.oneof({ maxDepth: 3 }, scalar, fc.array(scalar, { maxLength: 3 }), tie("map")),
  map: fc.dictionary(key, tie("node"), { maxKeys: 4 }),
}));
/** Texts of one meaning in many shapes: indentation, comments, flow style, line ends, byte order mark. */
const profile = fc
  .record({
    data: tree,
    indent: fc.constantFrom(2, 3, 4),
    indentSeq: fc.boolean(),
    flow: fc.boolean(),
    comment: fc.boolean(),
    crlf: fc.boolean(),
    bom: fc.boolean(),
    final: fc.boolean(),
  })
  .map(({ data, indent, indentSeq, flow, comment, crlf, bom, final }) => {
    const body = stringify(data, {
      indent,
      indentSeq,
      lineWidth: 0,
      ...(flow && { collectionStyle: "flow" as const }),
    });
    const commented =
      comment && !flow ? body.replaceAll(/^([a-z]\w*: [^|>&"'\n]*[^|>\s-])$/gm, "$1   # note\n# line") : body;
    const text = final ? commented : commented.replace(/\n$/, "");
    return (bom ? "\uFEFF" : "") + (crlf ? text.replaceAll("\n", "\r\n") : text);
  });
const path = fc.array(key, { minLength: 1, maxLength: 4 });

/** Runs an edit; a refusal is an answer too. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof ExpectedError) return undefined;
    throw error;
  }
}

describe("properties of every edit", () => {
  test("editing nothing changes no byte", () => {
    fc.assert(fc.property(profile, (text) => edit(text, {}) === text));
  });

  test("only the intended property changes; what was there stays, byte for byte, in order", () => {
    fc.assert(
      fc.property(profile, path, scalar, (text, keys, value) => {
        const edited = attempt(() => edit(text, { set: [{ keys, value }] }));
        if (edited === undefined) return;
        const after = properties(parseYaml(edited, "f"));
        const name = keys.join(".");
        expect(after.find((property) => property.keys.join(".") === name)?.value).toBe(value);
        const rest = (list: typeof after) =>
          list
            .map((property) => [property.keys.join("."), property.value] as const)
            .filter(([other, found]) => other !== name && !(name.startsWith(`${other}.`) && isHollow(found)));
        expect(rest(after)).toEqual(rest(properties(parseYaml(text, "f"))));
        expect(edited.startsWith("\uFEFF")).toBe(text.startsWith("\uFEFF"));
        if (text.includes("\r\n")) expect(edited.replaceAll("\r\n", "")).not.toContain("\n");
        expect(parseDocument(edited).errors).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  test("setting twice is setting once", () => {
    fc.assert(
      fc.property(profile, path, scalar, (text, keys, value) => {
        const once = attempt(() => edit(text, { set: [{ keys, value }] }));
        if (once !== undefined) expect(edit(once, { set: [{ keys, value }] })).toBe(once);
      }),
    );
  });

  test("what was added can be taken away again, to the byte", () => {
    fc.assert(
      fc.property(profile, scalar, (text, value) => {
        const keys = ["Added", "by", "aec"];
        const added = attempt(() => edit(text, { set: [{ keys, value }] }));
        if (added === undefined || /^\uFEFF?\s*\{/.test(text)) return;
        expect(edit(added, { remove: [keys] }).replace(/\r?\n$/, "")).toBe(text.replace(/\r?\n$/, ""));
      }),
    );
  });
});

function isHollow(value: unknown): boolean {
  return value === null || (typeof value === "object" && Object.keys(value).length === 0);
}
