import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { Redis } from "ioredis";
import { expect, onTestFinished, test, vi } from "vitest";
import { type RedisOptions, startRedis } from "../../../src/sandbox/redis/server.ts";
import { manualClock } from "../clouddriver/manual-clock.ts";

const COMPARE_AND_DELETE =
  'if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0';
const scripts: RedisOptions["scripts"] = new Map([
  [
    COMPARE_AND_DELETE,
    (keyspace, [key = ""], [token]) => (keyspace.get(key) === token && keyspace.del(key) ? 1 : 0),
  ],
]);

async function redis(options: Partial<RedisOptions> = {}) {
  const clock = manualClock();
  const server = await startRedis({ clock, scripts: scripts ?? new Map(), ...options });
  const client = new Redis(server.url, { retryStrategy: () => 5 });
  client.on("error", () => {});
  onTestFinished(async () => {
    client.disconnect();
    await server.close();
  });
  return { clock, server, client };
}

test("SET NX PX, as a lock is taken, and PTTL on the clock", async () => {
  const { clock, client } = await redis();
  expect(await client.set("lock", "me", "PX", 1000, "NX")).toBe("OK");
  expect(await client.set("lock", "other", "PX", 1000, "NX")).toBeNull();
  await clock.advance(400);
  expect(await client.pttl("lock")).toBe(600);
  await clock.advance(600);
  expect(await client.get("lock")).toBe("me");
  await clock.advance(1);
  expect(await client.get("lock")).toBeNull();
  expect(await client.pttl("lock")).toBe(-2);
  expect(await client.set("lock", "me", "XX")).toBeNull();
});

test("SET EX GET, MGET, DEL, EXISTS, TYPE, DBSIZE, PEXPIRE, TIME, PING", async () => {
  const { clock, client } = await redis();
  expect(await client.set("a", "1", "EX", 2)).toBe("OK");
  expect(await client.set("a", "ä€", "GET")).toBe("1");
  expect(await client.pttl("a")).toBe(-1);
  expect(await client.mget("a", "b")).toEqual(["ä€", null]);
  expect([await client.exists("a", "b", "a"), await client.dbsize()]).toEqual([2, 1]);
  expect([await client.type("a"), await client.type("b")]).toEqual(["string", "none"]);
  expect([await client.pexpire("a", 50), await client.pexpire("b", 50)]).toEqual([1, 0]);
  expect(await client.pttl("a")).toBe(50);
  expect(await client.pexpire("a", 0)).toBe(1);
  expect(await client.del("a", "b")).toBe(0);
  expect(await client.time()).toEqual([String(clock.now() / 1000), "0"]);
  expect([await client.ping(), await client.ping("hello")]).toEqual(["PONG", "hello"]);
});

test("errors name the mistake", async () => {
  const { client } = await redis();
  await expect(client.call("SET", "a", "1", "NX", "XX")).rejects.toThrow("ERR syntax error");
  await expect(client.call("SET", "a", "1", "PX")).rejects.toThrow("ERR syntax error");
  await expect(client.call("SET", "a", "1", "PX", "soon")).rejects.toThrow("not an integer");
  await expect(client.call("SET", "a", "1", "PX", "0")).rejects.toThrow("invalid expire");
  await expect(client.call("GET")).rejects.toThrow("wrong number of arguments for 'get'");
  await expect(client.call("HELLO", "3")).rejects.toThrow("unknown command");
  await expect(client.select(16)).rejects.toThrow("out of range");
});

test("SCAN visits every key once, by glob, while others come and go", async () => {
  const { client } = await redis();
  const kept = Array.from({ length: 100 }, (_, at) => `prod/us-east-1/Agent${at}`);
  for (const key of [...kept, "aec:1", "other"]) await client.set(key, "1");
  const found: string[] = [];
  let cursor = "0";
  do {
    const [next, keys] = await client.scan(cursor, "MATCH", "prod/*/Agent*", "COUNT", 7);
    found.push(...keys);
    cursor = next;
    await client.set(`aec:${found.length}`, "1");
    await client.del("other");
  } while (cursor !== "0");
  expect(found.sort()).toEqual(kept.sort());
});

test.each([
  ["a?c", "abc", "ac"],
  ["[a-c]x", "bx", "dx"],
  ["[^a]x", "bx", "ax"],
  ["a\\*", "a*", "ab"],
  ["a.(b", "a.(b", "axxb"],
  ["[", "[", "x"],
])("MATCH %s", async (pattern, yes, no) => {
  const { client } = await redis();
  for (const key of [yes, no]) await client.set(key, "1");
  expect((await client.scan("0", "MATCH", pattern, "COUNT", 100))[1]).toEqual([yes]);
});

test("scripts are found by their text and, once seen, by their SHA-1", async () => {
  const { client, server } = await redis();
  server.keyspace.set("lock", "me");
  const sha = createHash("sha1").update(COMPARE_AND_DELETE).digest("hex");
  await expect(client.evalsha(sha, 1, "lock", "me")).rejects.toThrow(/^NOSCRIPT/);
  expect(await client.eval(COMPARE_AND_DELETE, 1, "lock", "other")).toBe(0);
  expect(await client.evalsha(sha, 1, "lock", "me")).toBe(1);
  expect(server.keyspace.get("lock")).toBeUndefined();
  await expect(client.eval("return 1", 0)).rejects.toThrow(/sandbox runs no Lua.*return 1/);
});

test("ioredis's own scripts fall back from EVALSHA to EVAL", async () => {
  const { client, server } = await redis();
  server.keyspace.set("lock", "me");
  client.defineCommand("release", { numberOfKeys: 1, lua: COMPARE_AND_DELETE });
  const { release } = client as unknown as { release(key: string, token: string): Promise<number> };
  expect(await release.call(client, "lock", "me")).toBe(1);
});

test("a password is asked for", async () => {
  const { client, server } = await redis({ password: "p@ss" });
  expect(await client.ping()).toBe("PONG");
  const stranger = new Redis(server.port, "127.0.0.1", {
    retryStrategy: () => null,
    enableReadyCheck: false,
  });
  onTestFinished(() => stranger.disconnect());
  await expect(stranger.get("a")).rejects.toThrow("NOAUTH");
  await expect(stranger.auth("wrong")).rejects.toThrow("invalid password");
});

test("databases are apart; the shared keyspace is number 0", async () => {
  const { client, server } = await redis();
  const third = new Redis(`${server.url.slice(0, -1)}3`);
  onTestFinished(() => third.disconnect());
  await third.set("a", "3");
  expect(await client.get("a")).toBeNull();
  expect(server.keyspace.keys()).toEqual([]);
});

test("drop loses connections and scripts, keeps data; resume is found again", async () => {
  const { client, server } = await redis();
  await client.set("a", "1");
  await server.drop();
  await expect(once(connect(server.port, "127.0.0.1"), "connect")).rejects.toThrow("ECONNREFUSED");
  await server.resume();
  expect(await client.get("a")).toBe("1");
});

test("SCRIPT LOAD, EXISTS, FLUSH", async () => {
  const { client } = await redis();
  const sha = String(await client.script("LOAD", COMPARE_AND_DELETE));
  expect(await client.script("EXISTS", sha, "0")).toEqual([1, 0]);
  await client.script("FLUSH");
  expect(await client.script("EXISTS", sha)).toEqual([0]);
});

test("several requests in one chunk, one request in several, and no protocol at all", async () => {
  const { server } = await redis();
  const socket = connect(server.port, "127.0.0.1").setEncoding("utf8");
  let heard = "";
  socket.on("data", (text) => {
    heard += text;
  });
  const hears = (text: string) => vi.waitFor(() => expect(heard).toBe(text), { interval: 1 });
  socket.write("*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$1\r\na\r\n*2\r\n$4\r\nPI");
  await hears("+PONG\r\n$-1\r\n");
  socket.write("NG\r\n$2\r\nhi\r\n");
  await hears("+PONG\r\n$-1\r\n$2\r\nhi\r\n");
  socket.write("nonsense\r\n");
  await hears("+PONG\r\n$-1\r\n$2\r\nhi\r\n-ERR Protocol error\r\n");
});
