#!/usr/bin/env node
// Plain syntax: this file must parse on any Node, to say which one is needed.
import process from "node:process";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`aec needs Node 20.19 or newer; this is ${process.versions.node}\n`);
  process.exit(2);
}
// The SDK's notice about Node 20 would land in every CI log; the README names the support window instead.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
const { enableCompileCache } = await import("node:module");
enableCompileCache?.();
const [{ main }, { processWorld }] = await Promise.all([
  import("../dist/main.js"),
  import("../dist/world.js"),
]);
process.exitCode = await main(process.argv.slice(2), processWorld());
