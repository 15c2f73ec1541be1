/** Whether an agentType matches a glob; `*` stays within a part, `**` crosses `/`, `?` is one character. */
export function matchesGlob(pattern: string, agent: string): boolean {
  const source = pattern
    .split(/(\*\*|\*|\?)/)
    .map((part) => {
      if (part === "**") return ".*";
      if (part === "*") return "[^/]*";
      if (part === "?") return "[^/]";
      return part.replaceAll(/[\\^$.|+()[\]{}]/g, "\\$&");
    })
    .join("");
  return new RegExp(`^${source}$`).test(agent);
}
