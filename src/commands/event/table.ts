import { agentsOf, GLOBAL_REGION, isGlobal, type ResourceType } from "../../agents/kinds.ts";
import { type At, type Row, TABLE } from "../../events/table.ts";
import type { CommandResult } from "../../output/output.ts";

/** Whatever the kind of event. */
const ALWAYS = [
  "what no Spinnaker account of the provider looks at: its AWS account, and its Region",
  "what is older than something applied: by AWS's time, or by configurationStateId",
  "what a pass that began ten seconds after the change has seen, unless the cache contradicts the event",
];

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
    data: { rows, ignored: ALWAYS },
    text: () => [...rows.map(rowText), ...ALWAYS.map((reason) => `never      ${reason}`)].join("\n"),
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

function ignoredWhen(row: Row): string[] {
  if (row.nothing !== undefined) return [`ever: ${row.nothing}`];
  return [
    ...(row.skips ?? []).map(({ because }) => because),
    ...(row.relationshipsMeanNothing ? ["only relationships changed"] : []),
    ...(row.source === "cloudtrail" ? ["the call failed"] : []),
  ];
}
