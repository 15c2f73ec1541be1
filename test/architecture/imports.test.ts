import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const SRC = resolve(import.meta.dirname, "../../src");

interface Import {
  /** Path below src without its ending, or the package's name. */
  target: string;
  kind: "static" | "dynamic" | "type";
}

/** Every module below src, by its path without ending, with what it imports. */
const modules = new Map(
  readdirSync(SRC, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"))
    .map((path) => [path.replace(/\.ts$/, ""), imports(join(SRC, path))] as const),
);

function imports(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const found: Import[] = [];
  const add = (specifier: string | undefined, kind: Import["kind"]) => {
    if (!specifier) return;
    const target = specifier.startsWith(".")
      ? relative(SRC, resolve(dirname(file), specifier)).replace(/\.ts$/, "")
      : specifier;
    found.push({ target, kind });
  };
  for (const [, type, , specifier] of text.matchAll(
    /^(?:import|export) (type )?([^;"']*? from )?"([^"]+)";/gms,
  )) {
    add(specifier, type ? "type" : "static");
  }
  for (const [, specifier] of text.matchAll(/[^f] import\("([^"]+)"\)/g)) add(specifier, "dynamic");
  for (const [, specifier] of text.matchAll(/require\("([a-z@][^"]*)"\)/g)) add(specifier, "static");
  return found;
}

const importsOf = (module: string) => modules.get(module) ?? [];
const folderOf = (module: string) => (module.includes("/") ? (module.split("/")[0] ?? "") : "");
const within = (folder: string) => [...modules.keys()].filter((module) => module.startsWith(`${folder}/`));

/** Everything that loads with a module: static imports, transitively. */
function loadedWith(entry: string): Set<string> {
  const seen = new Set<string>();
  const visit = (module: string) => {
    if (seen.has(module)) return;
    seen.add(module);
    for (const { target, kind } of importsOf(module)) if (kind === "static") visit(target);
  };
  visit(entry);
  return seen;
}

test("the reader of imports sees them", () => {
  expect(importsOf("main").map(({ target }) => target)).toEqual(
    expect.arrayContaining(["errors", "program", "context"]),
  );
  expect(modules.size).toBeGreaterThan(50);
});

describe("what may import what", () => {
  test("only src/aws imports the AWS SDK", () => {
    const users = [...modules].filter(([, list]) =>
      list.some(({ target }) => target.startsWith("@aws-sdk/")),
    );
    expect(users.map(([module]) => folderOf(module)).filter((folder) => folder !== "aws")).toEqual([]);
  });

  test("only src/agents/stores imports a database client", () => {
    const users = [...modules].filter(([, list]) =>
      list.some(({ target }) => /^(ioredis|mysql2|pg)/.test(target)),
    );
    expect(users.map(([module]) => module).toSorted()).toEqual(
      ["mysql", "postgres", "redis"].map((name) => `agents/stores/${name}`),
    );
  });

  test.each(["aws", "clouddriver", "yaml", "events", "output", "config", "sns", "rules", "recorder"])(
    "src/%s knows no command and no server",
    (folder) => {
      const forbidden = ["commands", "serve", "sandbox", "demo"];
      for (const module of within(folder)) {
        expect(importsOf(module).filter(({ target }) => forbidden.includes(folderOf(target)))).toEqual([]);
      }
    },
  );

  test("adapters know nothing of each other", () => {
    const adapters = ["aws", "clouddriver", "agents/stores"];
    for (const adapter of adapters) {
      const others = adapters.filter((other) => other !== adapter);
      for (const module of within(adapter)) {
        const crossing = importsOf(module).filter(
          ({ target, kind }) => kind !== "type" && others.some((other) => target.startsWith(`${other}/`)),
        );
        expect(crossing, module).toEqual([]);
      }
    }
  });

  test("the sandbox stands alone, but for the clock and the texts of the scripts that its Redis knows", () => {
    const allowed = new Set(["clock", "agents/stores/redis-scripts", "agents/stores/store"]);
    for (const module of within("sandbox")) {
      const strangers = importsOf(module).filter(
        ({ target }) => modules.has(target) && !target.startsWith("sandbox/"),
      );
      expect(
        strangers.filter(({ target }) => !allowed.has(target)),
        module,
      ).toEqual([]);
    }
  });

  test("only the demo imports the sandbox", () => {
    const users = [...modules].filter(
      ([module, list]) =>
        !module.startsWith("sandbox/") && list.some(({ target }) => target.startsWith("sandbox/")),
    );
    for (const [module] of users) expect(module).toMatch(/^(demo\/|commands\/demo)/);
  });
});

describe("pure modules", () => {
  const pure = [
    "agents/idle",
    "agents/kinds",
    "events/api-call",
    "events/config-item",
    "events/decide",
    "events/envelope",
    "events/event",
    "events/message",
    "events/signing-host",
    "install/plugin",
    "install/profile",
    "install/target",
    "install/versions",
    "recorder/plan",
    "refresh/verdict",
    "rules/plan",
    "rules/rules",
    "serve/running/facts",
    "sns/attributes",
    "sns/filter",
    "sns/plan",
    "sns/policy",
    "sns/topology",
    "yaml/check",
    "yaml/edit",
    "yaml/parse",
  ];
  test.each(pure)("%s does no I/O and reads no clock", (module) => {
    const file = join(SRC, `${module}.ts`);
    const text = readFileSync(file, "utf8");
    expect(text).not.toMatch(/Date\.now\(|new Date\(\)|process\.|fetch\(|setTimeout/);
    const io = importsOf(module).filter(
      ({ target, kind }) => kind !== "type" && /^(node:(?!util)|ioredis|@aws-sdk|pino)/.test(target),
    );
    expect(io).toEqual([]);
  });
});

describe("start-up", () => {
  test("--help loads commander alone", () => {
    const packages = [...loadedWith("main")].filter(
      (module) => !modules.has(module) && !module.startsWith("node:"),
    );
    expect(packages).toEqual(["commander"]);
  });

  test.each([
    ["commands/polling/get", /@aws-sdk|ioredis|pino|inquirer|ora/],
    ["commands/install", /@aws-sdk|ioredis|pino|inquirer|ora/],
    ["commands/sns/status", /client-(sqs|config|ec2|ecs)|ioredis|pino|inquirer|yaml|zod/],
    ["commands/refresh", /@aws-sdk|ioredis|pino|inquirer/],
  ])("%s loads nothing that it may not need", (command, unwanted) => {
    expect([...loadedWith(command)].filter((module) => unwanted.test(module))).toEqual([]);
  });
});

test("no module exports what another one holds: a name has one home", () => {
  for (const [module] of modules) {
    const text = readFileSync(join(SRC, `${module}.ts`), "utf8");
    expect(text, module).not.toMatch(/^export .* from "/m);
    expect(text, module).not.toMatch(/^export default/m);
  }
});

test("docs/architecture.md tells of every folder, and of none that is not there", () => {
  const page = readFileSync(join(SRC, "../docs/architecture.md"), "utf8");
  const told = [...page.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([a-z-]+)`/g)].map(([, folder]) => folder),
  );
  const there = readdirSync(SRC, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [entry.name] : [],
  );
  expect(told.toSorted()).toEqual(there.toSorted());
});
