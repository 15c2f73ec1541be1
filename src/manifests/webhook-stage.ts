import { ADMIN_PORT } from "./component.ts";

const HOST = "aec-serve";

/**
 * Orca's settings for a stage that refreshes the cache (orca-webhook, PreconfiguredWebhook). Orca refuses names
 * without a dot by default (UserConfiguredUrlRestrictions), so that the service's is let through beside all others.
 */
export function webhookStage(roles: readonly string[]) {
  const parameter = (name: string, label: string, description: string, defaultValue = "") => ({
    name,
    label,
    description,
    type: "string",
    defaultValue,
  });
  const value = (name: string) => `\${parameterValues['${name}']}`;
  const asked = JSON.stringify({
    account: value("account"),
    region: value("region"),
    type: value("type"),
    names: value("names"),
  });
  return {
    "user-configured-url-restrictions": { allowedHostnamesRegex: `.*\\..+|${HOST}` },
    webhook: {
      preconfigured: [
        {
          type: "aecRefresh",
          label: "Refresh AWS cache",
          description: "Makes what Spinnaker caches of AWS fresh now, and proves it",
          enabled: true,
          method: "POST",
          url: `http://${HOST}:${ADMIN_PORT}/refresh`,
          customHeaders: {
            "Content-Type": ["application/json"],
            Authorization: ["Bearer TOKEN"],
          },
          payload: asked,
          waitForCompletion: true,
          statusUrlResolution: "webhookResponse",
          statusUrlJsonPath: "$.url",
          statusJsonPath: "$.status",
          successStatuses: "SUCCEEDED",
          terminalStatuses: "TERMINAL",
          parameters: [
            parameter("account", "Account", "Spinnaker's name of the account"),
            parameter("region", "Region", "Empty: all of the account"),
            parameter("type", "Kind", "server-group, security-group, load-balancer, ..."),
            parameter("names", "Names", "Comma-separated; empty: all of the kind"),
          ],
          ...(roles.length > 0 && { permissions: { WRITE: roles } }),
        },
      ],
    },
  };
}
