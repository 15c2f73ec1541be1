import { randomUUID } from "node:crypto";
import { LRUCache } from "lru-cache";
import { z } from "zod";
import { RESOURCE_TYPES } from "../../agents/kinds.ts";
import type { LockStore } from "../../agents/stores/store.ts";
import { childSignal } from "../../child-signal.ts";
import type { Clock } from "../../clock.ts";
import type { Account } from "../../clouddriver/accounts.ts";
import type { Clouddriver } from "../../clouddriver/client.ts";
import { EXIT, ExpectedError, messageOf } from "../../errors.ts";
import { fields } from "../../events/fields.ts";
import { type WorkItem, workItems } from "../../refresh/items.ts";
import type { ItemResult } from "../../refresh/refresh.ts";
import { isGood } from "../../refresh/verdict.ts";

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

type Asked = z.infer<typeof requestSchema>;

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
  find(id: string): Promise<RefreshRequest | undefined>;
}

const MAX_REMEMBERED = 1_000;
const MAX_RUNNING = 20;
/** Long enough for whoever polls. */
const SHARED_MS = 3_600_000;
/** Orca gives up on an answer after 20 s or later. */
const ANSWER_WITHIN_MS = 10_000;

export function createRefreshRequests({
  accounts,
  clouddriver,
  refresh,
  clock,
  signal,
  shared,
}: {
  accounts(): Promise<Account[]>;
  clouddriver: Pick<Clouddriver, "executions">;
  refresh(items: readonly WorkItem[]): Promise<ItemResult[]>;
  clock: Clock;
  signal: AbortSignal;
  /** Where the next question may come to another replica. */
  shared: Pick<LockStore, "remember" | "recall"> | undefined;
}): RefreshRequests {
  const requests = new LRUCache<string, RefreshRequest>({ max: MAX_REMEMBERED });
  let running = 0;

  const keep = async (request: RefreshRequest): Promise<void> => {
    requests.set(request.id, request);
    // One replica knows it in any case.
    await shared?.remember(`aec:refresh/${request.id}`, JSON.stringify(request), SHARED_MS).catch(() => {});
  };
  const run = async (id: string, items: readonly WorkItem[]): Promise<void> => {
    try {
      const results = await refresh(items);
      const status = results.every(({ verdict }) => isGood(verdict)) ? "SUCCEEDED" : "TERMINAL";
      await keep({ id, status, items: results });
    } catch (error) {
      await keep({ id, status: "TERMINAL", items: [], error: messageOf(error) });
    }
  };

  const itemsOf = async ({ names, account, region, type, provider }: Asked): Promise<WorkItem[]> => {
    const { byAgent } = await clouddriver.executions();
    const args = { names, account, region, provider, type: type as WorkItem["type"] | undefined };
    try {
      return workItems(args, await accounts(), new Set(byAgent.keys()));
    } catch (error) {
      if (!(error instanceof ExpectedError) || error.exit !== EXIT.usage) throw error;
      throw new BadRequest([error.message, error.hint].filter(Boolean).join("; "));
    }
  };

  return {
    async start(body) {
      const parsed = requestSchema.safeParse(body);
      if (!parsed.success) throw new BadRequest(z.prettifyError(parsed.error));
      if (running >= MAX_RUNNING) throw new Error("too many refreshes are under way");
      running += 1;
      const request: RefreshRequest = { id: randomUUID(), status: "RUNNING", items: [] };
      const begun = itemsOf(parsed.data).then(async (items) => {
        await keep(request);
        return { finished: run(request.id, items) };
      });
      void begun
        .then(({ finished }) => finished)
        .catch(() => {})
        .finally(() => {
          running -= 1;
        });
      const { finished } = await begun;
      const late = childSignal(signal);
      await Promise.race([finished, clock.sleep(ANSWER_WITHIN_MS, late.signal).catch(() => {})]);
      late.end();
      return requests.get(request.id) ?? request;
    },
    async find(id) {
      const known = requests.get(id);
      if (known) return known;
      const text = await shared?.recall(`aec:refresh/${id}`).catch(() => undefined);
      return text === undefined ? undefined : (JSON.parse(text) as RefreshRequest);
    },
  };
}

/** What was asked for cannot be; the message is for the asker. */
export class BadRequest extends Error {}
