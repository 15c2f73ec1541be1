import { usageError } from "../../errors.ts";
import { hideSecrets } from "../../secrets.ts";
import type { LockStore } from "./store.ts";

/** The lock store of a URL; its client is loaded when it is needed. Throws a usage error for any other scheme. */
export async function openLockStore(url: string): Promise<LockStore> {
  if (/^(mysql|mariadb|postgres(ql)?):/i.test(url)) assertUrl(url);
  const scheme = /^([a-z+]+):\/\//i.exec(url)?.[1]?.toLowerCase();
  switch (scheme) {
    case "redis":
    case "rediss":
      return (await import("./redis.ts")).openRedisLocks(url);
    case "mysql":
    case "mariadb": {
      const { openMysql } = await import("./mysql.ts");
      return (await import("./sql.ts")).openSqlLocks(openMysql(url), url);
    }
    case "postgres":
    case "postgresql": {
      const { openPostgres } = await import("./postgres.ts");
      return (await import("./sql.ts")).openSqlLocks(openPostgres(url), url);
    }
    default:
      throw usageError("bad-lock-store", `"${hideSecrets(url)}" is not the URL of a lock store`, {
        hint: "redis://HOST:6379, mysql://USER@HOST/clouddriver or postgres://USER@HOST/clouddriver, as Clouddriver has it",
      });
  }
}

/** Throws a usage error that does not repeat the text, since a password may be anywhere in it. */
function assertUrl(url: string): void {
  try {
    const { username, password, hostname } = new URL(url);
    decodeURIComponent(username);
    decodeURIComponent(password);
    if (hostname !== "") return;
  } catch {}
  throw usageError("bad-lock-store", "the URL of the lock store cannot be read", {
    hint: "mysql://USER:PASSWORD@HOST:3306/clouddriver; characters such as # and % in a password are written %23 and %25",
  });
}
