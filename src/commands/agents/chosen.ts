import { matchesGlob } from "../../agents/pattern.ts";
import { usageError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";

export interface AgentFilter {
  account?: string | undefined;
  region?: string | undefined;
}

interface Named {
  id: string;
  account: string | null;
  region: string | null;
}

/** The agents that a pattern and the filters match. */
export function matchingAgents<T extends Named>(
  agents: readonly T[],
  pattern: string | undefined,
  { account, region }: AgentFilter,
): T[] {
  return agents.filter(
    (agent) =>
      (pattern === undefined || matchesGlob(pattern, agent.id)) &&
      (account === undefined || agent.account === account) &&
      (region === undefined || agent.region === region),
  );
}

/** The same. Throws a usage error, with the nearest, where there is none. */
export function chosenAgents<T extends Named>(
  agents: readonly T[],
  pattern: string | undefined,
  { account, region }: AgentFilter,
): T[] {
  const found = matchingAgents(agents, pattern, { account, region });
  if (found.length > 0 || agents.length === 0) return found;
  const suggestion =
    pattern &&
    nearest(
      pattern,
      agents.map(({ id }) => id),
    );
  const wanted = [pattern, account && `--account ${account}`, region && `--region ${region}`].filter(Boolean);
  throw usageError("no-agent", `no agent matches ${wanted.join(" ")}`, {
    hint: suggestion
      ? `did you mean "${suggestion}"?`
      : "* stays within a part of the name, ** crosses /: 'prod/**'",
  });
}
