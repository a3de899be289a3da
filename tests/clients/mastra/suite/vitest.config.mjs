// Runs the tests beside this file on the files that suite.test.mjs has taken from a copy of Mastra's repository.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = dirname(fileURLToPath(import.meta.url));
export default defineConfig({
  root,
  resolve: { alias: { '@internal/storage-test-utils': join(root, 'build/stores/_test-utils/src/index.ts') } },
  test: {
    environment: 'node',
    include: ['*.suite.mjs'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    fileParallelism: false,
    silent: 'passed-only',
    reporters: ['json'],
    outputFile: { json: join(root, 'build/report.json') },
    server: { deps: { external: [/@mastra/, /@stowage/] } },
  },
});
