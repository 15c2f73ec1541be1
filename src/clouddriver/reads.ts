import pLimit from "p-limit";
import { type Answer, notThisService, refused, type Service } from "../http.ts";

/** Reads at one time: what is asked for a thousand things must not be asked at once. */
const MAX_READS = 16;

/** Reads of documents and lists; throws for anything else that answers. */
export interface Reads {
  /** The document, undefined for a 404: only that says that something is not cached. */
  one<T>(path: string, base?: string): Promise<T | undefined>;
  list<T>(path: string, base?: string): Promise<Answer<T[]>>;
}

export function createReads(
  service: Service,
  get: (path: string, base?: string) => Promise<Answer<unknown>>,
): Reads {
  const limit = pLimit(MAX_READS);
  return {
    async one<T>(path: string, base?: string) {
      const answer = await limit(() => get(path, base));
      if (answer.status === 404) return undefined;
      if (answer.status === 200) return answer.body as T;
      throw refused(service, path, answer);
    },
    async list<T>(path: string, base?: string) {
      const answer = await limit(() => get(path, base));
      if (Array.isArray(answer.body) && answer.status === 200) return answer as Answer<T[]>;
      if (answer.status >= 400) throw refused(service, path, answer);
      throw notThisService(
        service,
        `${path} did not answer a list`,
        JSON.stringify(answer.body).slice(0, 200),
      );
    },
  };
}
