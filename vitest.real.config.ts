import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

// Real servers: one file after the other, with the time that they need.
export default defineConfig({
  test: {
    ...base.test,
    include: ["test/real/**/*.test.ts"],
    exclude: [],
    pool: "forks",
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 300_000,
  },
});
