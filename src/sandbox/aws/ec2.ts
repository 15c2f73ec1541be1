import { parseRule } from "./config-items.ts";
import { awsError } from "./error.ts";
import { type Input, integer, optionalText, records, text, texts } from "./input.ts";
import { awsId, type Inventory, type SecurityGroup } from "./inventory.ts";
import { page } from "./paging.ts";
import { ec2Protocol } from "./protocol.ts";
import type { Service } from "./service.ts";

const KIND = "security-group";
const MAX_PAGE = 1000;
const MAX_TEMPLATES = 200;

const FILTERS: Readonly<Record<string, (group: SecurityGroup) => string>> = {
  "group-id": ({ id }) => id,
  "group-name": ({ name }) => name,
  "vpc-id": ({ vpcId }) => vpcId,
};

/** EC2's security groups, launch templates and the groups' instances over the inventory; every ingress rule is TCP from IPv4 ranges. */
export function createEc2(inventory: Inventory, account: string): Service {
  const groupOf = (region: string, id: string): SecurityGroup => {
    const found = inventory.get(KIND, region, id);
    if (!found) throw awsError("InvalidGroup.NotFound", `The security group '${id}' does not exist`);
    return found;
  };

  return {
    protocol: ec2Protocol(),
    actions: {
      DescribeSecurityGroups: ({ region, input }) => {
        const ids = texts(input, "GroupId");
        const chosen = ids.length > 0 ? ids.map((id) => groupOf(region, id)) : inventory.list(KIND, region);
        const wanted = chosen.filter((group) =>
          records(input, "Filter").every((filter) => passes(filter, group)),
        );
        const size = integer(input, "MaxResults") ?? MAX_PAGE;
        const { items, next } = page(wanted, optionalText(input, "NextToken"), size);
        return { securityGroupInfo: items.map((group) => described(group, account)), nextToken: next };
      },
      DescribeInstances: ({ region, input }) => {
        const ids = inventory.list("auto-scaling-group", region).flatMap(({ instanceIds }) => instanceIds);
        const { items, next } = page(
          ids,
          optionalText(input, "NextToken"),
          integer(input, "MaxResults") ?? MAX_PAGE,
        );
        return {
          reservationSet: items.map((instanceId) => ({ instancesSet: [{ instanceId }] })),
          nextToken: next,
        };
      },
      DescribeLaunchTemplates: ({ region, input }) => {
        const { items, next } = page(
          inventory.list("launch-template", region),
          optionalText(input, "NextToken"),
          integer(input, "MaxResults") ?? MAX_TEMPLATES,
        );
        return {
          launchTemplates: items.map(({ id, name }) => ({ launchTemplateId: id, launchTemplateName: name })),
          nextToken: next,
        };
      },
      CreateSecurityGroup: ({ region, input }) => {
        const name = text(input, "GroupName");
        text(input, "GroupDescription");
        const vpcId = text(input, "VpcId");
        if (inventory.list(KIND, region).some((group) => group.name === name && group.vpcId === vpcId)) {
          const reason = `The security group '${name}' already exists for VPC '${vpcId}'`;
          throw awsError("InvalidGroup.Duplicate", reason);
        }
        const id = awsId("sg");
        inventory.put(KIND, region, { id, name, vpcId, rules: [] });
        return { return: true, groupId: id };
      },
      DeleteSecurityGroup: ({ region, input }) => {
        const { id } = groupOf(region, text(input, "GroupId"));
        inventory.remove(KIND, region, id);
        return { return: true, groupId: id };
      },
      AuthorizeSecurityGroupIngress: ({ region, input }) => {
        const group = groupOf(region, text(input, "GroupId"));
        const simple = optionalText(input, "CidrIp");
        const added = simple ? [rule(input, simple)] : records(input, "IpPermissions").flatMap(rulesOf);
        if (added.length === 0) throw awsError("MissingParameter", "The request must contain a rule.");
        const duplicate = added.find((one) => group.rules.includes(one));
        if (duplicate) {
          const reason = `the specified rule "peer: ${duplicate}" already exists`;
          throw awsError("InvalidPermission.Duplicate", reason);
        }
        inventory.put(KIND, region, { ...group, rules: [...group.rules, ...added] });
        return { return: true };
      },
    },
  };
}

function passes(filter: Input, group: SecurityGroup): boolean {
  const name = text(filter, "Name");
  const actual = FILTERS[name]?.(group);
  if (actual === undefined) throw awsError("InvalidParameterValue", `The filter '${name}' is invalid`);
  return texts(filter, "Value").includes(actual);
}

function rulesOf(permission: Input): string[] {
  return records(permission, "IpRanges").map((range) => rule(permission, text(range, "CidrIp")));
}

function rule(ports: Input, cidr: string): string {
  const from = integer(ports, "FromPort") ?? 0;
  const to = integer(ports, "ToPort") ?? from;
  return `${cidr}:${from === to ? from : `${from}-${to}`}`;
}

function described(group: SecurityGroup, account: string) {
  return {
    ownerId: account,
    groupId: group.id,
    groupName: group.name,
    groupDescription: group.name,
    vpcId: group.vpcId,
    ipPermissions: group.rules.map((text) => {
      const { cidr, from, to } = parseRule(text);
      return { ipProtocol: "tcp", fromPort: from, toPort: to, ipRanges: [{ cidrIp: cidr }] };
    }),
    ipPermissionsEgress: [],
    tagSet: [],
  };
}
