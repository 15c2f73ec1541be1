/** Tags as most of AWS's APIs and CloudFormation take them. */
export function tagList(tags: Readonly<Record<string, string>>): { Key: string; Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** Tags by their key, from such a list. */
export function tagsOf(
  list: readonly { Key?: string | undefined; Value?: string | undefined }[] = [],
): Record<string, string> {
  return Object.fromEntries(list.map(({ Key, Value }) => [Key ?? "", Value ?? ""]));
}
