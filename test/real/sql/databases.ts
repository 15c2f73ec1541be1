import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { chmod, chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openMysql } from "../../../src/agents/stores/mysql.ts";
import { openPostgres } from "../../../src/agents/stores/postgres.ts";
import type { SqlClient } from "../../../src/agents/stores/sql.ts";
import { freePort, type ServerProcess, spawnServer, waitUntil } from "../clouddriver/process.ts";

/** A private database server with an empty database. */
export interface Database {
  readonly url: string;
  /** A client of it; the caller closes it. */
  open(): SqlClient;
  stop(): Promise<void>;
}

const run = promisify(execFile);
const START_MS = 30_000;
const asRoot = process.getuid?.() === 0;

async function ready(name: string, server: ServerProcess, open: () => SqlClient): Promise<void> {
  await waitUntil(name, server, START_MS, async () => {
    const client = open();
    try {
      await client.query("SELECT 1", []);
      return true;
    } finally {
      client.close();
    }
  });
}

async function remove(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

/** Debian's MariaDB on a free port of 127.0.0.1. */
export async function startMariadb(): Promise<Database> {
  const directory = await mkdtemp(join(tmpdir(), "aec-mariadb-"));
  const user = asRoot ? ["--user=root"] : [];
  await run("mariadb-install-db", [
    "--no-defaults",
    `--datadir=${directory}/data`,
    "--auth-root-authentication-method=normal",
    "--skip-test-db",
    ...user,
  ]);
  const port = await freePort();
  const daemon = asRoot ? "/usr/sbin/mariadbd" : "mariadbd";
  const server = await spawnServer(daemon, [
    "--no-defaults",
    `--datadir=${directory}/data`,
    `--socket=${directory}/socket`,
    `--pid-file=${directory}/pid`,
    "--bind-address=127.0.0.1",
    `--port=${port}`,
    ...user,
  ]);
  const bootstrap = `mysql://root@127.0.0.1:${port}/mysql`;
  await ready("mariadbd", server, () => openMysql(bootstrap));
  const client = openMysql(bootstrap);
  await client.query("CREATE DATABASE clouddriver", []);
  client.close();
  const url = `mysql://root@127.0.0.1:${port}/clouddriver`;
  return {
    url,
    open: () => openMysql(url),
    async stop() {
      await server.stop();
      await remove(directory);
    },
  };
}

/** Debian's PostgreSQL on a free port of 127.0.0.1; it refuses to run as root, and then runs as its own user. */
export async function startPostgres(): Promise<Database> {
  const versions = readdirSync("/usr/lib/postgresql").toSorted((a, b) => Number(a) - Number(b));
  const bin = join("/usr/lib/postgresql", versions.at(-1) ?? "", "bin");
  const directory = await mkdtemp(join(tmpdir(), "aec-postgres-"));
  const as = asRoot ? ["runuser", "-u", "postgres", "--"] : [];
  if (asRoot) {
    const { stdout } = await run("id", ["-u", "postgres"]);
    await chown(directory, Number(stdout), 0);
  }
  await chmod(directory, 0o700);
  const [command = "", ...argv] = [
    ...as,
    join(bin, "initdb"),
    "-D",
    `${directory}/data`,
    "-U",
    "clouddriver",
  ];
  await run(command, [...argv, "-A", "trust", "--no-sync"], { cwd: "/" });
  const port = await freePort();
  const [daemon = "", ...options] = [...as, join(bin, "postgres"), "-D", `${directory}/data`];
  const server = await spawnServer(
    daemon,
    [...options, "-h", "127.0.0.1", "-p", String(port), "-k", directory, "-F"],
    { cwd: "/" },
  );
  const url = `postgres://clouddriver@127.0.0.1:${port}/postgres`;
  await ready("postgres", server, () => openPostgres(url));
  return {
    url,
    open: () => openPostgres(url),
    async stop() {
      await server.stop();
      await remove(directory);
    },
  };
}
