/** `text` with passwords and tokens in URLs replaced by `***`; a password may itself hold `/` or `@`. */
export function hideSecrets(text: string): string {
  return text
    .replaceAll(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"']*):[^\s"'<>]*@/gi, "$1:***@")
    .replaceAll(/([?&](?:password|passwd|token|secret|auth)[^=\s&]*=)[^&\s"']+/gi, "$1***");
}
