/** Calls a moto server in AWS's query protocol, which needs no client: answers the XML, throws what it refuses. */
export function awsQueries(url: string, region: string) {
  const query =
    (service: string, version: string) =>
    async (action: string, params: Record<string, string> = {}): Promise<string> => {
      const scope = `test/20260101/${region}/${service}/aws4_request`;
      const response = await fetch(url, {
        method: "POST",
        headers: {
          authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`,
          "content-type": "application/x-www-form-urlencoded",
        },
        body: new URLSearchParams({ Action: action, Version: version, ...params }).toString(),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${action} answered ${response.status}: ${text.slice(0, 500)}`);
      return text;
    };
  return {
    ec2: query("ec2", "2016-11-15"),
    autoScaling: query("autoscaling", "2011-01-01"),
    classicElb: query("elasticloadbalancing", "2012-06-01"),
    elbV2: query("elasticloadbalancing", "2015-12-01"),
    cloudFormation: query("cloudformation", "2010-05-15"),
  };
}

/** The values of all elements of that name, in their order. */
export function elements(xml: string, name: string): string[] {
  return [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map(([, value = ""]) => value);
}
