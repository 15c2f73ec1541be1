import { defineConfig } from "vitest/config";
import base from "./vitest.real.config.ts";

// What the README tells of the real engine, measured; proves nothing, so that no CI runs it.
export default defineConfig({
  test: {
    ...base.test,
    include: ["test/real/measure.ts", "bench/events/main.ts", "bench/events/faults.ts"],
    testTimeout: 900_000,
  },
});
