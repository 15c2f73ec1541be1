import type { Place } from "../aws/places.ts";
import type { Context } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { topicArn } from "../sns/topology.ts";
import { type Check, failed, ok, skipped } from "./check.ts";
import { follow, HINTS } from "./follow.ts";

/** Sends a message that asks for nothing through the topic of a place, and tells when it passed each hop. */
export async function checkChain(
  context: Context,
  place: Place,
  { environment, topicName }: { environment: string; topicName: string },
): Promise<Check[]> {
  const where = { accountId: place.accountId, region: place.region };
  const id = "chain";
  try {
    const { steps } = await follow(context, place, topicArn({ ...place, topicName }), environment);
    const lost = steps.find((step) => !step.ok);
    const passed = steps
      .filter((step) => step.ok && step.afterMs !== undefined)
      .map(({ name, afterMs = 0 }) => `${name} after ${formatDuration(afterMs)}`)
      .join(", ");
    if (lost) {
      const fix = HINTS[lost.name].join("; ") || undefined;
      const reason = `a message got lost: not ${lost.name}${lost.detail ? `, ${lost.detail}` : ""}`;
      return [{ ...where, id, result: "failure", reason, evidence: passed || undefined, fix }];
    }
    const whole = steps.some(({ name }) => name === "decided");
    return whole
      ? [{ ...where, ...ok(id, `a message passed the whole chain: ${passed}`) }]
      : [{ ...where, ...skipped(id, `followed no further than: ${passed}`, "add --serve-url") }];
  } catch (error) {
    return [{ ...where, ...failed(id, error) }];
  }
}
