/** Where the certificates of a topic's Region come from, and the name that they must be issued for. */
export interface SigningHost {
  /** `https://sns.us-east-1.amazonaws.com` or, for tests and emulators, the configured SNS endpoint. */
  origin: string;
  /** The leaf's host name; undefined for a configured endpoint, whose certificates are its own affair. */
  leafName: string | undefined;
}

export interface ParsedTopicArn {
  partition: string;
  region: string;
  accountId: string;
  name: string;
}

/** The parts of `arn:<partition>:sns:<region>:<account>:<name>`, or undefined. */
export function parseTopicArn(arn: string): ParsedTopicArn | undefined {
  const match = /^arn:(aws[a-z-]*):sns:([a-z0-9-]+):(\d{12}):([A-Za-z0-9_-]{1,256}(?:\.fifo)?)$/.exec(arn);
  const [, partition, region, accountId, name] = match ?? [];
  return partition && region && accountId && name ? { partition, region, accountId, name } : undefined;
}

const SUFFIXES: Readonly<Record<string, string>> = {
  aws: "amazonaws.com",
  "aws-us-gov": "amazonaws.com",
  "aws-cn": "amazonaws.com.cn",
  "aws-eusc": "amazonaws.eu",
};

/** Regions launched since 2019 have to be opted into; their leaves carry a name of their own. */
const OPT_IN =
  /^(ap-east-[12]|ap-south-2|ap-southeast-[3-7]|me-south-1|me-central-1|eu-south-[12]|eu-central-2|af-south-1|il-central-1|ca-west-1|mx-central-1)$/;

/**
 * The signing host of a topic, from the ARN that the operator allowed and never from the message (AWS SDK for Java v2,
 * SNS message manager). `endpoint` is an explicitly configured SNS endpoint: it then is the only host.
 */
export function signingHost(
  { partition, region }: ParsedTopicArn,
  endpoint: string | undefined,
): SigningHost | undefined {
  if (endpoint !== undefined) return { origin: new URL(endpoint).origin, leafName: undefined };
  const suffix = SUFFIXES[partition];
  return suffix === undefined
    ? undefined
    : { origin: `https://sns.${region}.${suffix}`, leafName: leafName(partition, region, suffix) };
}

/** The signing host of each of the topics; undefined for what is no topic's ARN. */
export function signingHosts(
  topics: readonly string[],
  endpoint: string | undefined,
): ReadonlyMap<string, SigningHost | undefined> {
  return new Map(
    topics.map((arn) => {
      const topic = parseTopicArn(arn);
      return [arn, topic && signingHost(topic, endpoint)];
    }),
  );
}

function leafName(partition: string, region: string, suffix: string): string {
  if (partition === "aws-us-gov") return `sns-us-gov-west-1.${suffix}`;
  if (partition === "aws-cn") return `sns-${region}.${suffix}`;
  if (partition === "aws-eusc" || OPT_IN.test(region)) return `sns-signing.${region}.${suffix}`;
  return `sns.${suffix}`;
}

/** AWS's path; with a configured endpoint LocalStack's longer one below the same file name too. */
const PATH = /^\/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem$/;
const LONG_PATH = /^(?:\/_aws\/sns)?\/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem$/;

/** Whether a SigningCertURL is, letter by letter, a certificate of that host: nothing is decoded, folded or guessed. */
export function isCertificateUrl(text: string, { origin, leafName }: SigningHost): boolean {
  const path = leafName === undefined ? LONG_PATH : PATH;
  return text.startsWith(origin) && path.test(text.slice(origin.length));
}
