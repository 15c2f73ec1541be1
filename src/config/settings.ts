import { usageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import type { World } from "../world.ts";
import { awsProfiles } from "./aws-profiles.ts";
import type { ConfigFile } from "./file.ts";
import type { EnvironmentConfig } from "./schema.ts";

/** Values of the connection options of one command line; absent where the flag was not given. */
export interface ConnectionFlags {
  env?: string | undefined;
  clouddriverUrl?: string[] | undefined;
  gateUrl?: string | undefined;
  lockStore?: string | undefined;
  stateStore?: string | undefined;
  serveUrl?: string | undefined;
  spinnakerUser?: string | undefined;
  awsRegion?: string | undefined;
  awsProfile?: string | undefined;
}

/** One resolved value; `origin` says where it comes from: a flag, a variable, the file, a default. */
export interface Setting<T> {
  /** Throws where `aec.yml` names a variable that is not set. */
  readonly value: T | undefined;
  readonly origin: string;
}

export interface Settings {
  environment: Setting<string>;
  clouddriver: Setting<readonly string[]>;
  gate: Setting<string>;
  lockStore: Setting<string>;
  /** A Redis for what replicas of `aec serve` share; default: the lock store. */
  stateStore: Setting<string>;
  /** Admin address of a running `aec serve`. */
  serve: Setting<string>;
  serveToken: Setting<string>;
  spinnakerUser: Setting<string>;
  awsRegion: Setting<string>;
  awsProfile: Setting<string>;
  /** Where commands work that no Region is named for; what they write for other machines does not name it. */
  profileRegion: Setting<string>;
  /** The section of `aec.yml`, empty without one. */
  section: EnvironmentConfig;
  /** Where that is: `aec.yml: environments.prod`; undefined without one. */
  sectionOrigin: string | undefined;
}

/** Precedence: flag, environment variable, `aec.yml`, default. Throws for an environment that is not in the file. */
export function resolveSettings(
  flags: ConnectionFlags,
  world: Pick<World, "env" | "home">,
  file: ConfigFile | undefined,
): Settings {
  const { env } = world;
  const environment = pickEnvironment(flags, env, file);
  const section = file?.config.environments[environment.value ?? ""] ?? {};
  const pick = <T>(
    flag: { name: string; value: T | undefined },
    variable: string | undefined,
    parse: (text: string) => T,
    key: keyof EnvironmentConfig,
    expand: (fromFile: never) => T,
  ): Setting<T> => {
    if (flag.value !== undefined) return { value: flag.value, origin: flag.name };
    const text = variable === undefined ? undefined : env[variable];
    if (text && variable) return { value: parse(text), origin: variable };
    const fromFile = section[key];
    if (fromFile !== undefined && file) {
      const origin = `${file.path}: environments.${environment.value}.${key}`;
      // A variable that is not set matters to those who use the value only.
      return {
        origin,
        get value() {
          return expand(fromFile as never);
        },
      };
    }
    return { value: undefined, origin: "not set" };
  };
  const expand = (key: string) => (value: string) =>
    expandVariables(value, env, `environments.${environment.value}.${key}`);
  const text = (
    name: string,
    value: string | undefined,
    variable: string | undefined,
    key: keyof EnvironmentConfig,
  ) => pick({ name, value }, variable, String, key, expand(key));

  const awsRegion = text("--aws-region", flags.awsRegion, "AWS_REGION", "awsRegion");
  const awsProfile = text("--aws-profile", flags.awsProfile, "AWS_PROFILE", "awsProfile");
  return {
    environment,
    section,
    sectionOrigin: file && `${file.path}: environments.${environment.value}`,
    clouddriver: pick(
      { name: "--clouddriver-url", value: flags.clouddriverUrl },
      "AEC_CLOUDDRIVER_URL",
      (list) => list.split(",").map((url) => url.trim()),
      "clouddriver",
      (urls: string[]) => urls.map(expand("clouddriver")),
    ),
    gate: text("--gate-url", flags.gateUrl, "AEC_GATE_URL", "gate"),
    lockStore: text("--lock-store", flags.lockStore, "AEC_LOCK_STORE", "lockStore"),
    stateStore: text("--state-store", flags.stateStore, "AEC_STATE_STORE", "stateStore"),
    serve: text("--serve-url", flags.serveUrl, "AEC_SERVE_URL", "serve"),
    serveToken: env.AEC_SERVE_TOKEN
      ? { value: env.AEC_SERVE_TOKEN, origin: "AEC_SERVE_TOKEN" }
      : { value: undefined, origin: "not set" },
    spinnakerUser: text("--spinnaker-user", flags.spinnakerUser, "AEC_SPINNAKER_USER", "spinnakerUser"),
    awsRegion:
      awsRegion.origin === "not set" && env.AWS_DEFAULT_REGION
        ? { value: env.AWS_DEFAULT_REGION, origin: "AWS_DEFAULT_REGION" }
        : awsRegion,
    awsProfile,
    profileRegion: regionOfProfile(awsProfile, world),
  };
}

function regionOfProfile(profile: Setting<string>, world: Pick<World, "env" | "home">): Setting<string> {
  const name = () => profile.value ?? "default";
  const region = () => awsProfiles(world).get(name());
  return {
    get value() {
      return region();
    },
    get origin() {
      return region() === undefined ? "not set" : `AWS profile ${name()}`;
    },
  };
}

function pickEnvironment(
  flags: ConnectionFlags,
  env: World["env"],
  file: ConfigFile | undefined,
): Setting<string> {
  const chosen: Setting<string> = flags.env
    ? { value: flags.env, origin: "--env" }
    : env.AEC_ENV
      ? { value: env.AEC_ENV, origin: "AEC_ENV" }
      : file?.config.defaultEnvironment
        ? { value: file.config.defaultEnvironment, origin: `${file.path}: defaultEnvironment` }
        : { value: "default", origin: "default" };
  if (!file) return chosen;

  const names = Object.keys(file.config.environments);
  if (chosen.origin === "default" && names.length === 1) {
    return { value: names[0], origin: `${file.path}: the only environment` };
  }
  if (chosen.value !== undefined && !names.includes(chosen.value)) {
    const suggestion = nearest(chosen.value, names);
    throw usageError(
      "unknown-environment",
      `environment "${chosen.value}" (${chosen.origin}) is not in ${file.path}`,
      { hint: suggestion ? `did you mean "${suggestion}"?` : `it has: ${names.join(", ")}` },
    );
  }
  return chosen;
}

/** Replaces `${NAME}` by the environment variable; an unset one is a usage error. */
function expandVariables(text: string, env: World["env"], where: string): string {
  return text.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
    const value = env[name];
    if (value === undefined) {
      throw usageError("unset-variable", `${where} names \${${name}}, which is not set`, {
        hint: `export ${name} or give the value by its flag`,
      });
    }
    return value;
  });
}
