import { describe } from "vitest";
import { engineContract } from "../contract/engine.ts";
import { startRealEngine } from "./real-engine.ts";

describe("the real Clouddriver engine, with Redis and moto", () => {
  engineContract(() => startRealEngine());
});
