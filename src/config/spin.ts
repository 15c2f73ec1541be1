import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { messageOf, usageError } from "../errors.ts";
import type { World } from "../world.ts";

const token = z.object({ access_token: z.string().optional(), expiry: z.string().optional() });

/** What `aec` reads of the configuration of `spin`; it has more. */
const spinSchema = z.object({
  gate: z.object({ endpoint: z.string().optional() }).nullish(),
  auth: z
    .object({
      enabled: z.boolean().nullish(),
      ignoreCertErrors: z.boolean().nullish(),
      basic: z.object({ username: z.string(), password: z.string() }).nullish(),
      ldap: z.object({ username: z.string(), password: z.string().optional() }).nullish(),
      x509: z
        .object({
          certPath: z.string().optional(),
          keyPath: z.string().optional(),
          cert: z.string().optional(),
          key: z.string().optional(),
        })
        .nullish(),
      apiToken: z.object({ token: z.string() }).nullish(),
      oauth2: z.object({ cachedToken: token.nullish() }).nullish(),
      iap: z
        .object({
          iapIdToken: z.string().optional(),
          cachedToken: z.object({ idToken: z.string().optional(), expiry: z.string().optional() }).nullish(),
        })
        .nullish(),
    })
    .nullish(),
});

export type SpinConfig = z.infer<typeof spinSchema>;

/** Of `gate.endpoint` (spin, cmd/gateclient). */
export const SPIN_ENDPOINT = "http://localhost:8084";

export function spinConfigPath({ home }: Pick<World, "home">): string {
  return join(home, ".spin", "config");
}

/**
 * `~/.spin/config`, undefined where there is none. As `spin` does, environment variables are put in before the text is
 * read; an unset one is empty. Throws a usage error for what cannot be read. It is never written.
 */
export function readSpinConfig({ home, env }: Pick<World, "home" | "env">): SpinConfig | undefined {
  const path = spinConfigPath({ home });
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw usageError("spin-config-unreadable", `cannot read ${path}: ${messageOf(error)}`);
  }
  const expanded = text.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced, bare) => env[braced ?? bare] ?? "");
  let parsed: ReturnType<typeof spinSchema.safeParse>;
  try {
    parsed = spinSchema.safeParse(parse(expanded) ?? {});
  } catch (error) {
    // The parser shows the line, which may hold a password.
    throw usageError("spin-config-invalid", `${path} is not YAML: ${messageOf(error).split("\n")[0]}`);
  }
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw usageError("spin-config-invalid", `${path}: ${issue?.path.join(".")}: ${issue?.message}`);
}
