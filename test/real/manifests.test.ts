import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { aec, temporaryDirectory } from "../helpers/aec.ts";
import { cacheDir } from "./clouddriver/cache-dir.ts";

const COMMON = ["--clouddriver-url", "http://spin-clouddriver:7002"];
const TOPIC = "arn:aws:sns:us-east-1:012345678901:aec-prod";
const QUEUE = "https://sqs.us-east-1.amazonaws.com/012345678901/aec-prod-events";
const WAYS = {
  "an endpoint": ["--endpoint", "https://gate.example.com/aws/notify", "--topic-arn", TOPIC],
  "a queue, two pods, a role": [
    ...["--queue-url", QUEUE, "--replicas", "2", "--no-service-monitor"],
    ...["--role-arn", "arn:aws:iam::012345678901:role/aec"],
  ],
};
/** Beside what spinnaker-kustomize has, and beside a SpinnakerService of the operators. */
const LAYOUTS = {
  "spinnaker-kustomize":
    "apiVersion: v1\nkind: Service\nmetadata:\n  name: gate\nspec:\n  ports:\n    - port: 8084\n",
  operator:
    "apiVersion: spinnaker.io/v1alpha2\nkind: SpinnakerService\nmetadata:\n  name: spinnaker\nspec: {}\n",
};

const validate = (text: string, version: string) => {
  const file = join(temporaryDirectory(), "built.yml");
  writeFileSync(file, text);
  return spawnSync(
    join(cacheDir(), "kubernetes/bin/kubernetes-validate"),
    ["--strict", "--kubernetes-version", version, file],
    { encoding: "utf8" },
  );
};

describe.each(["5.3.0", "5.8.2"])("kustomize %s builds the component", (version) => {
  test.each(Object.entries(WAYS))("for %s, beside either layout, as Kubernetes wants it", async (_, argv) => {
    for (const base of Object.values(LAYOUTS)) {
      const home = temporaryDirectory();
      const written = await aec(["manifests", "components/aec", ...COMMON, ...argv, "--yes"], { home });
      expect(written.exit, written.stderr).toBe(0);
      mkdirSync(join(home, "site"));
      writeFileSync(join(home, "site/base.yml"), base);
      writeFileSync(
        join(home, "site/kustomization.yml"),
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: spinnaker\nresources:\n  - base.yml\ncomponents:\n  - ../components/aec\nimages:\n  - name: aec\n    newName: images.example.com/aec\n",
      );
      const built = execFileSync(join(cacheDir(), `kustomize-${version}/kustomize`), ["build", "site"], {
        cwd: home,
        encoding: "utf8",
      });
      expect(built).toContain("image: images.example.com/aec:");
      expect(built.match(/namespace: spinnaker/g)?.length).toBeGreaterThanOrEqual(6);
      for (const kubernetes of ["1.27", "1.37"]) {
        const { status, stdout, stderr } = validate(built, kubernetes);
        expect(status, stdout + stderr).toBe(0);
        expect(stdout + stderr).toContain("passed for resource deployment/aec-serve");
      }
    }
  });
});

test("the schemas do tell what is wrong", () => {
  const { status } = validate(
    "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\nspec:\n  prots: []\n",
    "1.37",
  );
  expect(status).not.toBe(0);
});
