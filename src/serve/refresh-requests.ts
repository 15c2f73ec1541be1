import { randomUUID } from "node:crypto";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { RESOURCE_TYPES } from "../agents/kinds.ts";
import type { Clock } from "../clock.ts";
import type { Account } from "../clouddriver/accounts.ts";
import type { Clouddriver } from "../clouddriver/client.ts";
import { ExpectedError, messageOf } from "../errors.ts";
import { fields } from "../events/fields.ts";
import { type WorkItem, workItems } from "../refresh/items.ts";
import type { ItemResult } from "../refresh/refresh.ts";
import { isGood } from "../refresh/verdict.ts";

/** What `POST /refresh` takes: the arguments of `aec refresh`; an empty field of a form says nothing. */
const requestSchema = z.preprocess(
  withoutEmpty,
  z.strictObject({
    account: z.string().min(1).max(200),
    region: z.string().max(100).optional(),
    type: z.enum(RESOURCE_TYPES as [string, ...string[]]).optional(),
    provider: z.enum(["aws", "ecs"]).optional(),
    /** A list, or comma-separated as a form field of a pipeline gives it. */
    names: z
      .union([z.array(z.string().min(1).max(300)).max(100), z.string().max(10_000)])
      .default([])
      .transform((names) => (Array.isArray(names) ? names : names.split(",")).map((name) => name.trim()))
      .transform((names) => names.filter((name) => name !== "")),
  }),
);

function withoutEmpty(body: unknown): unknown {
  const asked = fields(body);
  return asked ? Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== "")) : body;
}

/** One request and how far it is; `status` in the words that Orca knows. */
export interface RefreshRequest {
  id: string;
  status: "RUNNING" | "SUCCEEDED" | "TERMINAL";
  items: readonly ItemResult[];
  error?: string;
}

export interface RefreshRequests {
  /** Starts what a body asks for; waits for it for a while. Throws a text for the asker where it cannot be. */
  start(body: unknown): Promise<RefreshRequest>;
  find(id: string): RefreshRequest | undefined;
}

const MAX_REMEMBERED = 1_000;
const MAX_RUNNING = 20;
/** Orca gives up on an answer after 20 s or later. */
const ANSWER_WITHIN_MS = 10_000;

export function createRefreshRequests({
  accounts,
  clouddriver,
  refresh,
  clock,
  signal,
}: {
  accounts(): Promise<Account[]>;
  clouddriver: Pick<Clouddriver, "executions">;
  refresh(items: readonly WorkItem[]): Promise<ItemResult[]>;
  clock: Clock;
  signal: AbortSignal;
}): RefreshRequests {
  const requests = new LRUCache<string, RefreshRequest>({ max: MAX_REMEMBERED });
  let running = 0;

  const run = async (id: string, items: readonly WorkItem[]): Promise<void> => {
    running += 1;
    try {
      const results = await refresh(items);
      const status = results.every(({ verdict }) => isGood(verdict)) ? "SUCCEEDED" : "TERMINAL";
      requests.set(id, { id, status, items: results });
    } catch (error) {
      requests.set(id, { id, status: "TERMINAL", items: [], error: messageOf(error) });
    } finally {
      running -= 1;
    }
  };

  return {
    async start(body) {
      const parsed = requestSchema.safeParse(body);
      if (!parsed.success) throw new BadRequest(z.prettifyError(parsed.error));
      if (running >= MAX_RUNNING) throw new BadRequest("too many refreshes are under way");
      const { names, account, region, type, provider } = parsed.data;
      const { byAgent } = await clouddriver.executions();
      const args = { names, account, region, provider, type: type as WorkItem["type"] | undefined };
      let items: WorkItem[];
      try {
        items = workItems(args, await accounts(), new Set(byAgent.keys()));
      } catch (error) {
        if (!(error instanceof ExpectedError)) throw error;
        throw new BadRequest([error.message, error.hint].filter(Boolean).join("; "));
      }
      const id = randomUUID();
      requests.set(id, { id, status: "RUNNING", items: [] });
      const done = new AbortController();
      const wait = clock.sleep(ANSWER_WITHIN_MS, AbortSignal.any([done.signal, signal])).catch(() => {});
      await Promise.race([run(id, items), wait]);
      done.abort();
      return requests.get(id) ?? { id, status: "RUNNING", items: [] };
    },
    find: (id) => requests.get(id),
  };
}

/** What was asked for cannot be; the message is for the asker. */
export class BadRequest extends Error {}
