// The screens over invented answers, for pictures of what no server on loopback can say.
import { fileURLToPath } from 'node:url';
import { createServer, type ViteDevServer } from 'vite';

const root = fileURLToPath(new URL('../../frontend', import.meta.url));

/** Serves the preview on a free port of loopback. */
export async function preview(): Promise<{ address: string; close: () => Promise<void> }> {
  const server: ViteDevServer = await createServer({
    root,
    configFile: `${root}/vite.config.ts`,
    logLevel: 'error',
    server: { host: '127.0.0.1', port: 0, strictPort: false, hmr: false },
  });
  await server.listen();
  const bound = server.httpServer?.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return { address: `http://127.0.0.1:${port}/tests/preview/index.html`, close: () => server.close() };
}
