import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import type { Clouddriver } from "../clouddriver/client.ts";
import { allLoadBalancers, isV2 } from "../clouddriver/load-balancers.ts";
import type { SearchedKind } from "../clouddriver/search.ts";
import type { Context } from "../context.ts";
import { messageOf, usageError } from "../errors.ts";
import type { Inventory } from "./model.ts";

export interface InventoryOf extends Inventory {
  account: string;
  region: string;
}

const number = z.number().int().min(0);
const count = number.default(0);
const schema = z
  .array(
    z.strictObject({
      account: z.string(),
      region: z.string(),
      serverGroups: count,
      instances: count,
      launchConfigurations: count,
      launchTemplates: count,
      loadBalancers: count,
      listeners: number.optional(),
      targetGroups: count,
      classicLoadBalancers: count,
      scalingPolicies: count,
      alarms: count,
      stacks: count,
      functions: count,
    }),
  )
  .min(1, "lists no account and Region");

/** Counts from a YAML or JSON file, a list of one entry for each account and Region. Throws a usage error for anything else. */
export function inventoryFromFile(cwd: string, file: string): InventoryOf[] {
  const path = resolve(cwd, file);
  let content: unknown;
  try {
    content = parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw usageError("inventory-unreadable", `cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
  const parsed = schema.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const [entry, ...field] = issue?.path ?? [];
    const where = entry === undefined ? [] : [`entry ${Number(entry) + 1}`, ...field];
    const wrong = entry === undefined && !Array.isArray(content) ? "it has to be a list" : issue?.message;
    throw usageError("bad-inventory", [path, where.join(", "), wrong].filter(Boolean).join(": "), {
      hint: "a list such as: - { account: prod, region: us-east-1, serverGroups: 50, loadBalancers: 10, targetGroups: 10 }",
    });
  }
  return parsed.data.map((entry) => ({ ...entry, listeners: entry.listeners ?? entry.loadBalancers }));
}

/**
 * Counts of what AWS has in the places where commands work. Neither listeners (one for each balancer is assumed) nor
 * alarms, stacks and functions are asked for.
 */
export async function inventoryFromAws(
  context: Context,
  accounts: string[] | undefined,
): Promise<InventoryOf[]> {
  const [{ placesOf }, { autoScalingGroups }, { COUNTS }, { loadBalancers }] = await Promise.all([
    import("../aws/places.ts"),
    import("../aws/auto-scaling.ts"),
    import("../aws/counts.ts"),
    import("../aws/elastic-load-balancing.ts"),
  ]);
  const places = await placesOf(context, { accounts });
  return Promise.all(
    places.map(async (place) => {
      const counted = Promise.all(
        Object.entries(COUNTS).map(async ([kind, count]) => [kind, await count(context, place)]),
      );
      const [groups, balancers, counts] = await Promise.all([
        autoScalingGroups(context, place),
        loadBalancers(context, place),
        counted.then((entries) => Object.fromEntries(entries) as Record<keyof typeof COUNTS, number>),
      ]);
      const classic = balancers.filter(({ type }) => type === "classic").length;
      return {
        account: place.account ?? place.accountId,
        region: place.region,
        ...NOT_COUNTED,
        ...counts,
        serverGroups: groups.length,
        loadBalancers: balancers.length - classic,
        listeners: balancers.length - classic,
        classicLoadBalancers: classic,
      };
    }),
  );
}

/** What costs one page, or little. */
const NOT_COUNTED = { alarms: 0, stacks: 0, functions: 0 };

/**
 * Counts of what Clouddriver has cached. It shows neither listeners (one for each balancer is assumed), nor policies,
 * alarms, launch configurations and templates (one page of each).
 */
export async function inventoryFromCache(
  clouddriver: Clouddriver,
  wanted: readonly string[] | undefined,
): Promise<InventoryOf[]> {
  const accounts = (await clouddriver.accounts()).filter(
    ({ provider, name }) => provider === "aws" && (!wanted || wanted.includes(name)),
  );
  const balancers = await allLoadBalancers(clouddriver);
  const places = accounts.flatMap(({ name, regions }) =>
    regions.map((region) => ({ account: name, region })),
  );
  return Promise.all(
    places.map(async ({ account, region }) => {
      const countOf = async (kind: SearchedKind) => (await clouddriver.names(kind, account, region)).length;
      const [serverGroups, instances, targetGroups] = await Promise.all([
        countOf("serverGroups"),
        countOf("instances"),
        countOf("targetGroups"),
      ]);
      const here = balancers.filter((one) => one.account === account && one.region === region);
      const loadBalancers = here.filter(isV2).length;
      return {
        account,
        region,
        serverGroups,
        instances,
        launchConfigurations: 0,
        launchTemplates: 0,
        loadBalancers,
        listeners: loadBalancers,
        targetGroups,
        classicLoadBalancers: here.length - loadBalancers,
        scalingPolicies: 0,
        ...NOT_COUNTED,
      };
    }),
  );
}
