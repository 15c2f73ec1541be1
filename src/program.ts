import { createRequire } from "node:module";
import type { Command, OptionValues } from "commander";
import { RESOURCE_TYPES } from "./agents/kinds.ts";
import type { Context, GlobalOptions } from "./context.ts";
import type { CommandResult } from "./output/output.ts";
import { version } from "./version.ts";
import type { World } from "./world.ts";

/** Runs the body of a command in its context. */
export type Runner = (
  options: GlobalOptions,
  work: (context: Context) => Promise<CommandResult | undefined>,
) => Promise<void>;

const require = createRequire(import.meta.url);
// commander is CommonJS: required directly it loads in half the time that an import of it takes.
const commander = require("commander") as typeof import("commander");

/** How commander reports wrong usage, and the end of --help and --version. */
export const { CommanderError } = commander;

/**
 * The whole command tree, in one file: in nine, --help took 1.50 times as long as the bare runtime instead of 1.46.
 * Commands are imported when they run, so that --help loads commander alone.
 */
export function buildProgram(world: World, complaints: string[], run: Runner) {
  const program = new commander.Command("aec")
    .description("Makes Spinnaker's AWS cache event-driven: AWS says what changed, aec refreshes just that.")
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void complaints.push(text),
      getOutHelpWidth: () => world.stdout.columns ?? 100,
      getErrHelpWidth: () => world.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .option("--config <file>", "aec.yml to read (default: ./aec.yml, then $XDG_CONFIG_HOME/aec/aec.yml)")
    .option("--env <name>", "environment of aec.yml")
    .addOption(
      new commander.Option("-o, --output <format>", "form of the result")
        .choices(["text", "json", "yaml"])
        .default("text"),
    )
    .option("-y, --yes", "answer every question with yes")
    .option("--no-input", "never ask; fail and name the missing flag")
    .addOption(
      new commander.Option("--color <when>", "colours").choices(["auto", "always", "never"]).default("auto"),
    )
    .option("-q, --quiet", "results only, no narration")
    .option("-v, --verbose", "show each HTTP and AWS call with its duration")
    .option("--timeout <duration>", "bound on waiting, such as 90s or 10m")
    .option("--clouddriver-url <[role=]url>", "Clouddriver; roles caching, rw, ro (repeatable)", collect)
    .option("--gate-url <url>", "Gate")
    .option(
      "--lock-store <url>",
      "where Clouddriver's scheduler keeps its locks: redis:, rediss:, mysql:, postgres:",
    )
    .option("--state-store <url>", "Redis that replicas of aec serve share (default: the lock store)")
    .option("--serve-url <url>", "admin address of a running aec serve")
    .option("--spinnaker-user <name>", "user that Fiat filters for")
    .option("--kube-namespace <name>", "reach Clouddriver and Gate there by kubectl port-forward")
    .option("--kube-context <name>", "context of the kubeconfig (default: the current one)")
    .option("--aws-region <region>", "AWS Region of the commands that talk to AWS")
    .option("--aws-profile <name>", "AWS profile")
    .addHelpText(
      "after",
      `
Exit codes: 0 done or nothing to do, 1 failed or declined, 2 wrong usage or configuration, 3 differences
(--exit-code), 4 credentials or permission, 5 partly done, 8 timed out while waiting, 130 interrupted.
More about: aec help exit-codes, aec help environment, aec help output

Start here: aec demo`,
    );

  program.addHelpText("afterAll", ({ command }) =>
    command === program ? "" : "\nOptions of every command (--env, --yes, -o, --aws-region, …): aec --help",
  );

  const act = (work: (context: Context) => Promise<CommandResult | undefined>) =>
    run(program.opts() as GlobalOptions, work);

  dryRun(program.command("init"))
    .description("find what is here, ask for what is not, and write aec.yml")
    .addOption(
      new commander.Option("--kind <kind>", "what the environment is for (default: production)").choices([
        "production",
        "non-production",
      ]),
    )
    .option("--topic-name <name>", "of the SNS topic")
    .option("--endpoint <url>", "where SNS delivers: https://GATE/aws/notify")
    .addOption(protocolOption())
    .addHelpText(
      "after",
      `
Examples:
  aec init
  aec init --env prod --clouddriver-url http://spin-clouddriver:7002 --lock-store redis://redis:6379 --aws-region us-east-1 --yes`,
    )
    .action((options) => act(async (context) => (await import("./commands/init.ts")).run(context, options)));

  dryRun(target(program.command("install")))
    .description("install the AWS Event Cache plugin into a target's files")
    .option("--spinnaker-version <version>", "where the target does not tell")
    .option("--plugin-version <version>", "release of the plugin (default: the newest)")
    .option("--repository-url <url>", "plugins.json of a mirror")
    .addOption(
      new commander.Option(
        "--polling [preset]",
        "also write intervals (default: the preset of the environment's kind)",
      ).choices(["production", "non-production"]),
    )
    .option("--force", "install outside the plugin's matrix, or where the plugin was switched off")
    .option("--print", "print the lines for other layouts (Helm values and anything else), write nothing")
    .option("--verify", "ask a running Gate (--gate-url) whether the plugin is loaded, write nothing")
    .addHelpText(
      "after",
      `
Examples:
  aec install --halyard --dry-run
  aec install --halyard --hal-dir /home/spinnaker/.hal --deployment prod --yes
  aec install --operator ./spinnaker-kustomize-patches --polling non-production
  aec install --verify --gate-url https://gate.example.com`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/install.ts")).run(context, options)),
    );

  dryRun(target(program.command("uninstall")))
    .description("take the plugin out again")
    .addHelpText(
      "after",
      `
Examples:
  aec uninstall --halyard --dry-run
  aec uninstall --halyard --yes`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/uninstall.ts")).run(context, options)),
    );

  program
    .command("compat")
    .description("what works on which train of Spinnaker")
    .argument("[version]", "one version, such as 1.30.4, 2025.1.0 or Armory's 2.31.2 (default: all trains)")
    .option("--plugin <file>", "a plugin's bundle: the trains on which its classes are still there")
    .addHelpText(
      "after",
      `
Examples:
  aec compat
  aec compat 2025.4.1 --plugin aws-cats-on-event-0.2.1.zip`,
    )
    .action((version, options) =>
      act(async (context) => (await import("./commands/compat.ts")).run(context, version, options)),
    );

  const polling = program.command("polling").description("how often Clouddriver's caching agents poll AWS");
  target(polling.command("get"))
    .description("what is configured, where, whether Clouddriver obeys it, and what its agents really do")
    .option("--observe <duration>", "watch the agents start for so long, and tell their real intervals")
    .addHelpText(
      "after",
      `
Examples:
  aec polling get --halyard
  aec polling get --lock-store redis://redis:6379 -o json
  aec polling get --halyard --clouddriver-url http://clouddriver:7002 --observe 2m`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/polling/get.ts")).run(context, options)),
    );
  dryRun(target(polling.command("set")))
    .description(
      "write the intervals where Clouddriver reads them, or change them live by a running aec serve",
    )
    .addOption(
      new commander.Option("--preset <preset>", "intervals of a kind of environment").choices([
        "production",
        "non-production",
      ]),
    )
    .option("--interval <duration>", "time between two runs of an agent")
    .option("--error-interval <duration>", "the same after a failed run")
    .option("--agent-timeout <duration>", "life of a running agent's lock; at least 60s over the interval")
    .option("--live", "in force within seconds, kept by aec serve (--serve-url); writes nothing")
    .option("--agents <pattern>", "with --live: glob over the agentType", "**")
    .option("--for <duration>", "with --live: how long (default: until it is released)")
    .option("--reason <text>", "with --live: why, for those who see it")
    .addHelpText(
      "after",
      `
Examples:
  aec polling set --halyard --interval 120s --error-interval 120s
  aec polling set --halyard --deployment staging --interval 5m --agent-timeout 10m --yes
  aec polling set --live --agents 'staging/**' --interval 5m --for 8h`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/polling/set.ts")).run(context, options)),
    );
  dryRun(polling.command("hold"))
    .description("keep agents from running for a time, by a running aec serve (--serve-url)")
    .argument("<pattern>", "glob over the agentType; * stays within a part, ** crosses /")
    .option("--for <duration>", "how long")
    .option("--reason <text>", "why, for those who see it")
    .addHelpText(
      "after",
      `
Examples:
  aec polling hold 'prod/us-east-1/ReservedInstancesCachingAgent' --for 8h
  aec polling hold 'staging/**' --for 30m --reason throttled`,
    )
    .action((pattern, options) =>
      act(async (context) => (await import("./commands/polling/hold.ts")).run(context, pattern, options)),
    );
  dryRun(polling.command("release"))
    .description("take live intervals and holds back")
    .argument("[pattern]", "as it was given to set --live or hold (default: all)")
    .addHelpText(
      "after",
      `
Examples:
  aec polling release 'staging/**'
  aec polling release`,
    )
    .action((pattern, options) =>
      act(async (context) => (await import("./commands/polling/release.ts")).run(context, pattern, options)),
    );

  const sns = program.command("sns").description("topic, policy, subscription and dead-letter queue");
  dryRun(topic(sns.command("create")))
    .description("make or mend them, and wait until the subscription is confirmed")
    .option("--no-wait", "do not wait for the confirmation")
    .addOption(exportOption())
    .addHelpText(
      "after",
      `
Examples:
  aec sns create --aws-region us-east-1 --endpoint https://gate.example.com/aws/notify
  aec sns create --env prod --source-account 012345678901 --source-account 210987654321 --yes`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/sns/create.ts")).run(context, options)),
    );
  topic(sns.command("status"))
    .description("what differs from what create would make, and who is subscribed")
    .option("--deep", "also read the dead-letter queue and AWS Config's delivery channel")
    .option("--exit-code", "exit 3 if something differs")
    .addHelpText(
      "after",
      `
Examples:
  aec sns status --aws-region us-east-1
  aec sns status --env prod --exit-code -o json`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/sns/status.ts")).run(context, options)),
    );
  places(sns.command("test"))
    .description("publish a marked message and follow it through aec serve (--serve-url)")
    .option("--topic-name <name>", "default: aec-<environment>")
    .addHelpText(
      "after",
      `
Examples:
  aec sns test --aws-region us-east-1 --serve-url http://127.0.0.1:7011
  aec sns test --env prod --timeout 2m -o json`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/sns/test.ts")).run(context, options)),
    );
  dryRun(places(sns.command("redrive")))
    .description("apply what lies in the dead-letter queues, and delete what is settled")
    .option("--topic-name <name>", "default: aec-<environment>")
    .addOption(modeOption())
    .addHelpText(
      "after",
      `
Examples:
  aec sns redrive --env prod --dry-run
  aec sns redrive --aws-region us-east-1 --lock-store redis://redis:6379 --yes`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/sns/redrive.ts")).run(context, options)),
    );
  dryRun(topic(sns.command("delete")))
    .description("take away what create made, and nothing else")
    .addHelpText(
      "after",
      `
Examples:
  aec sns delete --aws-region us-east-1 --dry-run
  aec sns delete --env staging --yes`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/sns/delete.ts")).run(context, options)),
    );

  const recorder = program.command("recorder").description("AWS Config's recorder and delivery channel");
  dryRun(places(recorder.command("enable")))
    .description("record what aec serve uses, and publish it to the topic")
    .option("--topic-name <name>", "default: aec-<environment>")
    .option("--topic-arn <arn>", "a topic of another account")
    .option("--bucket <name>", "bucket of a delivery channel that does not exist yet")
    .option(
      "--role-arn <arn>",
      "role of a recorder that does not exist yet (default: the service-linked one)",
    )
    .option("--replace-topic", "take the channel from the topic that it publishes to now")
    .addOption(exportOption())
    .addHelpText(
      "after",
      `
Examples:
  aec recorder enable --aws-region us-east-1 --dry-run
  aec recorder enable --env prod --bucket config-bucket --yes`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/recorder/enable.ts")).run(context, options)),
    );
  places(recorder.command("status"))
    .description("whether AWS Config records, what, and where it publishes")
    .option("--topic-name <name>", "default: aec-<environment>")
    .option("--topic-arn <arn>", "a topic of another account")
    .option("--exit-code", "exit 3 if the topic gets no events")
    .addHelpText(
      "after",
      `
Examples:
  aec recorder status --aws-region us-east-1
  aec recorder status --env prod --exit-code -o json`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/recorder/status.ts")).run(context, options)),
    );
  dryRun(places(recorder.command("disable")))
    .description("leave AWS Config as enable found it")
    .option("--topic-name <name>", "default: aec-<environment>")
    .option("--topic-arn <arn>", "a topic of another account")
    .addHelpText(
      "after",
      `
Examples:
  aec recorder disable --aws-region us-east-1 --dry-run
  aec recorder disable --env staging --yes`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/recorder/disable.ts")).run(context, options)),
    );

  const events = program
    .command("events")
    .description("EventBridge rules that send AWS's own events to the topic");
  dryRun(rules(events.command("enable")))
    .description("make or mend the rules")
    .option("--topic-arn <arn>", "a topic of another account")
    .option("--target-role-arn <arn>", "role with which EventBridge publishes to a topic of another account")
    .addOption(exportOption())
    .addHelpText(
      "after",
      `
Examples:
  aec events enable --aws-region us-east-1 --dry-run
  aec events enable --env prod --cloudtrail --yes`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/events/enable.ts")).run(context, options)),
    );
  rules(events.command("status"))
    .description("the rules that are there, and what differs from what enable would make")
    .option("--topic-arn <arn>", "a topic of another account")
    .option("--target-role-arn <arn>", "role with which EventBridge publishes to it")
    .option("--exit-code", "exit 3 if something differs")
    .addHelpText(
      "after",
      `
Examples:
  aec events status --aws-region us-east-1
  aec events status --env prod --cloudtrail --exit-code -o json`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/events/status.ts")).run(context, options)),
    );
  dryRun(places(events.command("disable")))
    .description("take our rules away, all of them")
    .option("--topic-name <name>", "default: aec-<environment>")
    .addHelpText(
      "after",
      `
Examples:
  aec events disable --aws-region us-east-1 --dry-run
  aec events disable --env staging --yes`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/events/disable.ts")).run(context, options)),
    );

  places(program.command("iam"))
    .description("the least-privilege IAM policy of commands")
    .argument("[command...]", "such as: sns create serve (default: all that call AWS)")
    .option("--account <id>", "AWS account id of the resources (default: any)")
    .option("--topic-name <name>", "default: aec-<environment>")
    .option("--trust <arn>", "print the trust policy of the roles that this principal enters")
    .option("--external-id <id>", "condition of the trust policy")
    .option("--check", "try what only reads, and say which action is denied (exit 4)")
    .addHelpText(
      "after",
      `
Examples:
  aec iam serve --account 012345678901 --aws-region us-east-1
  aec iam sns create recorder --env prod
  aec iam --trust arn:aws:iam::012345678901:role/aec
  aec iam sns create --check --aws-region us-east-1`,
    )
    .action((words, options) =>
      act(async (context) => (await import("./commands/iam.ts")).run(context, words, options)),
    );

  program
    .command("refresh")
    .description("make things of the cache fresh now, and prove it by reading back")
    .argument("[name...]", "names (default: everything of the account)")
    .option("--account <name>", "Spinnaker account")
    .option("--region <region>", "one Region of it (default: all)")
    .option("--application <name>", "what the cache has of an application")
    .addOption(
      new commander.Option("--provider <provider>", "all accounts of one provider").choices([
        "aws",
        "ecs",
      ] as const),
    )
    .addOption(new commander.Option("--type <type>", "kind of resource").choices(RESOURCE_TYPES))
    .addOption(
      new commander.Option(
        "--via <way>",
        "agents (needs --lock-store); on demand by clouddriver, gate-proxy or gate-task; or what does no harm",
      )
        .choices(["auto", "agents", "clouddriver", "gate-proxy", "gate-task"])
        .default("auto" as const),
    )
    .option("--verify", "also compare with AWS what the cache shows then")
    .option("--concurrency <number>", "agents, or on-demand calls, at one time", "8")
    .option("--rate <number>", "on-demand calls a second, in each account and Region", "2")
    .option("--audit", "set everything of AWS and the cache side by side, refresh nothing")
    .option("--fix", "with --audit: refresh just what differs")
    .option("--exit-code", "with --audit: exit 3 if something differs")
    .addHelpText(
      "after",
      `
Examples:
  aec refresh --account prod --lock-store redis://redis:6379
  aec refresh --account prod --audit --fix
  aec refresh app-v012 app-v013 --account prod --region us-east-1 --verify -o json
  aec refresh --application shop --type server-group
  aec refresh --provider ecs --region eu-west-1`,
    )
    .action((names, options) =>
      act(async (context) => (await import("./commands/refresh.ts")).run(context, names, options)),
    );

  const event = program
    .command("event")
    .description("captured messages, and what aec serve would do with them");
  event
    .command("explain")
    .description("what aec serve would do with captured messages, one line for each")
    .argument("[file]", CAPTURED)
    .option("--verify-signature", "fetch the signing certificate and check it (nothing is fetched otherwise)")
    .option("--table", "every kind of event, and what is done about it")
    .addHelpText(
      "after",
      `
Examples:
  aec event explain message.json
  aec event explain messages.jsonl --verify-signature -o json
  aws sqs receive-message --queue-url URL | aec event explain - -o json
  aec event explain --table`,
    )
    .action((file, options) =>
      act(async (context) =>
        options.table
          ? (await import("./commands/event/table.ts")).run()
          : (await import("./commands/event/explain.ts")).run(context, file, options),
      ),
    );
  event
    .command("replay")
    .description("apply captured messages now, by the code of aec serve; one line for each")
    .argument("<file>", CAPTURED)
    .option("--speed <factor>", "keep the recorded pace, so many times as fast (default: all at once)")
    .option("--debounce <duration>", "events of one agent within this time share a run", "2s")
    .addOption(modeOption())
    .addHelpText(
      "after",
      `
Examples:
  aec event replay events.jsonl --clouddriver-url http://spin-clouddriver:7002 --lock-store redis://redis:6379
  aec event replay events.jsonl --speed 10 --env staging`,
    )
    .action((file, options) =>
      act(async (context) => (await import("./commands/event/replay.ts")).run(context, file, options)),
    );

  const agents = program
    .command("agents")
    .description("Clouddriver's caching agents: in view, run now, freed");
  agents
    .command("list")
    .description("what every caching agent does, from introspection and from its lock")
    .argument("[pattern]", "glob over the agentType; * stays within a part, ** crosses /")
    .option("--account <name>", "agents of one Spinnaker account")
    .option("--region <region>", "agents of one Region")
    .addOption(
      new commander.Option("--sort <by>", "order of the rows")
        .choices(["name", "last-start", "duration", "next-due", "calls"])
        .default("name" as const),
    )
    .addHelpText(
      "after",
      `
Examples:
  aec agents list --lock-store redis://redis:6379
  aec agents list 'prod/**' --sort calls -o json`,
    )
    .action((pattern, options) =>
      act(async (context) => (await import("./commands/agents/list.ts")).run(context, pattern, options)),
    );
  agents
    .command("run")
    .description("run agents now by their scheduler's locks, and prove each run")
    .argument("<pattern>", "glob over the agentType; * stays within a part, ** crosses /")
    .option("--account <name>", "agents of one Spinnaker account")
    .option("--region <region>", "agents of one Region")
    .option("--concurrency <number>", "agents at one time", "8")
    .option("--no-wait", "free their locks, and do not wait for the runs")
    .option("--dry-run", "name the agents, run none")
    .addHelpText(
      "after",
      `
Examples:
  aec agents run 'prod/us-east-1/ClusterCachingAgent' --lock-store redis://redis:6379
  aec agents run 'staging/**' --concurrency 2 -o json`,
    )
    .action((pattern, options) =>
      act(async (context) => (await import("./commands/agents/run.ts")).run(context, pattern, options)),
    );
  agents
    .command("watch")
    .description("a line for each run as it ends and each change of state, until it is interrupted")
    .argument("[pattern]", "glob over the agentType; * stays within a part, ** crosses /")
    .option("--account <name>", "agents of one Spinnaker account")
    .option("--region <region>", "agents of one Region")
    .addHelpText(
      "after",
      `
Examples:
  aec agents watch 'prod/**'
  aec agents watch --account prod -o json`,
    )
    .action((pattern, options) =>
      act(async (context) => (await import("./commands/agents/watch.ts")).run(context, pattern, options)),
    );
  dryRun(agents.command("free"))
    .description("delete the locks of nodes that are gone, which block their agents for minutes")
    .option(
      "--node <value>",
      "one node, as agents list -o json names the holder (default: all that finished no run)",
    )
    .addHelpText(
      "after",
      `
Examples:
  aec agents free --dry-run
  aec agents free --node '10.0.0.5:1@spin-clouddriver-caching-0' --yes`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/agents/free.ts")).run(context, options)),
    );

  program
    .command("serve")
    .description("the event scheduler: receives SNS, verifies, decides, and refreshes just what changed")
    .option(
      "--listen <host:port>",
      "where SNS is received (default: 127.0.0.1:7010, nowhere with --queue-url)",
    )
    .option("--path <path>", "path of the endpoint", "/aws/notify")
    .option("--tls-cert <file>", "PEM certificate (else an ingress terminates TLS)")
    .option("--tls-key <file>", "its PEM key")
    .option("--admin-listen <host:port>", "health and status, or off", "127.0.0.1:7011")
    .option(
      "--topic-arn <arn>",
      "topic to take messages of (repeatable; default: the environment's)",
      collect,
    )
    .option("--queue-url <url>", "SQS queue to receive from (repeatable)", collect)
    .option("--debounce <duration>", "events of one agent within this time share a run", "2s")
    .option("--canary <account...>", "mode events holds agents of these accounts only")
    .option("--heartbeat <duration>", "send a heartbeat to each topic so often; its lag is a metric")
    .option("--record <file>", "append each message with its outcome, for aec event replay")
    .addOption(
      new commander.Option("--require-signature-version <version>", "refuse version 1 (SHA-1)").choices([
        "2",
      ]),
    )
    .addOption(modeOption())
    .addHelpText(
      "after",
      `
Examples:
  aec serve --clouddriver-url http://spin-clouddriver:7002 --lock-store redis://redis:6379 --listen 0.0.0.0:7010
  aec serve --env prod --topic-arn arn:aws:sns:us-east-1:012345678901:aec-prod
  aec serve --env prod --queue-url https://sqs.us-east-1.amazonaws.com/012345678901/aec-prod-events`,
    )
    .action((options) => act(async (context) => (await import("./commands/serve.ts")).run(context, options)));

  dryRun(program.command("manifests"))
    .description("what runs aec serve in a cluster: printed, or written as a Kustomize component")
    .argument("[directory]", "where the component is written (default: printed)")
    .option("--image <image>", "image of aec, built from its Dockerfile (default: aec:VERSION)")
    .option("--replicas <count>", "pods", "1")
    .option("--topic-arn <arn>", "topic to take messages of (repeatable)", collect)
    .option("--queue-url <url>", "SQS queue to receive from (repeatable)", collect)
    .option(
      "--endpoint <url>",
      "where SNS delivers: https://GATE/aws/notify (default: notify.endpoint of aec.yml)",
    )
    .option("--role-arn <arn>", "IAM role of the service account")
    .addOption(modeOption())
    .option("--no-service-monitor", "without the ServiceMonitor, which the Prometheus operator knows")
    .option("--webhook-stage", "print Orca's settings for a pipeline stage that refreshes, instead")
    .option("--stage-role <role>", "who may use that stage (repeatable; default: everybody)", collect)
    .addHelpText(
      "after",
      `
Examples:
  aec manifests --env prod --topic-arn arn:aws:sns:us-east-1:012345678901:aec-prod
  aec manifests components/aec --clouddriver-url http://spin-clouddriver:7002 --queue-url https://sqs.us-east-1.amazonaws.com/012345678901/aec-prod-events
  aec manifests --webhook-stage`,
    )
    .action((directory, options) =>
      act(async (context) => (await import("./commands/manifests.ts")).run(context, directory, options)),
    );

  target(places(program.command("doctor")))
    .description("look at everything, and name the command that mends what is wrong")
    .option("--topic-name <name>", "default: aec-<environment>")
    .addOption(protocolOption())
    .option("--synthetic", "also send a message that asks for nothing through the whole chain")
    .option("--fix", "run the commands that mend what was found where nothing can be lost, and look again")
    .addHelpText(
      "after",
      `
Examples:
  aec doctor --aws-region us-east-1 --halyard
  aec doctor --env prod -o json
  aec doctor --env prod --fix
  aec doctor --synthetic --serve-url http://127.0.0.1:7011`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/doctor.ts")).run(context, options)),
    );

  target(places(program.command("status")))
    .description(
      "what aec has made in AWS and in files, and what serve does; with --settings, what it works with",
    )
    .option("--settings", "each setting with its value and where it comes from")
    .option("--topic-name <name>", "default: aec-<environment>")
    .addHelpText(
      "after",
      `
Examples:
  aec status --env prod
  aec status --aws-region us-east-1 --halyard
  aec status --settings -o json`,
    )
    .action((options) =>
      act(async (context) =>
        options.settings
          ? (await import("./commands/status/settings.ts")).run(context)
          : (await import("./commands/status/resources.ts")).run(context, options),
      ),
    );

  program
    .command("budget")
    .description("AWS calls a minute of polling, now and as proposed, against what AWS allows")
    .option(
      "--inventory <file>",
      "counts for each account and Region, YAML or JSON (default: what is cached)",
    )
    .option("--aws", "count what AWS has instead: a dozen calls for each account and Region")
    .option("--account <name...>", "these alone")
    .option("--interval <duration>", "how often agents poll now (default: as configured, else 30s)")
    .option("--propose <duration>", "how often they would poll (default: 5m)")
    .option("--events", "propose mode events instead")
    .option("--changes-per-hour <n>", "with --events: changes in each account and Region (default: 20)")
    .addHelpText(
      "after",
      `
The inventory is a list; counts that are left out are 0:
  - { account: prod, region: us-east-1, serverGroups: 50, instances: 400, loadBalancers: 10, targetGroups: 10,
      classicLoadBalancers: 5, listeners: 10, launchConfigurations: 0, launchTemplates: 20, scalingPolicies: 9,
      alarms: 40, stacks: 0, functions: 0 }

Examples:
  aec budget --clouddriver-url http://clouddriver:7002 --events
  aec budget --aws --aws-region us-east-1
  aec budget --inventory accounts.yml --interval 30s --propose 2m`,
    )
    .action((options) =>
      act(async (context) => (await import("./commands/budget.ts")).run(context, options)),
    );

  program
    .command("completion")
    .description("a script that completes commands, options, accounts and Regions in a shell")
    .argument("[shell...]", "bash, zsh or fish")
    .addOption(new commander.Option("--words", "what may follow these words").hideHelp())
    .addHelpText(
      "after",
      `
In bash: source <(aec completion bash), in ~/.bashrc for good; aec has to be on the path.

Examples:
  aec completion bash > ~/.local/share/bash-completion/completions/aec
  aec completion fish > ~/.config/fish/completions/aec.fish`,
    )
    .action(async (words, options) => {
      const { candidates, configuredValues, script } = await import("./commands/completion.ts");
      if (!options.words) return act(async () => script(words));
      // While somebody types, no more is loaded than has to be.
      const found = await candidates(program, words, async (option) => {
        let values: string[] = [];
        await act(async (context) => {
          values = configuredValues(option, context);
          return undefined;
        });
        return values;
      });
      world.stdout.write(found.map((one) => `${one}\n`).join(""));
    });

  program
    .command("demo")
    .description("the whole story on an embedded sandbox: no account needed, nothing left behind")
    .addHelpText(
      "after",
      `
Examples:
  aec demo
  aec demo -o json --quiet`,
    )
    .action(() => act(async (context) => (await import("./commands/demo.ts")).run(context)));

  program
    .helpCommand(false)
    .command("help")
    .description("help for a command, or about exit-codes, environment, output")
    .argument("[words...]")
    .addHelpText(
      "after",
      `
Examples:
  aec help exit-codes
  aec help sns create`,
    )
    .action(async (words: string[]) => {
      const { help } = await import("./commands/help.ts");
      help(program, words, world);
    });

  return program;
}

const CAPTURED =
  "SNS messages, AWS Config or EventBridge documents, SQS bodies, an answer of receive-message, a recording; - is stdin";

function topic<A extends unknown[], O extends OptionValues, G extends OptionValues>(
  command: Command<A, O, G>,
) {
  return places(command)
    .option("--topic-name <name>", "default: aec-<environment>")
    .addOption(protocolOption())
    .option("--endpoint <url>", "where SNS delivers: https://GATE/aws/notify")
    .option("--source-account <id>", "account whose AWS Config may publish (repeatable)", collect)
    .option(
      "--publisher-role <arn>",
      "role of EventBridge in another account that may publish (repeatable)",
      collect,
    )
    .option("--no-dlq", "without a dead-letter queue")
    .option("--filter", "let only messages through that aec serve can use")
    .option("--kms-key <id>", "encrypt with a customer-managed key; AWS Config cannot publish then");
}

function places<A extends unknown[], O extends OptionValues, G extends OptionValues>(
  command: Command<A, O, G>,
) {
  return command
    .option("--regions <list>", "Regions, comma-separated (default: notify.regions of aec.yml)", collectList)
    .option(
      "--accounts <list>",
      "accounts of aec.yml, comma-separated (default: all with a role)",
      collectList,
    );
}

function rules<A extends unknown[], O extends OptionValues, G extends OptionValues>(
  command: Command<A, O, G>,
) {
  return places(command)
    .option("--topic-name <name>", "default: aec-<environment>")
    .option("--rules <list>", "kinds of events, comma-separated (default: autoscaling)", collectList)
    .option("--cloudtrail", "also API calls; needs a trail that logs management events")
    .option("--config-items", "also AWS Config's items, where the delivery channel is somebody else's");
}

function protocolOption() {
  return new commander.Option(
    "--protocol <protocol>",
    "how aec serve gets the messages (default: https)",
  ).choices(["https", "sqs"]);
}

function modeOption() {
  return new commander.Option("--mode <mode>", "default: agents with a lock store, careful without").choices([
    "agents",
    "events",
    "careful",
    "on-demand",
  ]);
}

function exportOption() {
  return new commander.Option(
    "--export <format>",
    "print a template of what would be made, call nothing",
  ).choices(["cloudformation"]);
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}

function collectList(value: string, previous: string[] = []): string[] {
  return [...previous, ...value.split(",").map((item) => item.trim())];
}

function target<A extends unknown[], O extends OptionValues, G extends OptionValues>(
  command: Command<A, O, G>,
) {
  return command
    .option("--halyard", "Halyard local profiles")
    .option("--hal-dir <dir>", "Halyard directory (default: ~/.hal)")
    .option("--deployment <name>", "Halyard deployment (default: the current one)")
    .option("--operator <dir>", "SpinnakerService, plain or with its kustomization (open-source or Armory)")
    .option("--armory <dir>", "the same, and it has to be Armory's")
    .option("--kustomize <dir>", "operator-less spinnaker-kustomize")
    .option("--profiles-dir <dir>", "a directory of profiles, such as a gitops checkout");
}

function dryRun<A extends unknown[], O extends OptionValues, G extends OptionValues>(
  command: Command<A, O, G>,
) {
  return command
    .option("--dry-run", "show what would change, change nothing")
    .option("--exit-code", "with --dry-run: exit 3 if something would change");
}
