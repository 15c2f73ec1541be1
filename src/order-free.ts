/** The value with lists and keys in one order, for comparing documents whose lists are sets. */
export function orderFree(value: unknown): unknown {
  if (Array.isArray(value))
    return value.map(orderFree).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, orderFree(inner)] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}
