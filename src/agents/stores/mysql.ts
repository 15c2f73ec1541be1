import { createPool, type RowDataPacket } from "mysql2/promise";
import type { SqlClient } from "./sql.ts";

/** MySQL and MariaDB; connects on first use. `?ssl=true` asks for TLS. */
export function openMysql(url: string): SqlClient {
  const target = new URL(url.replace(/^mariadb:/, "mysql:"));
  const tls = target.searchParams.get("ssl") === "true";
  const pool = createPool({
    host: target.hostname,
    port: Number(target.port || 3306),
    user: decodeURIComponent(target.username),
    password: decodeURIComponent(target.password),
    database: target.pathname.slice(1),
    ...(tls && { ssl: {} }),
    connectionLimit: 4,
    connectTimeout: 5_000,
    supportBigNumbers: true,
  });
  return {
    // UNIX_TIMESTAMP is wrong for an hour when a session's time zone sets its clocks back.
    now: "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000)",
    async query(sql, values) {
      const [result] = await pool.query<RowDataPacket[]>({ sql, values: [...values], timeout: 5_000 });
      if (Array.isArray(result)) return { rows: result, changed: 0 };
      return { rows: [], changed: (result as { affectedRows: number }).affectedRows };
    },
    isDuplicate: (error) => (error as { code?: string }).code === "ER_DUP_ENTRY",
    close: () => void pool.end().catch(() => {}),
  };
}
