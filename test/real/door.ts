import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A port that stays where what is behind it moves, and that can be shut. */
export interface Door {
  readonly url: string;
  /** Ends what is open, and refuses what comes. */
  shut(): void;
  open(): void;
  close(): void;
}

/** `target` tells for each connection where it leads. */
export async function openDoor(target: () => string): Promise<Door> {
  const sockets = new Set<Socket>();
  let isShut = false;
  const server = createServer((outer) => {
    if (isShut) return void outer.destroy();
    const inner = connect(Number(new URL(target()).port), "127.0.0.1");
    for (const [one, other] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy()).on("close", () => sockets.delete(one));
      one.pipe(other);
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const shut = () => {
    isShut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    shut,
    open() {
      isShut = false;
    },
    close() {
      shut();
      server.close();
    },
  };
}
