/** What `aec serve` is to be given in the cluster. */
export interface Wanted {
  image: string;
  replicas: number;
  /** Values of `--clouddriver-url`. */
  clouddriver: readonly string[];
  topics: readonly string[];
  queues: readonly string[];
  /** Where SNS delivers to; undefined where only queues are received from. */
  endpoint: { host: string; path: string } | undefined;
  awsRegion: string | undefined;
  /** Of `aec serve`; undefined: its default. */
  mode: string | undefined;
  /** Annotated on the service account (IAM roles for service accounts). */
  roleArn: string | undefined;
  /** A `ServiceMonitor` needs the Prometheus operator's definitions. */
  serviceMonitor: boolean;
}

const NAME = "aec-serve";
const SECRET = "aec-serve";
const LABELS = { "app.kubernetes.io/name": NAME, "app.kubernetes.io/part-of": "spinnaker" };
/** Any but root; the image has no user of its own. */
const USER = 10001;
const NOTIFY_PORT = 7010;
export const ADMIN_PORT = 7011;

type Document = Readonly<Record<string, unknown>>;

/** Files of a Kustomize component that runs `aec serve`, by name; the first lists the others. */
export function component(wanted: Wanted): Record<string, Document> {
  const { endpoint, serviceMonitor } = wanted;
  const resources: Record<string, Document> = {
    "service-account.yml": serviceAccount(wanted),
    "deployment.yml": deployment(wanted),
    "service.yml": service(wanted),
    "network-policy.yml": networkPolicy(wanted),
    "pod-disruption-budget.yml": podDisruptionBudget(),
    ...(endpoint && { "ingress.yml": ingress(endpoint) }),
    ...(serviceMonitor && { "service-monitor.yml": monitor() }),
  };
  return {
    "kustomization.yml": {
      apiVersion: "kustomize.config.k8s.io/v1alpha1",
      kind: "Component",
      resources: Object.keys(resources),
    },
    ...resources,
  };
}

const metadata = { name: NAME, labels: LABELS };
const selector = { "app.kubernetes.io/name": NAME };

function serviceAccount({ roleArn }: Wanted): Document {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: {
      ...metadata,
      ...(roleArn && { annotations: { "eks.amazonaws.com/role-arn": roleArn } }),
    },
    automountServiceAccountToken: false,
  };
}

function deployment(wanted: Wanted): Document {
  const { image, replicas, clouddriver, endpoint, awsRegion } = wanted;
  const secret = (name: string, key: string) => ({
    name,
    valueFrom: { secretKeyRef: { name: SECRET, key, optional: true } },
  });
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      replicas,
      selector: { matchLabels: selector },
      template: {
        metadata: { labels: LABELS },
        spec: {
          serviceAccountName: NAME,
          automountServiceAccountToken: false,
          // What is under way is delivered again: nothing is gained by waiting longer.
          terminationGracePeriodSeconds: 30,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: USER,
            runAsGroup: USER,
            seccompProfile: { type: "RuntimeDefault" },
          },
          containers: [
            {
              name: NAME,
              image,
              args: argumentsOf(wanted),
              env: [
                { name: "AEC_CLOUDDRIVER_URL", value: clouddriver.join(",") },
                ...(awsRegion ? [{ name: "AWS_REGION", value: awsRegion }] : []),
                secret("AEC_LOCK_STORE", "lock-store"),
                secret("AEC_STATE_STORE", "state-store"),
                secret("AEC_SERVE_TOKEN", "token"),
              ],
              ports: [
                ...(endpoint ? [{ name: "notify", containerPort: NOTIFY_PORT }] : []),
                { name: "admin", containerPort: ADMIN_PORT },
              ],
              livenessProbe: { httpGet: { path: "/healthz", port: "admin" }, periodSeconds: 10 },
              readinessProbe: {
                httpGet: { path: "/readyz", port: "admin" },
                periodSeconds: 10,
                timeoutSeconds: 5,
              },
              resources: { requests: { cpu: "100m", memory: "192Mi" }, limits: { memory: "384Mi" } },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ["ALL"] },
              },
            },
          ],
        },
      },
    },
  };
}

function argumentsOf({ topics, queues, endpoint, mode }: Wanted): string[] {
  return [
    "serve",
    ...(endpoint ? ["--listen", `0.0.0.0:${NOTIFY_PORT}`, "--path", endpoint.path] : []),
    "--admin-listen",
    `0.0.0.0:${ADMIN_PORT}`,
    ...(mode === undefined ? [] : ["--mode", mode]),
    ...topics.flatMap((arn) => ["--topic-arn", arn]),
    ...queues.flatMap((url) => ["--queue-url", url]),
  ];
}

function service({ endpoint }: Wanted): Document {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: {
      selector,
      ports: [
        ...(endpoint ? [{ name: "notify", port: NOTIFY_PORT, targetPort: "notify" }] : []),
        { name: "admin", port: ADMIN_PORT, targetPort: "admin" },
      ],
    },
  };
}

/** SNS comes through the ingress; the admin port is for Spinnaker's own namespace and for Prometheus. */
function networkPolicy({ endpoint, serviceMonitor }: Wanted): Document {
  const monitoring = {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } },
  };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata,
    spec: {
      podSelector: { matchLabels: selector },
      policyTypes: ["Ingress"],
      ingress: [
        ...(endpoint ? [{ ports: [{ port: "notify" }] }] : []),
        {
          from: [{ podSelector: {} }, ...(serviceMonitor ? [monitoring] : [])],
          ports: [{ port: "admin" }],
        },
      ],
    },
  };
}

function podDisruptionBudget(): Document {
  return {
    apiVersion: "policy/v1",
    kind: "PodDisruptionBudget",
    metadata,
    spec: { maxUnavailable: 1, selector: { matchLabels: selector } },
  };
}

/** Beside Gate's own rules for the host: the longest path wins. */
function ingress({ host, path }: { host: string; path: string }): Document {
  const backend = { service: { name: NAME, port: { name: "notify" } } };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata,
    spec: {
      tls: [{ hosts: [host] }],
      rules: [{ host, http: { paths: [{ path, pathType: "Exact", backend }] } }],
    },
  };
}

function monitor(): Document {
  return {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "ServiceMonitor",
    metadata,
    spec: {
      selector: { matchLabels: selector },
      endpoints: [{ port: "admin", path: "/metrics", interval: "30s" }],
    },
  };
}
