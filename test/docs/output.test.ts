import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryDirectory } from "../helpers/aec.ts";
import { makeHalyard } from "../helpers/halyard.ts";
import { serve, testSite } from "../helpers/site.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/output.md"), "utf8");
/** Top-level fields by command: those before the first bracket, and between brackets. */
const documented = new Map(
  [...page.matchAll(/^\| (`.*`) \| (.*) \|$/gm)].flatMap(([, commands = "", cell = ""]) => {
    const always = cell.replaceAll(/\([^)]*\)/g, "").replace(/;.*$/, "");
    const fields = [...always.matchAll(/`([^`]+)`/g)].map(([, field]) => field);
    return [...commands.matchAll(/`([^`]+)`/g)].map(([, command = ""]) => [command, fields] as const);
  }),
);

/** In an order in which each finds what it needs. */
const LINES: readonly (readonly [command: string, argv: string])[] = [
  ["init", "init --dry-run --yes"],
  ["install", "install --halyard --dry-run"],
  ["install --print", "install --print"],
  ["install --verify", "install --verify --gate-url http://127.0.0.1:1"],
  ["uninstall", "uninstall --halyard --dry-run"],
  ["compat", "compat 1.30.1"],
  ["polling get", "polling get"],
  ["polling set", "polling set --halyard --interval 60s --dry-run"],
  ["polling set --live", "polling set --live --agents x/** --interval 5m --for 1h"],
  ["polling hold", "polling hold x/** --for 1h"],
  ["polling release", "polling release"],
  ["sns create", "sns create --endpoint NOTIFY --yes"],
  ["sns status", "sns status"],
  ["sns test", "sns test"],
  ["sns redrive", "sns redrive --yes"],
  ["recorder enable", "recorder enable --bucket b --yes"],
  ["recorder status", "recorder status"],
  ["events enable", "events enable --yes"],
  ["events status", "events status"],
  ["doctor", "doctor"],
  ["doctor --fix", "doctor --fix"],
  ["status", "status"],
  ["status --settings", "status --settings"],
  ["events disable", "events disable --yes"],
  ["recorder disable", "recorder disable --yes"],
  ["sns delete", "sns delete --yes"],
  ["iam", "iam serve"],
  ["iam --check", "iam serve --check"],
  ["iam --trust", "iam --trust arn:aws:iam::012345678901:role/aec"],
  ["refresh", "refresh --account prod --type server-group"],
  ["refresh --audit", "refresh --account prod --audit"],
  ["event explain", "event explain message.json"],
  ["event explain --table", "event explain --table"],
  ["agents list", "agents list"],
  ["agents run", "agents run prod/us-east-1/AmazonVpcCachingAgent"],
  ["agents free", "agents free --yes"],
  ["manifests --webhook-stage", "manifests --webhook-stage"],
  ["budget", "budget"],
  ["completion", "completion bash"],
];

test("docs/output.md lists the fields that each command prints, and no others", async () => {
  const site = await testSite();
  const home = temporaryDirectory();
  makeHalyard(home);
  writeFileSync(join(home, "message.json"), "{}");
  const serving = await serve(site, [], { env: { AEC_SERVE_TOKEN: "t" } });
  const env = { AEC_SERVE_TOKEN: "t", AEC_SERVE_URL: serving.admin };
  const printed = new Map<string, string[]>();
  for (const [command, line] of LINES) {
    const argv = line.split(" ").map((word) => (word === "NOTIFY" ? serving.notify : word));
    const { json, stdout } = await site.aec([...argv, "-o", "json"], { home, cwd: home, env });
    expect(stdout, line).not.toContain('{"error"');
    printed.set(command, Object.keys(json()).toSorted());
  }
  const listed = [...documented].map(([command, fields]) => [command, fields.toSorted()] as const);
  expect(Object.fromEntries(printed)).toEqual(Object.fromEntries(listed));
});
