import type { Irrelevant, ResourceEvent } from "./event.ts";
import { clip, type Fields, fields, text } from "./fields.ts";

type Place = Pick<ResourceEvent, "awsAccountId" | "region" | "at">;
type Told = Omit<ResourceEvent, "source" | keyof Place>;

/** What EC2, ECS and CloudFormation send to EventBridge by themselves, and Clouddriver caches. */
export const EC2_EVENTS = {
  instance: "EC2 Instance State-change Notification",
  image: "EC2 AMI State Change",
} as const;
export const ECS_EVENTS = {
  service: "ECS Service Action",
  deployment: "ECS Deployment State Change",
  task: "ECS Task State Change",
} as const;
export const STACK_EVENT = "CloudFormation Stack Status Change";

/** Reads such an event; `resources` are the ARNs of its envelope. Undefined for any other. */
export function parseServiceEvent(
  detailType: string,
  detail: Fields,
  resources: unknown,
  place: Place,
): ResourceEvent | Irrelevant | undefined {
  const read = Object.hasOwn(READERS, detailType) ? READERS[detailType] : undefined;
  if (!read) return undefined;
  const told = read(detail, Array.isArray(resources) ? (text(resources[0]) ?? "") : "");
  if (told === undefined) return { ignored: `${clip(detailType)} without what it is about` };
  return "ignored" in told ? told : { ...place, source: "service", ...told };
}

type Reader = (detail: Fields, resource: string) => Told | Irrelevant | undefined;

const READERS: Readonly<Record<string, Reader>> = {
  [EC2_EVENTS.instance](detail) {
    const name = text(detail["instance-id"]);
    // What has ended is still described for an hour.
    const gone = detail.state === "running" ? false : undefined;
    return name === undefined
      ? undefined
      : { resourceType: "AWS::EC2::Instance", type: "instance", name, facts: { gone } };
  },
  [EC2_EVENTS.image](detail) {
    const name = text(detail.ImageId);
    const state = text(detail.State) ?? "";
    if (state === "pending") return { ignored: "an image that is not there yet" };
    const gone = state === "available" ? false : undefined;
    return name === undefined
      ? undefined
      : { resourceType: "AWS::EC2::Image", type: "image", name, facts: { gone } };
  },
  [ECS_EVENTS.service](detail, resource) {
    // Every service says so every six hours.
    if (detail.eventName === "SERVICE_STEADY_STATE")
      return { ignored: "a steady state: nothing has changed" };
    return service(resource);
  },
  [ECS_EVENTS.deployment]: (_, resource) => service(resource),
  [ECS_EVENTS.task](detail) {
    const [kind, name] = (text(detail.group) ?? "").split(":");
    if (kind !== "service") return { ignored: "a task of no service" };
    return service(name ?? "");
  },
  [STACK_EVENT](detail) {
    const name = text(detail["stack-id"]);
    const status = text(fields(detail["status-details"])?.status) ?? "";
    const gone = status === "DELETE_COMPLETE" ? true : status.startsWith("DELETE") ? undefined : false;
    return name === undefined
      ? undefined
      : { resourceType: "AWS::CloudFormation::Stack", type: "stack", name, facts: { gone } };
  },
};

/** The name is the last part of an ARN of either form: `service/NAME`, `service/CLUSTER/NAME`. */
function service(arn: string): Told | undefined {
  const name = arn.split("/").at(-1);
  return name
    ? { resourceType: "AWS::ECS::Service", type: "ecs-service", name, facts: { gone: undefined } }
    : undefined;
}
