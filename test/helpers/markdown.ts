/** The fenced blocks of a page, in order; the language is empty where none is named. */
export function fencedBlocks(page: string): { language: string; body: string }[] {
  return [...page.matchAll(/^```(\w*)\n(.*?)^```/gms)].map(([, language = "", body = ""]) => ({
    language,
    body,
  }));
}
