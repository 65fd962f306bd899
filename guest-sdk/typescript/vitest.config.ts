import { fileURLToPath } from "node:url";

import { defineConfig } from "vitest/config";

const source = (file: string) => fileURLToPath(new URL(`src/${file}.ts`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: "bailiwick-sdk/testing", replacement: source("testing") },
      { find: "bailiwick-sdk", replacement: source("index") },
    ],
  },
  test: { include: ["test/*.test.ts"], testTimeout: 60_000 },
});
