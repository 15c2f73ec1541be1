import type { Reads } from "./reads.ts";

/** Kinds that Clouddriver's search knows, with the field that names a result (`Keys.parse` of clouddriver-aws). */
const SEARCHED = {
  serverGroups: "serverGroup",
  securityGroups: "id",
  loadBalancers: "loadBalancer",
  targetGroups: "targetGroup",
  instances: "instanceId",
} as const;
export type SearchedKind = keyof typeof SEARCHED;

const PAGE_SIZE = 10_000;

interface SearchAnswer {
  totalMatches?: number;
  results?: Record<string, string>[];
}

/** Something that the cache has, and where. */
export interface Found {
  account: string;
  region: string;
  name: string;
}

/** Clouddriver's search, which lists all keys of its cache; `extra` goes along with each question. */
export function createSearch({ list }: Reads, extra: Readonly<Record<string, string>> = {}) {
  return {
    /** Names of everything of a kind that is cached for an account and Region. */
    async names(kind: SearchedKind, account: string, region: string): Promise<string[]> {
      const results = await search(kind, { account, region });
      return results
        .filter((result) => result.account === account && result.region === region)
        .flatMap((result) => result[SEARCHED[kind]] ?? []);
    },

    /** What the cache has of an application, wherever it is. */
    async ofApplication(kind: SearchedKind, application: string): Promise<Found[]> {
      const results = await search(kind, { q: application });
      return results.flatMap((result) => {
        const { account, region, [SEARCHED[kind]]: name } = result;
        const own = result.application?.toLowerCase() === application.toLowerCase();
        return own && account && region && name ? [{ account, region, name }] : [];
      });
    },
  };

  async function search(kind: SearchedKind, filter: Record<string, string>) {
    const found: Record<string, string>[] = [];
    for (let page = 1; ; page += 1) {
      const query = new URLSearchParams({
        q: "",
        type: kind,
        cloudProvider: "aws",
        pageSize: String(PAGE_SIZE),
        page: String(page),
        ...extra,
        ...filter,
      });
      const { body } = await list<SearchAnswer>(`/search?${query}`);
      const results = body[0]?.results ?? [];
      found.push(...results);
      if (results.length === 0 || found.length >= (body[0]?.totalMatches ?? 0)) return found;
    }
  }
}
