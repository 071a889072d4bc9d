// The app over invented numbers, for looking at it while working: `npm run dev`, then /tests/preview/index.html.
import { mount } from 'svelte';

import { App as AppState } from '../../src/state/app.svelte';
import '../../src/styles/base.css';
import '../../src/styles/canvas.css';
import App from '../../src/view/App.svelte';
import { fakeBackend, update } from '../fakeBackend';
import { session } from '../fixture/mesh';
import { progress } from '../fixture/splits';

const asked = new URLSearchParams(window.location.search);
const backend = fakeBackend();
const target = document.getElementById('app');
if (target !== null) {
  const app = new AppState(backend, null);
  mount(App, { target, props: { app } });
  const production = asked.get('class') === 'production';
  backend.push(
    update({
      progress: asked.has('progress') ? [progress()] : [],
      session: session({
        ...(production ? { context: 'prod-eu', class: 'production', server: 'https://prod-eu' } : {}),
        writes: {
          armed: asked.has('armed'),
          remaining_s: asked.has('armed') ? 761 : null,
          needs_name: production,
        },
      }),
    }),
  );
}
