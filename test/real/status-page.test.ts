import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { REGION, serve, testSite, until } from "../helpers/site.ts";
import { cacheDir } from "./clouddriver/cache-dir.ts";

/** As far as it is used here; the package lies in the cache directory. */
interface Browser {
  newPage(): Promise<{
    setJavaScriptEnabled(on: boolean): Promise<void>;
    authenticate(credentials: { username: string; password: string }): Promise<void>;
    on(event: "request", heard: (request: { url(): string }) => void): void;
    on(event: "console", heard: (message: { text(): string }) => void): void;
    goto(url: string): Promise<{ status(): number }>;
    title(): Promise<string>;
    $$eval<T>(selector: string, read: (found: { textContent: string }[]) => T): Promise<T>;
  }>;
  close(): Promise<void>;
}

let browser: Browser;
beforeAll(async () => {
  const require = createRequire(join(cacheDir(), "browser", "package.json"));
  const load = async (name: string) => import(pathToFileURL(require.resolve(name)).href);
  // Its libraries are unpacked where it takes itself to be in a Lambda function.
  process.env.AWS_LAMBDA_JS_RUNTIME = "nodejs22.x";
  const { default: chromium } = await load("@sparticuz/chromium");
  const { default: puppeteer } = await load("puppeteer-core");
  browser = await puppeteer.launch({
    executablePath: await chromium.executablePath(),
    args: [...chromium.args, "--no-sandbox"],
    headless: "shell",
  });
});
afterAll(() => browser?.close());

test("the status page, in a browser without JavaScript: nothing but itself is fetched, and all of it is shown", async () => {
  const site = await testSite();
  const serving = await serve(site, ["--mode", "events"], { env: { AEC_SERVE_TOKEN: "token" } });
  expect((await site.aec(["sns", "create", "--endpoint", serving.notify, "--yes"])).exit).toBe(0);
  expect((await site.aec(["events", "enable", "--yes"])).exit).toBe(0);
  site.group("app-v001", 1);
  await until(() => serving.log().some(({ outcome }) => outcome === "applied"), "the event");

  const page = await browser.newPage();
  const [requests, complaints]: [string[], string[]] = [[], []];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => complaints.push(message.text()));
  await page.setJavaScriptEnabled(false);
  await page.authenticate({ username: "aec", password: "token" });
  const url = new URL("/status", serving.admin).href;
  expect((await page.goto(url)).status()).toBe(200);
  expect(await page.title()).toBe("aec serve: ready");
  expect(await page.$$eval("h2", (found) => found.map(({ textContent }) => textContent))).toEqual([
    "Agents",
    "How fast events arrive",
    "From a change to the cache that shows it",
    "Last events",
  ]);
  const cells = await page.$$eval("td", (found) => found.map(({ textContent }) => textContent));
  expect(cells).toContain(`prod/${REGION}/ClusterCachingAgent`);
  expect(cells).toContain("app-v001");
  expect(new Set(requests)).toEqual(new Set([url]));
  expect(complaints.filter((text) => !text.includes("401"))).toEqual([]);
});
