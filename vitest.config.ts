import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/real/**"],
    globalSetup: ["test/helpers/build.ts"],
    pool: "threads",
    isolate: false,
    setupFiles: ["test/helpers/environment.ts"],
    // Most tests wait more than they work; their clocks stand still while the machine is busy.
    maxWorkers: 4,
    // A machine may be slow; what hangs is told all the same.
    testTimeout: 60_000,
  },
});
