// @vitest-environment jsdom
import { fireEvent, screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';

import type { TraceView } from '../../backend/bindings';
import { calm, FAILING, FAILING_ID, large, ROWS } from '../../../tests/fixture/traces';
import { prepare, refuse, show, showTrace, start } from '../../../tests/fixture/tracesScreen';

prepare();

const rowsShown = (): HTMLElement[] => screen.queryAllByTestId('waterfall-row');
const rowOf = (id: string): HTMLElement | undefined =>
  rowsShown().find((row) => row.dataset['spanId'] === id);
const selectedRow = (): string | undefined =>
  rowsShown().find((row) => row.getAttribute('aria-selected') === 'true')?.dataset['spanId'];

describe('the waterfall', () => {
  it('puts few rows of 50,000 spans into the document', async () => {
    await showTrace({ trace: ({ trace_id }) => large(trace_id, 50_000) });
    expect(screen.getByTestId('waterfall').getAttribute('aria-rowcount')).toBe('50001');
    expect(rowsShown().length).toBeGreaterThan(5);
    expect(rowsShown().length).toBeLessThan(200);
  });

  it('scrolls', async () => {
    const { app, waterfall } = await showTrace({ trace: ({ trace_id }) => large(trace_id, 50_000) });
    waterfall.scrollTop = 25 * 20_000;
    await fireEvent.scroll(waterfall);
    expect(rowOf('s20000')?.dataset['status']).toBe('error');
    expect(rowOf('s1')).toBeUndefined();
    // The selected row stays, or the focus would be lost with it.
    expect(rowOf(app.traces.spanId ?? '')?.tabIndex).toBe(0);
    expect(rowsShown().length).toBeLessThan(200);
  });

  it('hides what is below a collapsed span, and shows the errors in it', async () => {
    await showTrace();
    const row = rowOf('b1');
    await fireEvent.click(row?.querySelector('[data-toggle]') as Element);
    expect(rowOf('c1')).toBeUndefined();
    expect(row?.getAttribute('aria-expanded')).toBe('false');
    expect(row?.textContent).toContain('+16');
    expect(row?.textContent).toContain('◆ 1');
    expect(row?.getAttribute('aria-label')).toContain('16 spans hidden, 1 error in them');
  });

  it('collapses and expands all', async () => {
    await showTrace();
    const n_rows = rowsShown().length;
    await fireEvent.click(screen.getByTestId('collapse-all'));
    expect(rowsShown().map((row) => row.dataset['spanId'])).toEqual(['a1', 'b0', 'b1']);
    await fireEvent.click(screen.getByTestId('expand-all'));
    expect(rowsShown()).toHaveLength(n_rows);
  });

  it('begins where the failure began', async () => {
    await showTrace();
    expect(selectedRow()).toBe('d1');
  });

  it('is walked with the arrow keys', async () => {
    const { waterfall } = await showTrace();
    const press = (key: string): Promise<boolean> => fireEvent.keyDown(waterfall, { key });
    await press('Home');
    expect(selectedRow()).toBe('a1');
    await press('ArrowDown');
    expect(selectedRow()).toBe('b0');
    await press('ArrowDown');
    await press('ArrowRight');
    expect(selectedRow()).toBe('c1');
    await press('ArrowLeft');
    expect(rowOf('c2')).toBeUndefined();
    await press('ArrowLeft');
    expect(selectedRow()).toBe('b1');
    await press('ArrowUp');
    await press('ArrowUp');
    await press('ArrowUp');
    expect(selectedRow()).toBe('a1');
    await waitFor(() => expect(document.activeElement).toBe(rowOf('a1')));
    expect(rowsShown().filter((row) => row.tabIndex === 0)).toEqual([rowOf('a1')]);
  });

  it('opens what hides the next failure', async () => {
    const { app } = await showTrace();
    await fireEvent.click(screen.getByTestId('collapse-all'));
    app.traces.spanId = 'b1';
    await fireEvent.click(screen.getByTestId('next-failure'));
    await waitFor(() => expect(selectedRow()).toBe('d1'));
  });

  it('asks for raw clocks, and says so no longer if it got none', async () => {
    let fails = false;
    const { app, backend } = await showTrace({ trace: () => (fails ? refuse('timed_out') : FAILING) });
    const box = screen.getByTestId<HTMLInputElement>('skew-corrected');
    await fireEvent.click(box);
    expect(backend.calls.at(-1)).toMatchObject({ request: { trace_id: FAILING_ID, raw_clock: true } });
    await waitFor(() => expect(app.traces.trace.loading).toBe(false));
    fails = true;
    await fireEvent.click(box);
    await waitFor(() => expect(app.traces.rawClock).toBe(true));
    expect(screen.getByTestId('waterfall')).toBeTruthy();
  });

  it('draws the critical path unless it is switched off', async () => {
    await showTrace();
    expect(rowOf('c7')?.querySelectorAll('.critical')).toHaveLength(1);
    await fireEvent.click(screen.getByTestId('show-critical'));
    expect(rowOf('c7')?.querySelectorAll('.critical')).toHaveLength(0);
  });
});

describe('another trace', () => {
  it('takes the place of the one before only when it is there', async () => {
    let answer: (trace: TraceView) => void = () => undefined;
    const later = new Promise<TraceView>((resolve) => (answer = resolve));
    const { app } = await showTrace({
      trace: ({ trace_id }) => (trace_id === FAILING_ID ? FAILING : later),
    });
    const inspector = screen.getByTestId('span-inspector');
    const other = ROWS.find((row) => row.trace_id !== FAILING_ID)?.trace_id ?? '';
    const opening = app.traces.open(other);
    await waitFor(() => expect(inspector.getAttribute('aria-busy')).toBe('true'));
    expect(screen.getByTestId('trace-head').dataset['traceId']).toBe(FAILING_ID);
    expect(screen.getByTestId('trace-head').closest('[aria-busy="true"]')).not.toBeNull();
    expect(screen.getByTestId('span-title').textContent).toBe('web-bff.edge');
    answer(calm(other));
    await opening;
    await waitFor(() => expect(screen.getByTestId('trace-head').dataset['traceId']).toBe(other));
    expect(screen.getByTestId('span-inspector')).toBe(inspector);
    expect(inspector.getAttribute('aria-busy')).toBe('false');
  });

  it('has its inspector beside it from the beginning', async () => {
    const shown = start({ trace: () => new Promise(() => undefined) });
    show(shown);
    await waitFor(() => expect(shown.app.traces.openId).not.toBeNull());
    expect((await screen.findByTestId('span-inspector')).getAttribute('aria-busy')).toBe('true');
    expect(screen.queryByTestId('span-title')).toBeNull();
  });
});

describe('the head', () => {
  it('says the duration of the list, and in its title what correcting the clocks made of it', async () => {
    const spans = FAILING.spans.map((span, i) =>
      i === FAILING.spans.length - 1 ? { ...span, start_ns: 1800e6, skew_shift_ns: 1700e6 } : span,
    );
    await showTrace({ trace: () => ({ ...FAILING, duration_ns: 1910e6, spans }) });
    const duration = screen.getByTestId('trace-duration');
    expect(duration.textContent).toBe('1.42 s');
    expect(duration.parentElement?.title).toBe('1.42 s as recorded, 1.91 s after skew correction');
  });
});

describe('a service without a name', () => {
  it('is called so everywhere', async () => {
    const spans = FAILING.spans.map((span, i) => (i === 0 ? { ...span, service: '' } : span));
    const { app } = await showTrace({ trace: () => ({ ...FAILING, spans }) });
    app.traces.reveal('a1');
    await waitFor(() => expect(screen.getByTestId('span-title').textContent).toBe('(no name)'));
    expect(screen.getByTestId('trace-head').textContent).toContain('(no name)');
    expect(rowOf('a1')?.textContent).toContain('(no name)');
    expect(rowOf('a1')?.getAttribute('aria-label')).toContain('(no name)');
  });
});

describe('the inspector', () => {
  it('says what the flag of a failing span means', async () => {
    await showTrace();
    await fireEvent.click(rowOf('c1') as HTMLElement);
    expect(screen.queryByTestId('span-flags')).toBeNull();
    await fireEvent.click(rowOf('d1') as HTMLElement);
    expect(screen.getByTestId('span-flags').textContent).toContain('circuit breaker open');
    expect(rowOf('d1')?.textContent).toContain('attempt 1 of 2');
  });

  it('shows attributes as text, filtered', async () => {
    await showTrace();
    const attributes = screen.getByTestId('span-attributes');
    expect(attributes.textContent).toContain('<b>not bold</b>');
    await fireEvent.input(within(attributes).getByRole('searchbox'), { target: { value: 'upstream' } });
    expect(
      within(attributes)
        .getAllByRole('term')
        .map((term) => term.textContent),
    ).toEqual(['upstream_cluster']);
  });

  it('goes to the span of a finding, also into a collapsed part', async () => {
    const { app } = await showTrace();
    await fireEvent.click(screen.getByTestId('collapse-all'));
    app.traces.spanId = 'a1';
    await fireEvent.click(screen.getAllByTestId('finding-span')[0] as HTMLElement);
    await waitFor(() => expect(selectedRow()).toBe('d1'));
  });

  it('compares calls with their edges and opens them on the mesh', async () => {
    const { app } = await showTrace();
    const calls = screen.getByTestId('trace-calls');
    const slow = within(calls).getByRole('button', { name: /reviews.shop to ratings.platform/ });
    expect(slow.closest('tr')?.textContent).toContain('21×');
    await fireEvent.click(
      within(calls).getByRole('button', { name: 'Show web-bff.edge to catalog.shop on the mesh' }),
    );
    expect(app.place.screen).toBe('mesh');
    expect(app.place.selection).toEqual({
      kind: 'edge',
      id: 'demo/edge/app/web-bff>demo/shop/app/catalog:http',
    });
    // No edge, nothing to click.
    expect(within(calls).queryByRole('button', { name: /web-bff.edge to reviews.shop/ })).toBeNull();
  });
});
