import type { Outcomes } from "./recent.ts";
import type { Status } from "./status.ts";

/** The status as one page: no script, no other request. */
export function statusPage(status: Status, now: number): string {
  const {
    mode,
    open,
    held,
    slow,
    events = [],
    agents = [],
    watched,
    latencies,
    last,
    missing,
    outcomes,
  } = status;
  const facts = [
    ["Ready", missing.length === 0 ? "yes" : `no: ${missing.join("; ")}`],
    ["Mode", mode],
    ["Topics", status.topics.join(", ")],
    ["Queues", status.queues.join(", ") || "none"],
    ["Since", `${duration(now - outcomes.since)}: ${countsOf(outcomes)}`],
    ["Being applied", open],
    ["Agents held", held],
    ["AWS calls saved a minute, at least", status.savedCallsPerMinute],
    ["Treated gently, since AWS throttles", slow.join(", ") || "none"],
    ["Health looked at", watched.join(", ") || "none"],
  ] as const;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="30">
<title>aec serve: ${html(missing.length === 0 ? "ready" : "not ready")}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>aec serve</h1>
<table>${facts.map(([name, value]) => `<tr><th scope="row">${html(name)}</th><td>${html(String(value))}</td></tr>`).join("\n")}</table>
${section(
  "Agents",
  ["Agent", "Held", "Every", "Why"],
  agents.map(({ agent, held: isHeld, everyMs, reason }) => [
    agent,
    isHeld ? "yes" : "no",
    everyMs === null ? "its own pace" : duration(everyMs),
    reason,
  ]),
)}
${section(
  "How fast events arrive",
  ["Account", "Region", "Kind", "Events", "95 of 100 within", "Proven", "First told by", "Told again by"],
  events.map(({ account, region, type, events: count, p95Ms, proven, sources }) => [
    account,
    region,
    type,
    count,
    duration(p95Ms),
    proven ? "yes" : "no",
    sources.map((one) => `${one.source} ${one.events}`).join(", "),
    sources.flatMap((one) => (one.duplicates > 0 ? [`${one.source} ${one.duplicates}`] : [])).join(", "),
  ]),
)}
${section(
  "From a change to the cache that shows it",
  ["Type", "Source", "Events", "Half within", "95 of 100 within"],
  latencies.map(({ type, source, events: count, p50Ms, p95Ms }) => [
    type,
    source,
    count,
    duration(p50Ms),
    duration(p95Ms),
  ]),
)}
${section(
  "Last events",
  ["Ago", "Account", "Region", "Type", "Name", "Source", "Outcome", "Took", "Why"],
  last.map(({ receivedAt, account, region, type, name, source, outcome, tookMs, reason }) => [
    duration(now - receivedAt),
    account,
    region,
    type,
    name,
    source,
    outcome,
    duration(tookMs),
    reason,
  ]),
)}
</body>
</html>
`;
}

const STYLE = `body{font:14px/1.4 system-ui,sans-serif;margin:2em;color:#222;background:#fff}
table{border-collapse:collapse;margin-bottom:2em}
th,td{text-align:left;padding:.2em .8em;border-bottom:1px solid #ddd;vertical-align:top}
@media(prefers-color-scheme:dark){body{color:#ddd;background:#111}th,td{border-color:#333}}`;

function section(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  if (rows.length === 0) return `<h2>${html(title)}</h2>\n<p>None yet.</p>`;
  const cells = (tag: string, values: readonly (string | number)[]) =>
    `<tr>${values.map((value) => `<${tag}>${html(String(value))}</${tag.split(" ")[0]}>`).join("")}</tr>`;
  return `<h2>${html(title)}</h2>
<table>
<thead>${cells('th scope="col"', columns)}</thead>
<tbody>
${rows.map((row) => cells("td", row)).join("\n")}
</tbody>
</table>`;
}

function duration(ms: number): string {
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${Math.round(ms / 60_000)} min`;
}

/** `340 applied, 20 ignored`. */
export function countsOf({ counts }: Outcomes): string {
  const told = Object.entries(counts).map(([outcome, count]) => `${count} ${outcome}`);
  return told.length > 0 ? told.join(", ") : "no message";
}

/** Names come from messages. */
function html(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
