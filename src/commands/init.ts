import { dirname, join } from "node:path";
import { readConfig } from "../config/file.ts";
import type { EnvironmentConfig } from "../config/schema.ts";
import type { Setting, Settings } from "../config/settings.ts";
import { type Context, FORWARDED } from "../context.ts";
import { usageError } from "../errors.ts";
import { addEnvironment } from "../init/add-environment.ts";
import { accountsOf, type Found, findSite } from "../init/find.ts";
import { renderConfig, renderSchema, SCHEMA_FILE } from "../init/render.ts";
import { applyChange, readText, writeAtomically } from "../install/files.ts";
import { unifiedDiff } from "../output/diff.ts";
import type { CommandResult } from "../output/output.ts";
import { hideSecrets } from "../secrets.ts";
import { checkEndpoint } from "../sns/topology.ts";
import { parseYaml } from "../yaml/parse.ts";

export interface InitOptions {
  kind?: "production" | "non-production" | undefined;
  topicName?: string | undefined;
  endpoint?: string | undefined;
  protocol?: "https" | "sqs" | undefined;
  dryRun?: boolean | undefined;
}

/** `aec init`: finds what is there, asks for what is not, shows `aec.yml` and writes it. */
export async function run(context: Context, options: InitOptions): Promise<CommandResult> {
  const { world, out } = context;
  const path = context.configFile ?? join(world.cwd, "aec.yml");
  // The new environment takes nothing over from others.
  const settings = context.settingsWithoutFile();
  const environment = settings.environment.value ?? "default";
  if (!/^[A-Za-z0-9][\w.-]*$/.test(environment))
    throw usageError("bad-environment", `"${environment}" cannot be the name of an environment`, {
      hint: "letters, digits, dots, dashes and underscores, such as prod",
    });
  const before = readText(path);
  if (before !== undefined) assertNew(path, settings.environment);
  const found = await findSite(context, settings);
  out.say(found.told.length > 0 ? `found ${found.told.join("\nfound ")}` : "found nothing here by itself");
  const section = await complete(context, settings, found, options);
  const answers = { environment, kind: options.kind ?? "production", section };
  const after =
    before === undefined ? renderConfig(answers) : addEnvironment(parseYaml(before, path), answers);
  const shown = before === undefined ? after : unifiedDiff(path, before, after);
  if (!options.dryRun) {
    out.show(shown);
    await context.confirm(`Write ${path}?`);
    applyChange({ path, before, after });
    writeAtomically(join(dirname(path), SCHEMA_FILE), renderSchema());
  }
  return {
    data: { path, written: !options.dryRun, content: after },
    text: () =>
      options.dryRun
        ? shown
        : `wrote ${path}, and ${SCHEMA_FILE} for editors; aec doctor tells what is still missing`,
  };
}

/** Throws where the environment is in the file already, or where none is named. */
function assertNew(path: string, { value = "", origin }: Settings["environment"]): void {
  const known = Object.keys(readConfig(path).config.environments);
  if (origin !== "default" && !known.includes(value)) return;
  throw usageError(
    "config-exists",
    origin === "default" ? `${path} is there already` : `${path} has the environment "${value}" already`,
    {
      hint: `aec status --settings tells what is in it; aec init --env NAME adds another one to ${known.join(", ") || "it"}`,
    },
  );
}

/** What was found or given, and the answers to what was not. An empty answer leaves it open. */
async function complete(
  context: Context,
  settings: Settings,
  found: Found,
  { topicName, endpoint, protocol }: InitOptions,
): Promise<EnvironmentConfig> {
  const asked = async (
    known: string | undefined,
    question: string,
    { example, valid }: { example: string; valid: RegExp },
  ) => {
    const ask = () => context.ask(`${question} (such as ${example}; empty: none)`);
    let answer = known ?? (await ask());
    while (known === undefined && answer !== "" && !valid.test(answer)) {
      context.out.warn(`"${answer}" cannot be that`);
      answer = await ask();
    }
    if (answer === "" || valid.test(answer)) return answer || undefined;
    throw usageError("bad-answer", `${question}: "${answer}" cannot be that`, { hint: `such as ${example}` });
  };
  const clouddriver = await asked(found.clouddriver, "Address of Clouddriver", {
    example: "http://spin-clouddriver:7002",
    valid: /^((caching|rw|ro)=)?https?:\/\/[^/\s]+/,
  });
  const lockStore = await asked(settings.lockStore.value, "Lock store, the redis.connection of Clouddriver", {
    example: "redis://redis:6379",
    valid: /^(rediss?|mysql|mariadb|postgres(ql)?):\/\/[^/\s]+/,
  });
  const awsRegion = await asked(found.awsRegion, "AWS Region of the topic", {
    example: "us-east-1",
    valid: /^[a-z]{2,}(-[a-z]+)+-\d+$/,
  });
  const accounts =
    clouddriver === found.clouddriver || clouddriver === undefined
      ? found.accounts
      : await accountsOf(context, clouddriver).catch(() => found.accounts);
  const regions = [...new Set(accounts.flatMap(({ regions = [] }) => regions))];
  const notify = {
    ...(topicName !== undefined && { topicName }),
    ...(endpoint !== undefined && { endpoint: checkEndpoint(endpoint) }),
    ...(protocol !== undefined && { protocol }),
    ...(regions.length > 0 && { regions }),
  };
  // A forwarded port ends with this command.
  const lasting = ({ origin }: Setting<unknown>) => origin !== FORWARDED;
  return {
    ...(found.target && { target: { [found.target.kind]: found.target.path } }),
    ...(clouddriver !== undefined &&
      lasting(settings.clouddriver) && {
        clouddriver: (settings.clouddriver.value ?? [clouddriver]).map((url) =>
          withoutSecret(url, "AEC_CLOUDDRIVER_URL"),
        ),
      }),
    ...(lockStore !== undefined && { lockStore: withoutSecret(lockStore, "AEC_LOCK_STORE") }),
    ...(found.gate !== undefined &&
      lasting(settings.gate) && { gate: withoutSecret(found.gate, "AEC_GATE_URL") }),
    ...(awsRegion !== undefined && { awsRegion }),
    ...(settings.awsProfile.value !== undefined && { awsProfile: settings.awsProfile.value }),
    ...(Object.keys(notify).length > 0 && { notify }),
    ...(accounts.length > 0 && { accounts }),
  };
}

/** A password does not belong in a file that is committed: a variable stands for what carries one. */
function withoutSecret(url: string, variable: string): string {
  return hideSecrets(url) === url ? url : `\${${variable}}`;
}
