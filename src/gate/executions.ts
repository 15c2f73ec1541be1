import { z } from "zod";
import type { Reads } from "../clouddriver/reads.ts";

/** A server group that a running stage works on. */
export interface RunningGroup {
  provider: "aws" | "ecs";
  account: string;
  region: string;
  name: string;
}

/** Older ones wait for somebody. */
const WITHIN_MS = 6 * 3_600_000;
const MOST = 100;

const text = z.string().optional().catch(undefined);
/** As far as it tells of server groups; any stage may write anything into its context. */
const stageSchema = z.object({
  status: z.literal("RUNNING"),
  context: z.object({
    account: text,
    credentials: text,
    cloudProvider: text,
    region: text,
    serverGroupName: text,
    /** By Region, of stages that make groups. */
    "deploy.server.groups": z.record(z.string(), z.array(z.string())).optional().catch(undefined),
  }),
});
type Stage = z.output<typeof stageSchema>;
const executionSchema = z.object({ stages: z.array(z.unknown()) });

/**
 * The groups that running stages of pipelines make or change, as Gate tells of them (`GET
 * /applications/{application}/executions/search`, whose `*` stands for all; where Fiat is on only an admin's login may
 * ask so). Operations that somebody starts by hand are no pipelines: Orca can only list all that there ever were. `now`
 * in ms since the epoch. Throws where Gate does not answer, or refuses.
 */
export async function runningGroups(reads: Reads, now: number): Promise<RunningGroup[]> {
  const query = new URLSearchParams({
    statuses: "RUNNING",
    triggerTimeStartBoundary: String(now - WITHIN_MS),
    size: String(MOST),
    expand: "true",
  });
  const { body } = await reads.list<unknown>(`/applications/*/executions/search?${query}`);
  const groups = body
    .flatMap((execution) => executionSchema.safeParse(execution).data?.stages ?? [])
    .flatMap((stage) => stageSchema.safeParse(stage).data ?? [])
    .flatMap(groupsOf);
  return [...new Map(groups.map((group) => [Object.values(group).join("/"), group])).values()];
}

function groupsOf({ context }: Stage): RunningGroup[] {
  const { cloudProvider: provider = "aws", region, serverGroupName } = context;
  const account = context.account ?? context.credentials;
  if (account === undefined || (provider !== "aws" && provider !== "ecs")) return [];
  const made = Object.entries(context["deploy.server.groups"] ?? {}).flatMap(([place, names]) =>
    names.map((name) => ({ provider, account, region: place, name }) as const),
  );
  if (region === undefined || serverGroupName === undefined) return made;
  return [{ provider, account, region, name: serverGroupName }, ...made];
}
