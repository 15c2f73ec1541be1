import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/real/**"],
    globalSetup: ["test/helpers/build.ts"],
    pool: "threads",
    isolate: false,
    setupFiles: ["test/helpers/environment.ts"],
    testTimeout: 20_000,
  },
});
