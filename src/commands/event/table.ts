import { agentsOf, GLOBAL_REGION, isGlobal, type ResourceType } from "../../agents/kinds.ts";
import { type At, type Row, TABLE } from "../../events/table.ts";
import type { CommandResult } from "../../output/output.ts";

/** `aec event explain --table`: every kind of event that `serve` knows, and what it does about it. */
export function run(): CommandResult {
  const rows = TABLE.map((row) => {
    const { source, event, kind } = row;
    return {
      source,
      event,
      ...(row.calls && { calls: row.calls }),
      kind: kind ?? null,
      scope: kind === undefined ? null : isGlobal(kind) ? "account" : "region",
      name: row.name.map(nameText),
      agents: kind === undefined ? [] : agentsOf(placeOf(kind)),
      ignored: ignoredWhen(row),
    };
  });
  return {
    data: { rows },
    text: () => rows.map(rowText).join("\n"),
  };
}

interface PrintedRow {
  source: string;
  event: string;
  calls?: readonly string[];
  kind: string | null;
  name: readonly string[];
  agents: readonly string[];
  ignored: readonly string[];
}

function rowText({ source, event, calls, kind, name, agents, ignored }: PrintedRow): string {
  return [
    `${source.padEnd(10)} ${event}${kind === null ? "" : `  →  ${kind}`}`,
    ...(calls ? [`           calls    ${calls.join(", ")}`] : []),
    ...(kind === null ? [] : [`           named by ${name.join(", else ")}`]),
    ...agents.map((agent) => `           runs     ${agent}`),
    ...ignored.map((reason) => `           not if   ${reason}`),
  ].join("\n");
}

const placeOf = (type: ResourceType) => ({
  type,
  account: "ACCOUNT",
  region: isGlobal(type) ? GLOBAL_REGION : "REGION",
});

function nameText(at: At): string {
  if (at === "*") return "all of the kind";
  return typeof at === "string" ? at : `${at.at} ~ ${at.match.source.replaceAll("\\/", "/")}`;
}

/** What holds for all rows of a source is told by each of them: a row is read alone. */
function ignoredWhen(row: Row): string[] {
  if (row.nothing !== undefined) return [`ever: ${row.nothing}`];
  return [
    ...(row.skips ?? []).map(({ because }) => because),
    ...(row.relationshipsMeanNothing ? ["only relationships changed"] : []),
    ...(row.source === "cloudtrail" ? ["the call failed"] : []),
    ...(row.source === "config" ? ["an older configurationStateId than applied"] : []),
  ];
}
