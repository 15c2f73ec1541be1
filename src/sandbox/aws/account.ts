import type { Clock } from "../../clock.ts";
import { createAutoScaling } from "./autoscaling.ts";
import { type ConfigModel, createConfig } from "./config.ts";
import { createEc2 } from "./ec2.ts";
import { createApplicationAutoScaling, createEcs } from "./ecs.ts";
import { createElasticLoadBalancing } from "./elb.ts";
import { createEvents, type EventsModel } from "./events.ts";
import { createInventory, type Inventory } from "./inventory.ts";
import type { Service } from "./service.ts";
import { createSnsService } from "./sns/actions.ts";
import { createSnsModel, type SnsModel, type SnsStores } from "./sns/model.ts";
import type { Signer } from "./sns/sign.ts";
import { createSqs, type Queue, type SqsModel } from "./sqs.ts";
import { createSts } from "./sts.ts";

/** What all accounts of one sandbox share. */
export interface AccountWorld {
  clock: Clock;
  url: string;
  signer: Signer;
  /** Topics and queues of every account, by ARN. */
  topics: SnsStores;
  queues: Map<string, Queue>;
  closing: AbortSignal;
  background(task: () => Promise<void>): void;
}

/** The models and services of one account. */
export interface SandboxAccount {
  readonly inventory: Inventory;
  readonly sns: SnsModel;
  readonly sqs: SqsModel;
  readonly config: ConfigModel;
  readonly events: EventsModel;
  readonly services: ReadonlyMap<string, Service>;
}

/** An account without resources. */
export function createAccount(account: string, world: AccountWorld): SandboxAccount {
  const { clock, url, signer, closing, background } = world;
  const inventory = createInventory(clock);
  const sqs = createSqs(clock, account, url, world.queues);
  const shared = { clock, account, closing, background };
  const sns = createSnsModel({ ...shared, url, signer, enqueue: sqs.model.sendFromTopic }, world.topics);
  const config = createConfig({ ...shared, inventory, sns });
  const events = createEvents({ clock, account, inventory, sns, sqs: sqs.model });
  return {
    inventory,
    sns,
    sqs: sqs.model,
    config: config.model,
    events: events.model,
    services: new Map([
      ["sns", createSnsService(sns, account)],
      ["sqs", sqs.service],
      ["config", config.service],
      ["events", events.service],
      ["sts", createSts(account)],
      ["autoscaling", createAutoScaling(inventory, account)],
      ["ec2", createEc2(inventory, account)],
      ["elasticloadbalancing", createElasticLoadBalancing(inventory, account)],
      ["ecs", createEcs(inventory, account)],
      ["application-autoscaling", createApplicationAutoScaling(inventory)],
    ]),
  };
}
