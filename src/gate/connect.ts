import { createReads, type Reads } from "../clouddriver/reads.ts";
import type { Context } from "../context.ts";
import { refused, requestJson, type Service } from "../http.ts";
import { gateLogin } from "./login.ts";
import type { Gate } from "./task.ts";

export interface GateConnection {
  /** Any answer below 500. */
  gate: Gate;
  /** Throws for what Gate refuses. */
  asked: Gate;
  reads: Reads;
}

/** Gate with the login of `spin`, where there is one. Throws where it has none that is good. */
export async function connectGate(context: Context): Promise<GateConnection> {
  const { url, headers, fetch } = await gateLogin(context);
  const service: Service = {
    name: "Gate",
    code: "gate",
    reach: "check --gate-url; from a laptop: --kube-namespace, or kubectl port-forward",
    identity: "that is a login page, or not Gate: put a login into ~/.spin/config, as for spin",
    login: "the login of ~/.spin/config is not good for that: try spin application list",
    hasLogin: true,
    headers,
    ...(fetch && { fetch }),
  };
  const gate: Gate = <T>(path: string, body?: unknown) =>
    requestJson<T>(context, service, url, path, body === undefined ? {} : { method: "POST", body });
  const asked: Gate = async <T>(path: string, body?: unknown) => {
    const answer = await gate<T>(path, body);
    if (answer.status >= 400) throw refused(service, path, answer);
    return answer;
  };
  return { gate, asked, reads: createReads(service, (path) => gate(path)) };
}
