// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import { update } from '../../../tests/fakeBackend';
import { GRAPH, session, source } from '../../../tests/fixture/mesh';
import { FAILING, FAILING_ID, list, row, ROWS } from '../../../tests/fixture/traces';
import { lastSearch, prepare, refuse, show, showScreen, start } from '../../../tests/fixture/tracesScreen';

prepare();

describe('the search', () => {
  it('asks for what the form says', async () => {
    const { backend } = await showScreen();
    await fireEvent.change(screen.getByTestId('trace-service'), { target: { value: 'web-bff.edge' } });
    await screen.findByRole('option', { name: 'render' });
    await fireEvent.change(screen.getByLabelText('Operation'), { target: { value: 'render' } });
    await fireEvent.input(screen.getByLabelText(/Attributes/), {
      target: { value: 'http.status_code=503 zone="eu west"' },
    });
    await fireEvent.input(screen.getByLabelText('Min ms'), { target: { value: '300' } });
    await fireEvent.change(screen.getByLabelText('Window'), { target: { value: '3600' } });
    await fireEvent.click(screen.getByTestId('trace-errors-only'));
    await fireEvent.click(screen.getByTestId('trace-search'));
    expect(lastSearch(backend)).toEqual({
      context: null,
      service: 'web-bff.edge',
      operation: 'render',
      only_errors: true,
      min_duration_ms: 300,
      max_duration_ms: null,
      attributes: { 'http.status_code': '503', zone: 'eu west' },
      since_s: 3600,
      limit: 50,
      node: null,
      edge: null,
    });
  });

  it('says what it cannot read and asks nothing', async () => {
    const { backend } = await showScreen();
    const before = backend.calls.length;
    await fireEvent.input(screen.getByLabelText(/Attributes/), { target: { value: 'oops' } });
    await fireEvent.click(screen.getByTestId('trace-search'));
    expect(screen.getByRole('alert').textContent).toContain('“oops” is not key=value');
    expect(backend.calls).toHaveLength(before);
  });

  it('refuses a least duration above the greatest', async () => {
    await showScreen();
    await fireEvent.input(screen.getByLabelText('Min ms'), { target: { value: '9' } });
    await fireEvent.input(screen.getByLabelText('Max ms'), { target: { value: '3' } });
    await fireEvent.click(screen.getByTestId('trace-search'));
    expect(screen.getByRole('alert').textContent).toContain('above the greatest');
  });

  it('comes from an edge of the mesh until that is taken off', async () => {
    const edge = GRAPH.edges[4];
    const shown = start();
    const { app, backend } = shown;
    app.place.select({ kind: 'edge', id: edge?.id ?? '' });
    const opening = app.openTraces('failing');
    show(shown);
    await opening;
    expect(lastSearch(backend)).toMatchObject({
      edge: edge?.id,
      node: null,
      only_errors: true,
      service: null,
    });
    const chip = screen.getByTestId('trace-origin');
    expect(chip.textContent).toContain('catalog → reviews');
    await fireEvent.click(within(chip).getByRole('button'));
    expect(lastSearch(backend)).toMatchObject({ edge: null, only_errors: true });
    await waitFor(() => expect(screen.queryByTestId('trace-origin')).toBeNull());
  });

  it('says what it asked of a slow node, which is not about its spans alone', async () => {
    const shown = start();
    const { app } = shown;
    app.place.select({ kind: 'node', id: 'demo/shop/app/reviews' });
    const opening = app.openTraces('slow');
    show(shown);
    await opening;
    expect((await screen.findByTestId('trace-asked')).textContent).toContain('whole trace at least 212 ms');
  });

  it('from the mesh is not hidden by what was typed for another one', async () => {
    const { app } = await showScreen();
    app.place.filterText.traces = 'nothing like it';
    app.place.select({ kind: 'node', id: 'demo/shop/app/reviews' });
    await app.openTraces('failing');
    expect(app.place.filterText.traces).toBe('');
  });

  it('gives way to a service of one’s own choice', async () => {
    const { app, backend } = await showScreen();
    await app.traces.searchFrom(
      { kind: 'node', id: 'demo/shop/app/cart', label: 'shop/cart' },
      { minMs: 33.4, onlyErrors: false },
    );
    expect(lastSearch(backend)).toMatchObject({ node: 'demo/shop/app/cart', min_duration_ms: 33 });
    await fireEvent.change(screen.getByTestId('trace-service'), { target: { value: 'reviews.shop' } });
    await fireEvent.click(screen.getByTestId('trace-search'));
    expect(lastSearch(backend)).toMatchObject({ node: null, service: 'reviews.shop' });
  });
});

describe('several contexts', () => {
  const EU = session({ context: 'prod-eu', class: 'production' });
  const US = session({ context: 'prod-us', class: 'normal' });
  const sources = ['prod-eu', 'prod-us'].map((context) => source('traces', 'Jaeger 2.20', { context }));
  const several = update({ session: EU, sessions: [EU, US], graph: { ...GRAPH, sources } });
  const both = [
    row(FAILING_ID, 900, { context: 'prod-eu' }),
    row(FAILING_ID, 1420, { context: 'prod-us', errors: 3 }),
  ];

  async function showSeveral(answers: Parameters<typeof start>[0] = {}): Promise<ReturnType<typeof start>> {
    const shown = start({
      find_traces: () => list(both, { sources }),
      trace: ({ context }) => ({ ...FAILING, context: context ?? 'prod-eu' }),
      ...answers,
    });
    shown.backend.push(several);
    show(shown);
    await waitFor(() => expect(shown.app.traces.opened).not.toBeNull());
    return shown;
  }

  it('are all searched, and each trace says whose it is and is read there', async () => {
    const { app, backend } = await showSeveral();
    expect(lastSearch(backend)).toMatchObject({ context: null });
    const cards = screen.getAllByTestId('trace-row');
    expect(cards.map((card) => card.textContent?.match(/prod-\w\w/)?.[0])).toEqual(['prod-us', 'prod-eu']);
    expect(app.traces.opened?.context).toBe('prod-us');
    await fireEvent.click(cards[1] as HTMLElement);
    expect(backend.calls.at(-1)?.request).toMatchObject({ trace_id: FAILING_ID, context: 'prod-eu' });
    await waitFor(() => expect(screen.getByTestId('trace-where').textContent).toBe('prod-eu'));
    expect(cards.map((card) => card.getAttribute('aria-current'))).toEqual([null, 'true']);
  });

  it('are chosen from, with the names of the chosen one', async () => {
    const { backend } = await showSeveral();
    await fireEvent.change(screen.getByTestId('trace-context'), { target: { value: 'prod-us' } });
    expect(backend.calls.at(-1)).toEqual({ command: 'trace_services', request: { context: 'prod-us' } });
    await fireEvent.change(screen.getByTestId('trace-service'), { target: { value: 'web-bff.edge' } });
    expect(backend.calls.at(-1)?.request).toEqual({ context: 'prod-us', service: 'web-bff.edge' });
    await fireEvent.click(screen.getByTestId('trace-search'));
    expect(lastSearch(backend)).toMatchObject({ context: 'prod-us', service: 'web-bff.edge' });
  });

  it('give way to where a service of the mesh is', async () => {
    const { app, backend } = await showSeveral();
    await app.traces.chooseContext('prod-us');
    app.place.select({ kind: 'node', id: 'demo/shop/app/cart' });
    await app.openTraces('failing');
    expect(lastSearch(backend)).toMatchObject({ context: null, node: 'demo/shop/app/cart' });
  });

  it('that do not answer are named beside what the others found', async () => {
    const error = { code: 'timed_out' as const, message: 'no answer in 10 s', detail: '', hint: '' };
    await showSeveral({
      find_traces: () => list(both.slice(1), { sources, failures: [{ context: 'prod-eu', error }] }),
    });
    const missing = screen.getByTestId('traces-missing-prod-eu').textContent;
    expect(missing).toContain('Traces of prod-eu are missing');
    expect(missing).toContain('no answer in 10 s');
    expect(screen.getAllByTestId('trace-row')).toHaveLength(1);
  });

  it('that are closed take what they found with them', async () => {
    const { app, backend } = await showSeveral();
    await app.traces.chooseContext('prod-us');
    backend.push(update({ session: EU, sessions: [EU], graph: { ...GRAPH, sources: sources.slice(0, 1) } }));
    expect(app.traces.form.context).toBe('');
    expect(app.traces.openId).toBeNull();
    await waitFor(() => expect(lastSearch(backend)).toMatchObject({ context: null }));
    expect(screen.queryByTestId('trace-context')).toBeNull();
  });
});

describe('the states', () => {
  it('of nothing found, with a way to find more', async () => {
    const { backend } = await showScreen({ find_traces: () => list([]) });
    const box = screen.getByTestId('traces-empty');
    expect(screen.queryByTestId('traces-failed')).toBeNull();
    expect(screen.queryByTestId('traces-not-configured')).toBeNull();
    await fireEvent.click(within(box).getByRole('button', { name: 'Search the last 1 h' }));
    expect(lastSearch(backend)).toMatchObject({ since_s: 3600 });
  });

  it('of a failure, which is not emptiness', async () => {
    await showScreen({ find_traces: () => refuse('unavailable') });
    expect(within(screen.getByTestId('traces-failed')).getByTestId('state-failed')).toBeTruthy();
    expect(screen.queryByTestId('traces-empty')).toBeNull();
  });

  it('of a refusal', async () => {
    await showScreen({ find_traces: () => refuse('forbidden') });
    expect(screen.getByTestId('state-forbidden')).toBeTruthy();
  });

  it('of no source at all, with what to give and no form', async () => {
    await showScreen({ find_traces: () => refuse('not_configured') });
    expect(screen.getByTestId('traces-not-configured').textContent).toContain('do this');
    expect(screen.queryByTestId('traces-failed')).toBeNull();
    expect(screen.queryByTestId('trace-search')).toBeNull();
  });

  it('of a search under way', async () => {
    show(start({ find_traces: () => new Promise(() => undefined) }));
    expect(await screen.findByTestId('state-loading')).toBeTruthy();
  });

  it('of a search that failed over an older answer, which stays', async () => {
    let fails = false;
    await showScreen({ find_traces: () => (fails ? refuse('timed_out') : list()) });
    fails = true;
    await fireEvent.click(screen.getByTestId('trace-search'));
    expect((await screen.findByTestId('traces-failed')).textContent).toContain('older answer');
    expect(screen.getAllByTestId('trace-row')).toHaveLength(ROWS.length);
  });

  it('of a source that fails since the search', async () => {
    const { backend } = await showScreen();
    const sources = [
      source('traces', 'Jaeger', {
        state: 'stale',
        error: { code: 'unavailable', message: 'no answer', hint: '', count: 3 },
      }),
    ];
    backend.push(update({ graph: { ...GRAPH, sources } }));
    expect((await screen.findByTestId('state-stale')).textContent).toContain('no answer');
  });

  it('of an answer that is not whole, in words', async () => {
    await showScreen({ find_traces: () => list(ROWS, { partial: true }) });
    expect(screen.getByTestId('trace-partial').textContent).toContain('Not all that match');
  });

  it('of a trace that cannot be read', async () => {
    await showScreen({ trace: () => refuse('timed_out') });
    expect(await screen.findByText(/Trace 4bf92f35 cannot be read/)).toBeTruthy();
    expect(screen.queryByTestId('waterfall')).toBeNull();
  });
});

describe('the list', () => {
  const ids = (): (string | undefined)[] =>
    screen.getAllByTestId('trace-row').map((card) => card.dataset['traceId']);

  it('is sorted as asked', async () => {
    const { app } = await showScreen();
    expect(ids()[0]).toBe(FAILING_ID);
    app.traces.order = 'newest';
    const newest = ROWS.toSorted((a, b) => b.start_ms - a.start_ms).map((row) => row.trace_id);
    await waitFor(() => expect(ids()).toEqual(newest));
  });

  it('is walked with arrows and opens with a click', async () => {
    await showScreen();
    const cards = screen.getAllByTestId('trace-row');
    cards[0]?.focus();
    await fireEvent.keyDown(cards[0] as HTMLElement, { key: 'ArrowDown' });
    expect(document.activeElement).toBe(cards[1]);
    await fireEvent.click(cards[1] as HTMLElement);
    await waitFor(() =>
      expect(screen.getByTestId('trace-head').dataset['traceId']).toBe(cards[1]?.dataset['traceId']),
    );
    expect(cards[1]?.getAttribute('aria-current')).toBe('true');
  });

  it('follows the filter above, which also opens a trace by its id', async () => {
    const { app, backend } = await showScreen();
    app.place.filterText.traces = 'cart';
    await waitFor(() => expect(ids().length).toBeLessThan(ROWS.length));
    const n = ids().length;
    expect(screen.getByRole('heading', { name: `${n} of ${ROWS.length} traces` })).toBeTruthy();
    const scatter = screen.getByTestId('trace-scatter');
    expect(within(scatter).getAllByRole('button')).toHaveLength(n);
    expect(scatter.textContent).toContain(`${n} of ${ROWS.length}`);
    app.place.filterText.traces = 'abcdefabcdefabcd';
    await fireEvent.click(await screen.findByRole('button', { name: /Open trace abcdefab/ }));
    expect(backend.calls.at(-1)).toMatchObject({
      command: 'trace',
      request: { trace_id: 'abcdefabcdefabcd' },
    });
  });

  it('has its twin in the chart', async () => {
    const { backend } = await showScreen();
    const dots = within(screen.getByTestId('trace-scatter')).getAllByRole('button');
    expect(dots).toHaveLength(ROWS.length);
    expect(dots.filter((dot) => dot.tabIndex === 0)).toHaveLength(1);
    await fireEvent.click(dots[0] as HTMLElement);
    const oldest = ROWS.toSorted((a, b) => a.start_ms - b.start_ms)[0];
    expect(backend.calls.at(-1)).toMatchObject({ request: { trace_id: oldest?.trace_id } });
  });
});
