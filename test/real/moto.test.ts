import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  ApplicationAutoScalingClient,
  RegisterScalableTargetCommand,
} from "@aws-sdk/client-application-auto-scaling";
import {
  CreateClusterCommand,
  CreateServiceCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from "@aws-sdk/client-ecs";
import { expect, test } from "vitest";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import { REGION, testSite, until } from "../helpers/site.ts";
import { startMoto } from "./clouddriver/moto.ts";
import { motoInventory } from "./moto-inventory.ts";
import { MOTO_ACCOUNT } from "./real-engine.ts";

test("budget --aws counts what AWS has", async () => {
  const moto = await startMoto();
  try {
    const aws = motoInventory(moto.url, REGION);
    await aws.createLaunchTemplate();
    await aws.group("shop-v001", 2);
    const env = {
      AWS_ENDPOINT_URL: moto.url,
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test",
      AWS_REGION: REGION,
    };
    const { exit, stderr, json } = await aec(["budget", "--aws", "-o", "json"], { env });
    expect(exit, stderr).toBe(0);
    const cwd = temporaryDirectory();
    const counts = "serverGroups: 1, instances: 2, launchTemplates: 1";
    writeFileSync(join(cwd, "counts.yml"), `- { account: "${MOTO_ACCOUNT}", region: ${REGION}, ${counts} }`);
    const same = await aec(["budget", "--inventory", "counts.yml", "-o", "json"], { cwd });
    expect(json()).toEqual(same.json());
  } finally {
    await moto.stop();
  }
});

/** Of AWS moto alone has ECS here; Clouddriver is the sandbox's, whose AWS is another one. */
test("refresh --audit sees the services of ECS that something scales, in every cluster", async () => {
  const moto = await startMoto();
  try {
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    const client = { endpoint: moto.url, region: REGION, credentials };
    const [ecs, scaling] = [new ECSClient(client), new ApplicationAutoScalingClient(client)];
    await ecs.send(
      new RegisterTaskDefinitionCommand({
        family: "shop",
        containerDefinitions: [{ name: "shop", image: "shop:1", memory: 128 }],
      }),
    );
    const create = async (cluster: string, serviceName: string, scaled: boolean) => {
      await ecs.send(new CreateClusterCommand({ clusterName: cluster }));
      await ecs.send(
        new CreateServiceCommand({ cluster, serviceName, taskDefinition: "shop:1", desiredCount: 2 }),
      );
      if (!scaled) return;
      await scaling.send(
        new RegisterScalableTargetCommand({
          ServiceNamespace: "ecs",
          ResourceId: `service/${cluster}/${serviceName}`,
          ScalableDimension: "ecs:service:DesiredCount",
          MinCapacity: 1,
          MaxCapacity: 4,
        }),
      );
    };
    await create("main", "shop-v001", true);
    await create("main", "by-hand", false);
    await create("other", "shop-v002", true);

    const account = { name: "ecs", accountId: MOTO_ACCOUNT, regions: [REGION], provider: "ecs" as const };
    const site = await testSite({ accounts: [account] });
    await until(() => site.clouddriver.runs.length >= 25, "the ECS agents");
    const { exit, stderr, json } = await site.aec(
      ["refresh", "--account", "ecs", "--audit", "--exit-code", "-o", "json"],
      { env: { AWS_ENDPOINT_URL: moto.url } },
    );
    expect(exit, stderr).toBe(3);
    expect(json()).toMatchObject({ audit: [{ inAws: 2, missing: ["shop-v001", "shop-v002"], drifted: [] }] });
  } finally {
    await moto.stop();
  }
});
