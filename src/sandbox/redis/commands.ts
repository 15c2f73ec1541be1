import { createHash } from "node:crypto";
import type { Clock } from "../../clock.ts";
import { redisGlob } from "./glob.ts";
import type { Keyspace, SetOptions } from "./keyspace.ts";
import { OK, type RespValue } from "./resp.ts";

/** What stands in for a Lua script; it may throw, which answers an error. */
export type Script = (keyspace: Keyspace, keys: readonly string[], args: readonly string[]) => RespValue;

/** What one server's connections share. */
export interface Shared {
  clock: Clock;
  databases: (index: number) => Keyspace;
  password: string | undefined;
  scripts: ReadonlyMap<string, Script>;
  /** Scripts that `EVALSHA` may name, by SHA-1: those seen by `EVAL` or `SCRIPT LOAD`, as in Redis. */
  loaded: Map<string, Script>;
}

/** One connection's state. */
export interface Session {
  db: number;
  authenticated: boolean;
  closing: boolean;
}

interface Call extends Shared {
  db: Keyspace;
  session: Session;
}
/** `least` is the number of arguments a command needs. */
type Command = readonly [least: number, run: (call: Call, args: readonly string[]) => RespValue];

const DATABASES = 16;
const NOT_AN_INTEGER = "ERR value is not an integer or out of range";
const SYNTAX = "ERR syntax error";

const COMMANDS: Readonly<Record<string, Command>> = {
  PING: [0, (_, [message]) => message ?? { status: "PONG" }],
  INFO: [0, () => "redis_version:5.0.14\r\nredis_mode:standalone\r\nloading:0\r\nrole:master\r\n"],
  QUIT: [
    0,
    ({ session }) => {
      session.closing = true;
      return OK;
    },
  ],
  AUTH: [1, auth],
  CLIENT: [
    1,
    (_, [what]) => (what?.toUpperCase() === "ID" ? 1 : what?.toUpperCase() === "GETNAME" ? null : OK),
  ],
  SELECT: [
    1,
    ({ session }, [index = ""]) => {
      const db = integer(index);
      if (db < 0 || db >= DATABASES) return { error: "ERR DB index is out of range" };
      session.db = db;
      return OK;
    },
  ],
  SET: [2, set],
  GET: [1, ({ db }, [key = ""]) => db.get(key) ?? null],
  MGET: [1, ({ db }, keys) => keys.map((key) => db.get(key) ?? null)],
  DEL: [1, ({ db }, keys) => keys.filter((key) => db.del(key)).length],
  EXISTS: [1, ({ db }, keys) => keys.filter((key) => db.get(key) !== undefined).length],
  TYPE: [1, ({ db }, [key = ""]) => ({ status: db.get(key) === undefined ? "none" : "string" })],
  PTTL: [1, ({ db }, [key = ""]) => db.pttl(key)],
  PEXPIRE: [2, ({ db }, [key = "", ms = ""]) => (db.pexpire(key, integer(ms)) ? 1 : 0)],
  DBSIZE: [0, ({ db }) => db.keys().length],
  SCAN: [1, scan],
  TIME: [
    0,
    ({ clock }) => {
      const now = clock.now();
      return [String(Math.floor(now / 1000)), String(Math.floor((now % 1000) * 1000))];
    },
  ],
  EVAL: [2, (call, [text = "", ...rest]) => runScript(call, load(call, text), rest)],
  EVALSHA: [
    2,
    (call, [sha = "", ...rest]) => {
      const script = call.loaded.get(sha.toLowerCase());
      if (!script) return { error: "NOSCRIPT No matching script. Please use EVAL." };
      return runScript(call, script, rest);
    },
  ],
  SCRIPT: [1, script],
};

/** Runs one request; every failure is an error answer. */
export function execute(shared: Shared, session: Session, request: readonly string[]): RespValue {
  const [name = "", ...args] = request;
  const command = COMMANDS[name.toUpperCase()];
  // Before the password is asked for, as Redis 5 does: that is how a client learns that HELLO is not known.
  if (!command) return { error: `ERR unknown command \`${name}\`` };
  const [least, run] = command;
  if (args.length < least)
    return { error: `ERR wrong number of arguments for '${name.toLowerCase()}' command` };
  if (!session.authenticated && run !== auth) return { error: "NOAUTH Authentication required." };
  try {
    return run({ ...shared, session, db: shared.databases(session.db) }, args);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { error: /^[A-Z]+ /.test(message) ? message : `ERR ${message}` };
  }
}

function auth({ password, session }: Call, args: readonly string[]): RespValue {
  if (args.length > 1) return { error: "ERR wrong number of arguments for 'auth' command" };
  if (password === undefined) return { error: "ERR Client sent AUTH, but no password is set" };
  if (args[0] !== password) return { error: "ERR invalid password" };
  session.authenticated = true;
  return OK;
}

function set({ db }: Call, [key = "", value = "", ...words]: readonly string[]): RespValue {
  const options: SetOptions = {};
  let answersOld = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]?.toUpperCase();
    if (word === "NX") options.nx = true;
    else if (word === "XX") options.xx = true;
    else if (word === "GET") answersOld = true;
    else if ((word === "PX" || word === "EX") && options.px === undefined && at + 1 < words.length) {
      at += 1;
      options.px = integer(words[at] ?? "") * (word === "EX" ? 1000 : 1);
      if (options.px <= 0) return { error: "ERR invalid expire time in set" };
    } else return { error: SYNTAX };
  }
  if (options.nx && options.xx) return { error: SYNTAX };
  const old = db.get(key) ?? null;
  const written = db.set(key, value, options);
  if (answersOld) return old;
  return written ? OK : null;
}

function scan({ db }: Call, [cursor = "", ...words]: readonly string[]): RespValue {
  let match = /^/;
  let count = 10;
  let strings = true;
  for (let at = 0; at < words.length; at += 2) {
    const operand = words[at + 1];
    const word = words[at]?.toUpperCase();
    if (operand === undefined) return { error: SYNTAX };
    if (word === "MATCH") match = redisGlob(operand);
    else if (word === "COUNT") count = integer(operand);
    else if (word === "TYPE") strings = operand.toLowerCase() === "string";
    else return { error: SYNTAX };
  }
  if (count < 1) return { error: SYNTAX };
  if (!/^\d+$/.test(cursor)) return { error: "ERR invalid cursor" };
  const page = db.scan(Number(cursor), count);
  return [String(page.cursor), page.keys.filter((key) => strings && match.test(key))];
}

function script(call: Call, [what = "", ...args]: readonly string[]): RespValue {
  switch (what.toUpperCase()) {
    case "LOAD":
      load(call, args[0] ?? "");
      return sha1(args[0] ?? "");
    case "EXISTS":
      return args.map((sha) => (call.loaded.has(sha.toLowerCase()) ? 1 : 0));
    case "FLUSH":
      call.loaded.clear();
      return OK;
    default:
      return { error: "ERR Unknown subcommand for 'script'" };
  }
}

function load({ scripts, loaded }: Call, text: string): Script {
  const found = scripts.get(text);
  const sha = sha1(text);
  if (!found)
    throw new Error(
      `ERR the sandbox runs no Lua and does not know script ${sha} (${text.trim().slice(0, 60)}): add its exact text to startRedis({ scripts })`,
    );
  loaded.set(sha, found);
  return found;
}

function runScript({ db }: Call, run: Script, [numkeys = "", ...rest]: readonly string[]): RespValue {
  const keys = integer(numkeys);
  if (keys < 0) return { error: "ERR Number of keys can't be negative" };
  if (keys > rest.length) return { error: "ERR Number of keys can't be greater than number of args" };
  return run(db, rest.slice(0, keys), rest.slice(keys));
}

function integer(text: string): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value)) throw new Error(NOT_AN_INTEGER);
  return value;
}

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
