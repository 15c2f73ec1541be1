/** What AWS and the cache are compared by: attributes with one value, or with a set of them. */
export type Facts = Readonly<Record<string, string | readonly string[]>>;

/** One resource and its facts. */
export interface Fact {
  /** Under which AWS and the cache both know it. */
  id: string;
  name: string;
  facts: Facts;
}

/** How the cache differs from AWS, in words; empty where it does not. */
export function differences(inAws: Facts, inCache: Facts): string[] {
  return Object.entries(inAws).flatMap(([attribute, aws]) => {
    const cache = inCache[attribute] ?? "";
    if (typeof aws === "string")
      return aws === cache ? [] : [`${attribute} is ${aws || "none"}, the cache says ${cache || "none"}`];
    const cached = typeof cache === "string" ? [] : cache;
    const missing = aws.filter((value) => !cached.includes(value));
    const left = cached.filter((value) => !aws.includes(value));
    return [
      ...(missing.length > 0 ? [`${attribute}: the cache lacks ${missing.join(", ")}`] : []),
      ...(left.length > 0 ? [`${attribute}: the cache still has ${left.join(", ")}`] : []),
    ];
  });
}

/** `tcp 443-443 10.0.0.0/8`; a rule for all ports has none. */
export function ruleText(
  protocol: string | null | undefined,
  from: number | null | undefined,
  to: number | null | undefined,
  source: string,
): string {
  const ports = typeof from === "number" && from >= 0 ? ` ${from}-${to ?? from}` : "";
  return `${protocol ?? "-1"}${ports} ${source}`;
}
