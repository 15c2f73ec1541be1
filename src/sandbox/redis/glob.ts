/** Redis's own globs (`SCAN … MATCH`): `*`, `?`, `[a-z]`, `[^a]` and `\` escapes; `*` crosses `/`. */
export function redisGlob(pattern: string): RegExp {
  const tokens = pattern.match(/\\.|\[(?:\\.|[^\]\\])*\]|./gs) ?? [];
  return new RegExp(`^${tokens.map(translate).join("")}$`, "s");
}

function translate(token: string): string {
  if (token === "*") return ".*";
  if (token === "?") return ".";
  if (token.length > 1 && token.startsWith("[")) {
    const negated = token.startsWith("[^");
    const members = token.slice(negated ? 2 : 1, -1).replace(/\\([A-Za-z0-9])/g, "$1");
    if (members === "") return negated ? "." : "(?!)";
    return `[${negated ? "^" : ""}${members}]`;
  }
  const literal = token.length > 1 ? token.slice(1) : token;
  return literal.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
