import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A registry that has one package, packed into `tarball`, and everything else from the configured one. */
export async function startRegistry(tarball: string): Promise<{ url: string; close(): void }> {
  const upstream = execFileSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).trim();
  const packed = readFileSync(tarball);
  const unpacked = execFileSync("tar", ["xzOf", tarball, "package/package.json"], { encoding: "utf8" });
  const { name, version, ...rest } = JSON.parse(unpacked) as { name: string; version: string };
  const hash = (algorithm: string, encoding: "hex" | "base64") =>
    createHash(algorithm).update(packed).digest(encoding);
  const server = createServer(async (request, response) => {
    if (request.url === "/packed.tgz") return response.end(packed);
    if (request.url === `/${name}`) {
      const integrity = `sha512-${hash("sha512", "base64")}`;
      const dist = { tarball: `${url}/packed.tgz`, integrity, shasum: hash("sha1", "hex") };
      // A registry says so when it finds the file; npm looks for it only then.
      const manifest = { ...rest, name, version, scripts: {}, _hasShrinkwrap: true, dist };
      const document = { name, "dist-tags": { latest: version }, versions: { [version]: manifest } };
      return response.setHeader("content-type", "application/json").end(JSON.stringify(document));
    }
    const answer = await fetch(new URL((request.url ?? "/").slice(1), upstream), {
      headers: { accept: request.headers.accept ?? "*/*" },
    });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    return response.end(Buffer.from(await answer.arrayBuffer()));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, close: () => void server.close() };
}
