import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Settled, Watcher } from "../watcher.ts";

/** Prometheus metrics of one `aec serve`, and the watcher that counts them. */
export interface Metrics extends Watcher {
  /** The text of `/metrics`, and its content type. */
  expose(): Promise<string>;
  readonly contentType: string;
}

export interface MetricSources {
  open(): number;
  held(): number;
  slowed(): number;
}

const SECONDS = [0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 900];

export function createMetrics({ open, held, slowed }: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const events = new Counter({
    name: "aec_events_total",
    help: "Messages that were taken, by AWS resource type, source and outcome.",
    labelNames: ["source", "type", "outcome"],
    registers,
  });
  const refused = new Counter({
    name: "aec_refused_total",
    help: "Messages that were not taken: no message, invalid, or not to be verified now.",
    labelNames: ["result"],
    registers,
  });
  const refreshes = new Counter({
    name: "aec_refreshes_total",
    help: "Refreshes by kind and verdict.",
    labelNames: ["kind", "verdict"],
    registers,
  });
  const throttled = new Counter({
    name: "aec_throttled_total",
    help: "Times that an account was seen to be throttled by AWS.",
    labelNames: ["account", "region"],
    registers,
  });
  const certificates = new Counter({
    name: "aec_certificate_fetches_total",
    help: "Signing certificates that were fetched.",
    registers,
  });
  const healed = new Counter({
    name: "aec_healed_total",
    help: "Agents that were freed from a node that is gone.",
    registers,
  });
  const heartbeat = new Gauge({
    name: "aec_heartbeat_lag_seconds",
    help: "From sending the last heartbeat that arrived to its arrival, by path.",
    labelNames: ["path"],
    registers,
  });
  const heartbeatAt = new Gauge({
    name: "aec_heartbeat_received_timestamp_seconds",
    help: "When the last heartbeat arrived, by path.",
    labelNames: ["path"],
    registers,
  });
  const visible = (name: string, help: string) =>
    new Histogram({ name, help, labelNames: ["source"], buckets: SECONDS, registers });
  const received = visible(
    "aec_received_to_visible_seconds",
    "From receiving an event to its change being in the cache.",
  );
  const changed = visible(
    "aec_changed_to_visible_seconds",
    "From AWS's own time of a change to it being in the cache.",
  );
  for (const [name, help, value] of [
    ["aec_open_messages", "Messages that are being applied.", open],
    ["aec_held_agents", "Agents that are held for a longer interval.", held],
    ["aec_slowed_places", "Accounts and Regions that are treated gently, since AWS throttles.", slowed],
  ] as const) {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value());
      },
    });
  }

  return {
    contentType: registry.contentType,
    expose: () => registry.metrics(),
    settled({ fate, event }: Settled) {
      const { outcome, receivedAt = 0, settledAt = 0 } = fate;
      const [source, type] = [event?.source ?? "none", event?.resourceType ?? "none"];
      events.inc({ source, type, outcome });
      if (outcome !== "applied" || !event || !fate.work) return;
      received.observe({ source }, (settledAt - receivedAt) / 1_000);
      if (event.at > 0) changed.observe({ source }, Math.max(0, settledAt - event.at) / 1_000);
    },
    refreshed: (kind, verdict) => refreshes.inc({ kind, verdict }),
    refused: (result) => refused.inc({ result }),
    throttled: (account, region) => throttled.inc({ account, region }),
    certificateFetched: () => certificates.inc(),
    healed: () => healed.inc(),
    heartbeat(path, lagMs, at) {
      heartbeat.set({ path }, lagMs / 1_000);
      heartbeatAt.set({ path }, at / 1_000);
    },
  };
}
