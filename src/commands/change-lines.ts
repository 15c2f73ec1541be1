interface DescribedChange {
  resource: string;
  action: string;
  detail?: string | undefined;
}

/** One line for people: `update topic policy (publishers of 012345678901)`. */
export function describeChange({ resource, action, detail }: DescribedChange): string {
  return `${action === "none" ? "ok    " : action} ${resource}${detail ? ` (${detail})` : ""}`;
}

/** The same line once it is done: `deleted topic …`; what is kept stays as it is. */
export function describeDone(line: string): string {
  return line.replace(/^(delete|update) /, "$1d ");
}
