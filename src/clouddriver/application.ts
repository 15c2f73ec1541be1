/** The application that a name belongs to: all before its first dash (Frigga's convention). */
export function applicationOf(name: string): string {
  return name.split("-", 1)[0] ?? name;
}
