import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Parsed } from "../../src/events/event.ts";
import { parseEvent } from "../../src/events/parse.ts";
import { callRow, configRow, serviceRow, TABLE } from "../../src/events/table.ts";

interface Example {
  about: string;
  message: Record<string, unknown>;
  /** Part of what is read, or of the reason why it is ignored. */
  expect: object | string;
}

/** One message of each documented shape, with values of our own. */
const EXAMPLES: Example[] = readFileSync(new URL("../fixtures/events.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

describe("example messages", () => {
  test.each(EXAMPLES.map((example) => [example.about, example] as const))("%s", (_, example) => {
    const parsed = parseEvent(JSON.stringify(example.message));
    if (typeof example.expect === "string") {
      expect((parsed as { ignored?: string }).ignored).toContain(example.expect);
    } else {
      expect(parsed).toMatchObject({ awsAccountId: "012345678901", ...example.expect });
      const facts = "facts" in example.expect ? (example.expect.facts as { gone?: boolean }) : undefined;
      if (facts) expect((parsed as Parsed & { facts: typeof facts }).facts.gone).toBe(facts.gone);
      if (!("source" in example.expect && example.expect.source === "cloudtrail"))
        expect((parsed as { at: number }).at).toBe(Date.UTC(2026, 10, 21, 10));
    }
  });

  test("there is one for each row of the table", () => {
    const used = new Set(EXAMPLES.map(({ message }) => rowOf(message)));
    expect(TABLE.filter((row) => !used.has(row)).map(({ source, event }) => `${source} ${event}`)).toEqual(
      [],
    );
  });

  test("no call and no type stands in two rows", () => {
    const calls = TABLE.flatMap(({ event, calls = [] }) => calls.map((call) => `${event} ${call}`));
    expect(calls.length).toBe(new Set(calls).size);
    const others = TABLE.flatMap(({ source, from, event, calls }) =>
      calls ? [] : [`${source} ${from} ${event}`],
    );
    expect(others.length).toBe(new Set(others).size);
  });
});

function rowOf(message: Record<string, unknown>) {
  const item = (message.configurationItem ?? message.configurationItemSummary) as { resourceType: string };
  if (item) return configRow(item.resourceType);
  const detail = message.detail as { eventSource?: string; eventName?: string } | undefined;
  return (
    callRow(detail?.eventSource ?? "", detail?.eventName ?? "") ??
    serviceRow(String(message.source), String(message["detail-type"]))
  );
}
