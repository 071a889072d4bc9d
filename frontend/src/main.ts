// Composition root: transport, state, view.
import { mount } from 'svelte';

import { connect } from './backend/connect';
import { App as AppState } from './state/app.svelte';
import './styles/base.css';
import './styles/canvas.css';
import App from './view/App.svelte';

const target = document.getElementById('app');
if (target !== null) {
  mount(App, { target, props: { app: new AppState(connect()) } });
}
