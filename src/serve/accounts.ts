import type { Clock } from "../clock.ts";
import type { Account } from "../clouddriver/accounts.ts";
import { withConfigured } from "./configured-accounts.ts";

const MAX_AGE_MS = 60_000;

/**
 * Spinnaker's accounts, at most a minute old: Clouddriver's, and those of `aec.yml` that it does not show. Rejects while they have
 * never been read; later an old answer serves until there is a new one.
 */
export function createAccounts(
  load: () => Promise<Account[]>,
  configured: readonly Account[],
  clock: Clock,
): () => Promise<Account[]> {
  let known: Account[] | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<Account[]> | undefined;

  return async () => {
    if (known !== undefined && Math.abs(clock.now() - readAt) < MAX_AGE_MS) return known;
    loading ??= load().finally(() => {
      loading = undefined;
    });
    try {
      known = withConfigured(await loading, configured);
      readAt = clock.now();
    } catch (error) {
      if (known === undefined) throw error;
    }
    return known;
  };
}
