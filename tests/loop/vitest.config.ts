// The loop on the screen. It lies outside frontend/ but uses its packages: `npm run test:browser`, `npm run test:desktop`.
import { fileURLToPath } from 'node:url';
import type { ViteUserConfig } from 'vitest/config';

const packages = fileURLToPath(new URL('../../frontend/node_modules', import.meta.url));

const config: ViteUserConfig = {
  root: fileURLToPath(new URL('.', import.meta.url)),
  cacheDir: `${packages}/.vite-loop`,
  resolve: {
    alias: [{ find: /^(playwright-core|@axe-core\/playwright|vite)$/, replacement: `${packages}/$1` }],
  },
  test: {
    include: ['*.test.ts'],
    // Each child process dies with the process that started it; see processes.ts.
    pool: 'forks',
    fileParallelism: false,
    // The steps build on each other: after the first that fails, the others have nothing to say.
    bail: 1,
    retry: 0,
    testTimeout: 180_000,
    hookTimeout: 60_000,
    reporters: ['verbose'],
  },
};

export default config;
