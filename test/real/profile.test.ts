import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { zipSync } from "fflate";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import { until } from "../helpers/site.ts";
import { REGION, type RealEngine, startRealEngine } from "./real-engine.ts";

const ID = "Armory.AWSCATsOnEvent";

/** A plugin index with one release, of a plugin that does nothing. */
function pluginIndex(): string {
  const directory = temporaryDirectory();
  const manifest = [
    "Manifest-Version: 1.0",
    `Plugin-Id: ${ID}`,
    "Plugin-Version: 0.2.1",
    "Plugin-Class: org.pf4j.Plugin",
    "Plugin-Provider: contract",
    "Plugin-Requires: clouddriver>=0.0.0",
    "",
  ].join("\n");
  const service = zipSync({ "classes/META-INF/MANIFEST.MF": Buffer.from(manifest) });
  const bundle = join(directory, "bundle.zip");
  writeFileSync(bundle, zipSync({ "clouddriver.zip": service }));
  const release = {
    version: "0.2.1",
    date: "2023-11-28T00:00:00.000Z",
    requires: "clouddriver>=0.0.0",
    url: pathToFileURL(bundle).href,
  };
  const index = join(directory, "plugins.json");
  writeFileSync(index, JSON.stringify([{ id: ID, provider: "contract", releases: [release] }]));
  return pathToFileURL(index).href;
}

describe("a profile that aec wrote, on the real engine", () => {
  let engine: RealEngine;
  let redis: Redis;

  beforeAll(async () => {
    const profiles = temporaryDirectory();
    const home = temporaryDirectory();
    const run = async (...argv: string[]) => {
      const { exit, stderr } = await aec([...argv, "--profiles-dir", profiles, "--yes"], { home });
      expect(exit, stderr).toBe(0);
    };
    writeFileSync(
      join(profiles, "clouddriver-local.yml"),
      "# kept by the platform team\naws:\n  enabled: true\n",
    );
    await run("install", "--spinnaker-version", "1.30.1", "--repository-url", pluginIndex());
    await run("polling", "set", "--interval", "45s");
    engine = await startRealEngine({
      profileDir: profiles,
      properties: {
        "spinnaker.extensibility.plugins-root-path": temporaryDirectory(),
        "logging.level.org.pf4j": "INFO",
      },
    });
    redis = new Redis(engine.redisUrl);
  });
  afterAll(async () => {
    redis?.disconnect();
    await engine?.stop();
  });

  test("loads the plugin at the version that was set", () => {
    expect(engine.output()).toContain(`Start plugin '${ID}@0.2.1'`);
  });

  test("polls at the interval that was set", async () => {
    const agent = `default/${REGION}/ClusterCachingAgent`;
    const refreshed = await aec(["refresh", "--account", "default", "--type", "server-group", "-o", "json"], {
      env: { AEC_CLOUDDRIVER_URL: engine.clouddriverUrl, AEC_LOCK_STORE: engine.redisUrl },
    });
    expect(refreshed.exit, refreshed.stdout).toBe(0);
    await until(
      async () => (await redis.pttl(agent)) > 31_000,
      "a lock that lives longer than the stock interval",
    );
    expect(await redis.pttl(agent)).toBeLessThanOrEqual(45_000);
  });
});
