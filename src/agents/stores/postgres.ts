import pg from "pg";
import type { SqlClient } from "./sql.ts";

/** PostgreSQL; connects on first use. `?sslmode=require` asks for TLS, as in libpq. */
export function openPostgres(url: string): SqlClient {
  const target = new URL(url);
  target.searchParams.delete("table-namespace");
  const pool = new pg.Pool({
    connectionString: target.href,
    max: 4,
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
  });
  // A connection that is lost while it is idle: the next call opens another.
  pool.on("error", () => {});
  return {
    now: "CAST(extract(epoch from clock_timestamp()) * 1000 AS bigint)",
    async query(sql, values) {
      let index = 0;
      const numbered = sql.replaceAll("?", () => {
        index += 1;
        return `$${index}`;
      });
      const { rows, rowCount } = await pool.query(numbered, [...values]);
      return { rows, changed: rowCount ?? 0 };
    },
    isDuplicate: (error) => (error as { code?: string }).code === "23505",
    close: () => void pool.end().catch(() => {}),
  };
}
