/**
 * Whether an agentType matches a glob; `*` stays within a part, `**` crosses `/`, `?` is one character. Takes time in
 * proportion to both lengths, whatever the pattern.
 */
export function matchesGlob(pattern: string, agent: string): boolean {
  const tokens = pattern.match(/\*\*+|[\s\S]/g) ?? [];
  // Where in the agentType a match of the tokens so far may end.
  let ends = new Set([0]);
  for (const token of tokens) {
    const next = new Set<number>();
    for (const end of ends) {
      if (!token.startsWith("*")) {
        const character = agent[end];
        if (character === token || (token === "?" && character !== undefined && character !== "/"))
          next.add(end + 1);
        continue;
      }
      for (let at = end; !next.has(at); at += 1) {
        next.add(at);
        if (at >= agent.length || (token === "*" && agent[at] === "/")) break;
      }
    }
    ends = next;
  }
  return ends.has(agent.length);
}
