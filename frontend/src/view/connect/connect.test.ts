// @vitest-environment jsdom
import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it, vi } from 'vitest';

import { fakeBackend, update } from '../../../tests/fakeBackend';
import {
  candidate,
  check,
  chooser,
  context,
  failed,
  line,
  LINES,
  STAGING,
} from '../../../tests/fixture/connect';
import { stubWindow } from '../../../tests/fixture/jsdom';
import { session } from '../../../tests/fixture/mesh';
import { focused, prepareWindow, press } from '../../../tests/fixture/splitsScreen';
import type { SessionView } from '../../backend/bindings';
import { App as AppState } from '../../state/app.svelte';
import App from '../App.svelte';

prepareWindow();

const NOTHING = { session: session({ context: '' }), sessions: [] };
type Answers = Parameters<typeof fakeBackend>[0];

async function open(answers: Answers = {}, more: Parameters<typeof update>[0] = NOTHING) {
  stubWindow();
  // jsdom knows no modal dialogs.
  Object.assign(HTMLDialogElement.prototype, {
    showModal(this: HTMLDialogElement) {
      this.open = true;
    },
    close(this: HTMLDialogElement) {
      this.open = false;
    },
  });
  const backend = fakeBackend({ chooser: () => chooser(), ...answers });
  const app = new AppState(backend);
  render(App, { app });
  backend.push(update(more));
  const asked = (command: string): unknown[] =>
    backend.calls.filter((call) => call.command === command).map((call) => call.request);
  return { app, backend, asked };
}

const card = (id: string): HTMLElement => screen.getByTestId(`context-${id}`);

describe('the chooser', () => {
  it('is in front while nothing is open, with the focus on the one open last, and asks nobody', async () => {
    const { asked } = await open();
    await waitFor(() => expect(focused()).toBe('context-staging'));
    expect(screen.getByTestId('screen').dataset['screen']).toBe('connect');
    expect(screen.getByTestId('found').textContent).toContain('~/.kube/gke.yaml (1)');
    expect(asked('check_context')).toEqual([]);
    expect(document.title).toBe('Pilothouse');
  });

  it('walks with the arrows, checks with Enter and opens with Enter', async () => {
    const { backend, asked, app } = await open({
      check_context: ({ context: id }) => check(id, { state: 'running' }),
      open_context: () => session({ context: 'prod-eu' }),
    });
    await waitFor(() => expect(focused()).toBe('context-staging'));
    press('ArrowUp');
    await waitFor(() => expect(focused()).toBe('context-prod-eu'));
    press('Enter');
    await waitFor(() => expect(asked('check_context')).toEqual([{ context: 'prod-eu' }]));
    backend.push(update({ ...NOTHING, checks: [check('prod-eu')] }));
    await screen.findByText(/10 of 10 checked/);
    press('Enter');
    await waitFor(() => expect(asked('open_context')).toEqual([{ context: 'prod-eu', beside: false }]));
    const opened = session({ context: 'prod-eu', class: 'production' });
    backend.push(update({ session: opened, checks: [check('prod-eu')] }));
    await waitFor(() => expect(app.front).toBe('mesh'));
    expect(document.title).toBe('prod-eu - Pilothouse');
  });

  it('shows what is broken with its line, and does not check it', async () => {
    const { asked } = await open();
    await waitFor(() => expect(focused()).toBe('context-staging'));
    await fireEvent.click(card('old-lab'));
    expect(card('old-lab').textContent).toContain('~/.kube/config:41');
    await within(screen.getByTestId('look')).findByText(/the cluster `lab` is defined nowhere/);
    press('Enter');
    expect(screen.queryByTestId('go-on')).toBeNull();
    expect(asked('check_context')).toEqual([]);
  });

  it('keeps choice, focus and filter when the files change', async () => {
    const list = vi.fn(() => chooser());
    const { backend, app } = await open({ chooser: list });
    await waitFor(() => expect(focused()).toBe('context-staging'));
    press('ArrowDown');
    await waitFor(() => expect(focused()).toBe('context-prod-us'));
    list.mockReturnValue(chooser({ contexts: [context('new'), ...chooser().contexts] }));
    backend.push(update({ ...NOTHING, chooser_revision: 1 }));
    await screen.findByTestId('context-new');
    expect(focused()).toBe('context-prod-us');
    app.connect.filter = 'prod';
    backend.push(update({ ...NOTHING, chooser_revision: 2 }));
    await waitFor(() => expect(list).toHaveBeenCalledTimes(3));
    expect(screen.queryByTestId('context-new')).toBeNull();
    expect(app.connect.chosenId).toBe('prod-us');
  });

  it('filters by a key, and Escape gives the list back', async () => {
    await open();
    await waitFor(() => expect(focused()).toBe('context-staging'));
    press('/');
    expect(focused()).toBe('connect-filter');
    await fireEvent.input(screen.getByTestId('connect-filter'), { target: { value: 'kind' } });
    await waitFor(() => expect(screen.queryByTestId('context-prod-eu')).toBeNull());
    press('Enter');
    await waitFor(() => expect(focused()).toBe('context-kind-dev'));
  });

  it('opens the demo by one key', async () => {
    const { asked } = await open({ open_context: () => session({ context: '' }) });
    await waitFor(() => expect(focused()).toBe('context-staging'));
    press('d');
    await waitFor(() => expect(asked('open_context')).toEqual([{ context: 'demo', beside: false }]));
  });

  it('opens the demo by a key that comes while the last mesh is being closed', async () => {
    let closes: (answer: SessionView) => void = () => undefined;
    const closing = new Promise<SessionView>((resolve) => {
      closes = resolve;
    });
    const { app, asked, backend } = await open(
      { close_context: () => closing, open_context: () => session({ context: '' }) },
      {},
    );
    const closed = app.connect.close('demo');
    backend.push(update(NOTHING));
    await waitFor(() => expect(focused()).toBe('context-staging'));
    press('d');
    closes(NOTHING.session);
    await closed;
    await waitFor(() => expect(asked('open_context')).toEqual([{ context: 'demo', beside: false }]));
  });

  it('goes back with Escape to the mesh that was open, and covers no key of it', async () => {
    const { app, asked } = await open({}, {});
    press('1');
    app.connect.show();
    await waitFor(() => expect(focused()).toBe('context-demo'));
    press('t');
    expect(app.place.table).toBe(false);
    press('Escape');
    await waitFor(() => expect(app.front).toBe('mesh'));
    expect(asked('close_context')).toEqual([]);
  });

  it('reads one more file, chooses what is new in it, and keeps a refused path', async () => {
    let refuse = true;
    const { app } = await open({
      add_kubeconfig: () => {
        if (refuse) {
          throw {
            code: 'bad_request',
            message: '`x` is no whole path',
            detail: '',
            hint: 'write it from the root',
          };
        }
        return chooser({ contexts: [...chooser().contexts, context('edge')] });
      },
    });
    await fireEvent.click(await screen.findByTestId('open-file'));
    const path = await screen.findByTestId<HTMLInputElement>('file-path');
    await fireEvent.input(path, { target: { value: 'x' } });
    await fireEvent.click(screen.getByTestId('dialog-ok'));
    await screen.findByText(/is no whole path/);
    expect(path.value).toBe('x');
    refuse = false;
    await fireEvent.click(screen.getByTestId('dialog-ok'));
    await waitFor(() => expect(app.connect.chosenId).toBe('edge'));
    expect(app.connect.dialog).toBeNull();
  });

  it('takes addresses only when they make sense, and never sends a token that was not asked for', async () => {
    const { asked } = await open({
      add_addresses: () => ({ context: 'prom.example' }),
      check_context: ({ context: id }) => check(id, { state: 'running' }),
    });
    const url = await screen.findByTestId('metrics-url');
    await fireEvent.input(url, { target: { value: 'prom.example' } });
    await fireEvent.click(screen.getByTestId('check-addresses'));
    expect(url.getAttribute('aria-invalid')).toBe('true');
    expect(asked('add_addresses')).toEqual([]);
    await fireEvent.input(url, { target: { value: 'http' + '://prom.example' } });
    await fireEvent.click(screen.getByTestId('check-addresses'));
    await waitFor(() => expect(asked('check_context')).toEqual([{ context: 'prom.example' }]));
    expect(asked('add_addresses')).toMatchObject([
      { metrics: { sign_in: 'none', secret: null }, traces: null },
    ]);
  });
});

describe('the checklist', () => {
  const done = { ...NOTHING, checks: [check('staging')] };

  it('has a word for every state and takes another candidate', async () => {
    const { asked } = await open({ choose_source: () => null }, done);
    const metrics = await screen.findByTestId('line-metrics');
    expect(screen.getByTestId('line-rights').textContent).toContain('note');
    const [first, second] = within(metrics).getAllByRole<HTMLInputElement>('radio');
    expect([first?.checked, second?.checked]).toEqual([true, false]);
    await fireEvent.click(second ?? metrics);
    await waitFor(() =>
      expect(asked('choose_source')).toEqual([
        {
          context: 'staging',
          source: 'metrics',
          candidate: 'service istio-system/prometheus:9090',
          address: null,
        },
      ]),
    );
  });

  it('asks for a token in a form that forgets it', async () => {
    const answers = { choose_source: () => null };
    const lines = [
      line('metrics', 'Metrics', '', {
        candidates: [
          candidate('https' + '://vm.example', '401', {
            state: 'forbidden',
            action: { id: 'token', label: 'Give a token…', text: null },
          }),
        ],
      }),
    ];
    const { asked, app } = await open(answers, { ...NOTHING, checks: [check('staging', { lines })] });
    await fireEvent.click(await screen.findByTestId('action-token-metrics'));
    const secret = await screen.findByTestId<HTMLInputElement>('source-secret');
    expect(secret.type).toBe('password');
    await fireEvent.input(secret, { target: { value: 'hush' } });
    await fireEvent.click(screen.getByTestId('dialog-ok'));
    await waitFor(() => expect(app.connect.dialog).toBeNull());
    expect(asked('choose_source')).toMatchObject([
      { candidate: null, address: { url: 'https' + '://vm.example', sign_in: 'bearer', secret: 'hush' } },
    ]);
    app.connect.dialog = { kind: 'source', context: 'staging', source: 'metrics', url: '', candidate: null };
    await fireEvent.change(await screen.findByTestId('source-sign-in'), { target: { value: 'bearer' } });
    expect((await screen.findByTestId<HTMLInputElement>('source-secret')).value).toBe('');
  });

  it('takes namespaces by name and refuses what is none', async () => {
    const lines = LINES.map((one) =>
      one.id === 'namespaces'
        ? {
            ...one,
            state: 'note' as const,
            action: { id: 'namespaces', label: 'Type namespaces…', text: null },
          }
        : one,
    );
    const { asked } = await open(
      { choose_namespaces: () => null },
      { ...NOTHING, checks: [check('staging', { lines, namespaces: [] })] },
    );
    await fireEvent.click(await screen.findByTestId('action-namespaces-namespaces'));
    const names = await screen.findByTestId('namespaces');
    await fireEvent.input(names, { target: { value: 'shop, Pay' } });
    await fireEvent.click(screen.getByTestId('dialog-ok'));
    await screen.findByText(/Pay: no name of a namespace/);
    await fireEvent.input(names, { target: { value: 'shop, pay' } });
    await fireEvent.click(screen.getByTestId('dialog-ok'));
    await waitFor(() =>
      expect(asked('choose_namespaces')).toEqual([{ context: 'staging', namespaces: ['shop', 'pay'] }]),
    );
  });

  it('counts down while it waits for a plugin, and cancels', async () => {
    const waiting = { program: 'aws', since_s: 12, deadline_s: 60 };
    const running = check('staging', { state: 'running', waiting });
    const { asked } = await open({ cancel_check: () => null }, { ...NOTHING, checks: [running] });
    const wait = await screen.findByTestId('plugin-wait');
    expect(wait.textContent).toMatch(/Waiting for aws.*Given\s+up\s+in\s+0:4\d/s);
    await fireEvent.click(within(wait).getByText('Cancel'));
    await waitFor(() => expect(asked('cancel_check')).toEqual([{ context: 'staging' }]));
  });

  it('says after a failure what was asked, what happened, what helps and where was looked', async () => {
    const { app } = await open({}, { ...NOTHING, checks: [failed('staging')] });
    const box = await screen.findByTestId('connect-failed');
    for (const words of [
      'gke-gcloud-auth-plugin',
      'No such program',
      'Install',
      'gcloud components',
      '/usr/bin',
    ]) {
      expect(box.textContent).toContain(words);
    }
    expect(box.textContent).toContain('stopped at sign-in');
    expect(screen.getByTestId('unasked').textContent).toContain('Not asked: API server');
    await fireEvent.click(screen.getByTestId('addresses-only'));
    await waitFor(() => expect(focused()).toBe('metrics-url'));
    expect(app.connect.opening).toBeNull();
  });

  it('adds a context beside one that is open', async () => {
    const { asked, app, backend } = await open(
      { open_context: () => session({ context: 'staging' }) },
      { checks: [check('staging')] },
    );
    app.connect.show();
    app.connect.choose('staging');
    await fireEvent.click(await screen.findByTestId('open-beside'));
    await waitFor(() => expect(asked('open_context')).toEqual([{ context: 'staging', beside: true }]));
    expect(app.feed.session?.context).toBe('demo');
    backend.push(update({ sessions: [session(), session({ context: STAGING.id, class: 'normal' })] }));
    await waitFor(() => expect(screen.getByTestId('context').textContent).toContain('Demo mesh + 1'));
  });
});
