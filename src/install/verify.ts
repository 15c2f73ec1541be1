import type { Context } from "../context.ts";
import { messageOf } from "../errors.ts";
import { PLUGIN_ID } from "./plugin.ts";

export interface InstallationCheck {
  id: "gate" | "clouddriver" | "notify";
  result: "ok" | "unknown" | "failure";
  reason: string;
  fix?: string;
}

const TIMEOUT_MS = 10_000;

/** Asks a running Gate whether the plugin is loaded. An empty list of another service proves nothing, and is told so. */
export async function verifyInstallation(context: Context, gateUrl: string): Promise<InstallationCheck[]> {
  return Promise.all([
    loaded(context, gateUrl, "gate"),
    loaded(context, gateUrl, "clouddriver"),
    checkNotify(context, `${base(gateUrl)}/aws/notify`),
  ]);
}

interface InstalledPlugin {
  pluginId?: string;
  version?: string;
}

async function loaded(
  context: Context,
  gateUrl: string,
  service: "gate" | "clouddriver",
): Promise<InstallationCheck> {
  const answer = await ask(context, `${base(gateUrl)}/plugins/installed?service=${service}`);
  if (answer.problem !== undefined) {
    // Whatever answers something else than JSON is most likely a login.
    const fix = answer.status === undefined ? UNREACHABLE : LOGIN;
    return { id: service, result: "failure", reason: answer.problem, fix };
  }
  const plugins = (answer.body as Record<string, InstalledPlugin[]> | null)?.[service] ?? [];
  const found = Array.isArray(plugins) ? plugins.find(({ pluginId }) => pluginId === PLUGIN_ID) : undefined;
  if (found) return { id: service, result: "ok", reason: `${PLUGIN_ID} ${found.version} is loaded` };
  // Gate knows its own plugins; it asks others by an endpoint that they do not expose by default.
  return service === "gate"
    ? {
        id: service,
        result: "failure",
        reason: "Gate has not loaded the plugin",
        fix: "roll out as aec install says, and look for 'Start plugin' in Gate's log",
      }
    : {
        id: service,
        result: "unknown",
        reason: "an empty list proves nothing unless clouddriver exposes installedPlugins",
        fix: "management.endpoints.web.exposure.include: health,installedPlugins in clouddriver's profile",
      };
}

/** What stands at the endpoint that SNS delivers to; an empty POST is no message, and changes nothing. */
export async function checkNotify(context: Context, url: string): Promise<InstallationCheck> {
  const answer = await ask(context, url, { method: "POST", body: "{}" });
  const path = URL.canParse(url) ? new URL(url).pathname : url;
  if (!("status" in answer)) return { id: "notify", result: "failure", reason: answer.problem };
  const { status } = answer;
  if (status === 404) {
    return {
      id: "notify",
      result: "failure",
      reason: `nothing answers at ${path} (404)`,
      fix: "is the plugin loaded, and is this Gate's context path?",
    };
  }
  if (
    status === 401 ||
    status === 403 ||
    (status >= 300 && status < 400) ||
    ("body" in answer && answer.body === "html")
  ) {
    return {
      id: "notify",
      result: "failure",
      reason: `an authentication filter or a redirect stands before ${path} (${status})`,
      fix: "let POSTs to that path pass, or receive with aec serve",
    };
  }
  if (status >= 500) {
    return {
      id: "notify",
      result: "failure",
      reason: `${path} answers ${status}`,
      fix: "Gate's log tells why",
    };
  }
  return { id: "notify", result: "ok", reason: `something answers at ${path} (${status})` };
}

const UNREACHABLE = "check --gate-url; from a laptop: --kube-namespace, or kubectl port-forward";
const LOGIN = "Gate wants a login here: ask where none is needed, such as through a port-forward";

type Reply = { status: number; body: unknown; problem?: never } | { status?: number; problem: string };

async function ask(context: Context, url: string, init: RequestInit = {}): Promise<Reply> {
  let status: number | undefined;
  try {
    const response = await context.fetch(url, {
      ...init,
      redirect: "manual",
      signal: AbortSignal.any([context.world.signal, AbortSignal.timeout(context.timeout(TIMEOUT_MS))]),
    });
    status = response.status;
    const text = await response.text();
    if (init.method === "POST") return { status, body: /^\s*<(!doctype|html)/i.test(text) ? "html" : null };
    if (!response.ok) return { status, problem: `${url} answered ${status}` };
    return { status, body: JSON.parse(text) };
  } catch (error) {
    const detail =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : messageOf(error);
    return status === undefined
      ? { problem: `${url} cannot be reached: ${detail}` }
      : { status, problem: `${url} did not answer JSON` };
  }
}

function base(url: string): string {
  return url.replace(/\/$/, "");
}
