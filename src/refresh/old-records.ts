import { type Clouddriver, isUnprocessed } from "../clouddriver/client.ts";
import type { WorkItem } from "./items.ts";

/**
 * Server groups of which there is an on-demand record that no full pass has processed yet: the first pass takes it for
 * the truth, whatever AWS says, and the second one drops it.
 */
export async function oldRecords(
  items: readonly WorkItem[],
  clouddriver: Clouddriver,
): Promise<Set<WorkItem>> {
  const groups = items.filter(({ type }) => type === "server-group");
  if (groups.length === 0) return new Set();
  const records = (await clouddriver.pending("aws/ServerGroup")).filter(isUnprocessed);
  const pending = new Set(
    records.flatMap(({ details: { account, region, serverGroup } = {} }) => [
      `${account}/${region}/${serverGroup}`,
      `${account}/${region}/*`,
    ]),
  );
  return new Set(groups.filter(({ account, region, name }) => pending.has(`${account}/${region}/${name}`)));
}
