import type { CommandUnknownOpts } from "commander";
import { EXIT, usageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import type { World } from "../world.ts";

const EXITS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "done, or nothing to do",
  failed: "failed or declined",
  usage: "wrong usage or configuration, a broken file included",
  differences: "differences, with --exit-code",
  credentials: "credentials or permission",
  partial: "partly done: some accounts, Regions or items",
  timeout: "timed out while waiting",
  interrupted: "interrupted by Ctrl-C or SIGTERM; aec serve ends with 0 then",
};

const VARIABLES: readonly (readonly [names: string, meaning: string])[] = [
  ["AEC_CLOUDDRIVER_URL", "--clouddriver-url, comma-separated, with roles: caching=http://…,rw=http://…"],
  ["AEC_LOCK_STORE", "--lock-store"],
  ["AEC_STATE_STORE", "--state-store"],
  ["AEC_GATE_URL", "--gate-url"],
  ["AEC_SERVE_URL", "--serve-url"],
  ["AEC_SERVE_TOKEN", "what aec serve wants to be shown, and what is shown to it; there is no flag"],
  ["AEC_SPINNAKER_USER", "--spinnaker-user"],
  ["AEC_ENV", "--env"],
  ["AEC_TLS_CA, AEC_TLS_CERT, AEC_TLS_KEY", "files: an own authority, a client certificate and its key"],
  ["AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL…", "and all else that the AWS SDK reads"],
  ["XDG_CONFIG_HOME, XDG_STATE_HOME", "where aec/aec.yml is looked for; where records of installs are kept"],
  ["NO_COLOR, FORCE_COLOR", "as --color never and --color always"],
];

const TOPICS: Readonly<Record<string, string>> = {
  "exit-codes": `Every command ends with one of these:

${rows(Object.entries(EXIT).map(([name, code]) => [String(code), EXITS[name as keyof typeof EXIT]]))}`,
  environment: `A flag comes before a variable, a variable before aec.yml (notify.regions alone comes before AWS_REGION).
aec status --settings shows each value with where it comes from.

${rows(VARIABLES)}`,
  output: `Results go to stdout, everything else to stderr, so that a pipe gets results alone.

-o json and -o yaml print exactly one document, for errors too:

  {"error": {"code": "no-clouddriver", "message": "…", "detail": "…", "hint": "…"}}

Codes are stable, messages are not. What works in several accounts and Regions prints the document of one place,
and {"results": […]} for several. aec agents watch, event explain and event replay print a line of JSON for each run
or message; aec serve prints one document when it is ready, and a log of JSON lines on stderr. The fields of each command are listed in docs/output.md.

-q leaves the narration out; -v adds each HTTP and AWS call with its duration. Secrets in URLs are hidden
everywhere. Colours are for terminals alone (--color, NO_COLOR).`,
};

/** `aec help`: a topic, or what --help of a command prints. Throws a usage error with the nearest name. */
export function help(program: CommandUnknownOpts, words: readonly string[], world: World): void {
  const [topic = ""] = words;
  const text = words.length === 1 && Object.hasOwn(TOPICS, topic) ? TOPICS[topic] : undefined;
  if (text !== undefined) {
    world.stdout.write(`${text}\n`);
    return;
  }
  let command: CommandUnknownOpts = program;
  for (const word of words) {
    const found = command.commands.find((one) => one.name() === word);
    if (!found) {
      const names = command.commands.map((one) => one.name());
      const near = nearest(word, command === program ? [...names, ...Object.keys(TOPICS)] : names);
      throw usageError("no-help", `there is no help for "${words.join(" ")}"`, {
        hint: near ? `did you mean ${near}?` : "aec --help lists the commands",
      });
    }
    command = found;
  }
  command.outputHelp();
}

function rows(pairs: readonly (readonly [string, string])[]): string {
  const width = Math.max(...pairs.map(([first]) => first.length));
  return pairs.map(([first, second]) => `  ${first.padEnd(width)}  ${second}`).join("\n");
}
