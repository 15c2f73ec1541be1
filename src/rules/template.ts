import { tagList } from "../aws/tags.ts";
import { ANY_PLACE, type Resource, templateResult } from "../cloudformation/template.ts";
import type { CommandResult } from "../output/output.ts";
import { ownershipTags } from "../sns/topology.ts";
import type { WantedRule } from "./plan.ts";
import { RULE_DESCRIPTION } from "./rules.ts";

/** What `events enable` would make, as a template for the account and Region of its stack. */
export function rulesTemplate(
  environment: string,
  wantedIn: (place: typeof ANY_PLACE) => WantedRule[],
): CommandResult {
  const resources = wantedIn(ANY_PLACE).map(({ name, pattern, target }): [string, Resource] => [
    // Logical ids are alphanumeric.
    `Rule${name.replaceAll(/[^A-Za-z0-9]/g, "")}`,
    {
      Type: "AWS::Events::Rule",
      Properties: {
        Name: name,
        Description: RULE_DESCRIPTION,
        EventPattern: pattern,
        State: "ENABLED",
        Targets: [{ Id: target.id, Arn: target.arn, ...(target.roleArn && { RoleArn: target.roleArn }) }],
        Tags: tagList(ownershipTags(environment)),
      },
    },
  ]);
  return templateResult(
    `aec: EventBridge rules for Spinnaker's cache (${environment})`,
    Object.fromEntries(resources),
  );
}
