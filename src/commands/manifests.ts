import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { stringify } from "yaml";
import type { Context } from "../context.ts";
import { usageError } from "../errors.ts";
import { type ApplyOptions, applyPlan } from "../install/apply.ts";
import { readText } from "../install/files.ts";
import { component, type Wanted } from "../manifests/component.ts";
import { webhookStage } from "../manifests/webhook-stage.ts";
import type { CommandResult } from "../output/output.ts";
import { parseQueueUrl } from "../serve/receiving/queue-url.ts";
import type { Mode } from "../serve/running/apply.ts";
import { checkEndpoint, checkTopicArn } from "../sns/topology.ts";
import { version } from "../version.ts";
import { numberOption } from "./number-option.ts";

export interface ManifestsOptions extends ApplyOptions {
  image?: string | undefined;
  replicas: string;
  topicArn?: string[] | undefined;
  queueUrl?: string[] | undefined;
  endpoint?: string | undefined;
  roleArn?: string | undefined;
  mode?: Mode | undefined;
  /** False with --no-service-monitor. */
  serviceMonitor?: boolean | undefined;
  webhookStage?: boolean | undefined;
  stageRole?: string[] | undefined;
}

/** `aec manifests`: what runs `aec serve` in a cluster, printed, or written as a Kustomize component. */
export async function run(
  context: Context,
  directory: string | undefined,
  options: ManifestsOptions,
): Promise<CommandResult> {
  if (options.webhookStage) {
    const settings = webhookStage(options.stageRole ?? []);
    return {
      data: settings,
      text: () =>
        `# of orca-local.yml; TOKEN is the AEC_SERVE_TOKEN of aec serve\n${yaml(settings).trimEnd()}`,
    };
  }
  const files = component(wantedOf(context, options));
  if (directory === undefined) {
    const { "kustomization.yml": _, ...resources } = files;
    const documents = Object.values(resources);
    return {
      data: { documents },
      text: () =>
        documents
          .map((document) => yaml(document))
          .join("---\n")
          .trimEnd(),
    };
  }
  const path = resolve(context.world.cwd, directory);
  const plan = {
    files: Object.entries(files).map(([name, document]) => {
      const file = join(path, name);
      const before = readText(file);
      return { path: file, before, after: yaml(document) };
    }),
    pristine: new Set<string>(),
    edits: { set: [], remove: [] },
    warnings: existsSync(join(path, "kustomization.yaml"))
      ? [`${join(path, "kustomization.yaml")} is there too: kustomize accepts one of the two names`]
      : [],
  };
  return applyPlan(
    context,
    plan,
    {
      target: "manifests",
      purpose: "manifests",
      question: `Write these files to ${path}?`,
      rollout: [
        "kubectl create secret generic aec-serve --from-literal=lock-store=URL --from-literal=token=TOKEN",
        `add to the components of your kustomization: ${directory}`,
        "kubectl apply -k .",
      ],
      proof: [
        "kubectl rollout status deployment/aec-serve",
        "aec sns test --serve-url http://localhost:7011   (with kubectl port-forward deployment/aec-serve 7011)",
      ],
      settled: `The component in ${path} is as wanted: nothing to change.`,
    },
    options,
  );
}

/** Without anchors, which no reader of manifests expects. */
function yaml(document: object): string {
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}

function wantedOf({ settings }: Context, options: ManifestsOptions): Wanted {
  const { clouddriver, section, awsRegion } = settings;
  if (!clouddriver.value || clouddriver.value.length === 0) {
    throw usageError("no-clouddriver", "no Clouddriver address is known", {
      hint: "add --clouddriver-url http://spin-clouddriver:7002, as the pod reaches it",
    });
  }
  const topics = (options.topicArn ?? []).map((arn) => checkTopicArn(arn));
  const queues = (options.queueUrl ?? []).map((text) => parseQueueUrl(text).url);
  const endpoint = options.endpoint ?? (queues.length > 0 ? undefined : section.notify?.endpoint);
  if (endpoint === undefined && queues.length === 0) {
    throw usageError("no-way-in", "neither an endpoint nor a queue is named", {
      hint: "add --endpoint https://gate.example.com/aws/notify, or --queue-url (aec sns create --protocol sqs)",
    });
  }
  if (topics.length === 0 && queues.length === 0) {
    throw usageError("no-topic", "no topic is named whose messages are taken", {
      hint: "add --topic-arn; aec sns create prints it",
    });
  }
  const url = endpoint === undefined ? undefined : new URL(checkEndpoint(endpoint));
  return {
    image: options.image ?? `aec:${version}`,
    replicas: numberOption("--replicas", options.replicas, { least: 1, most: 20, whole: true }),
    clouddriver: clouddriver.value,
    topics,
    queues,
    endpoint: url && { host: url.hostname, path: url.pathname },
    awsRegion: awsRegion.value,
    roleArn: options.roleArn,
    mode: options.mode,
    serviceMonitor: options.serviceMonitor !== false,
  };
}
