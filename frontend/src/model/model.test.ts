import { describe, expect, it } from 'vitest';

import { EDGES, GRAPH, NODES } from '../../tests/fixture/mesh';
import { DRY_RUN, plan, progress, SPLITS } from '../../tests/fixture/splits';
import { parseAttributes } from './attributes';
import { flagsMeaning } from './flags';
import { healthOf, worst } from './health';
import { concerns, flowOf, indexMesh, weightOfRate } from './mesh';
import { parseQuery, unreadWords } from './query';
import { roundUp, scaleTo, ticks } from './scale';
import { shiftSteps } from './shiftSteps';
import { matchesNothing, visibleParts } from './visible';
import { scrollToRow, sliceOf } from './windowing';

const MESH = indexMesh(GRAPH);
const EVERYTHING = { hiddenBoxes: new Set<string>(), onlyUnhealthy: false, showIdle: true, query: '' };
const named = (ids: Iterable<string>): string[] => [...ids].map((id) => id.split('/').pop() ?? '').sort();

describe('health', () => {
  it('takes a word it does not know as unknown, never as ok', () => {
    expect(healthOf('failing')).toBe('failing');
    expect(healthOf('splendid')).toBe('unknown');
    expect(worst(['ok', 'degraded', 'idle'])).toBe('degraded');
    expect(worst([])).toBe('unknown');
  });
});

describe('mesh', () => {
  it('knows callers and callees, busiest first', () => {
    const catalog = NODES.find((node) => node.label === 'catalog');
    const calls = MESH.outgoing.get(catalog?.id ?? '') ?? [];
    expect(named(calls.map((edge) => edge.target))).toEqual(['inventory', 'recommend', 'reviews']);
    expect(calls.map((edge) => edge.rate)).toEqual([900, 640, 0]);
  });

  it('drops edges whose ends are missing instead of drawing them to nowhere', () => {
    const edge = { ...EDGES[0], id: 'dangling', target: 'gone' };
    const mesh = indexMesh({ ...GRAPH, edges: [edge as (typeof EDGES)[number]] });
    expect(mesh.edges.size).toBe(0);
  });

  it('lists what is wrong, worst first and each trouble once', () => {
    const found = concerns(MESH);
    expect(found.map((concern) => (concern.kind === 'node' ? concern.node.label : concern.edge.id))).toEqual([
      'ledger',
      'checkout',
      'payment-api',
      'reviews',
    ]);
  });

  it('tells a service that nothing answered for from its workload', () => {
    const service = { ...NODES[1]!, id: 'demo/edge/svc/web-bff', type: 'service' };
    const mesh = indexMesh({ ...GRAPH, nodes: [...NODES, service] });
    expect([...mesh.withoutWorkload]).toEqual([service.id]);
    expect(MESH.withoutWorkload.size).toBe(0);
  });

  it('takes no workload of another cluster for that of a service', () => {
    const service = { ...NODES[1]!, id: 'svc', type: 'service', cluster: 'other', box: 'other box' };
    expect(indexMesh({ ...GRAPH, nodes: [...NODES, service] }).withoutWorkload.size).toBe(0);
  });

  it('weighs a kilobyte like a request', () => {
    expect([weightOfRate(48200, 'tcp'), weightOfRate(640, 'http'), weightOfRate(null, 'tcp')]).toEqual([
      48.2,
      640,
      null,
    ]);
  });

  it('stands for a node by requests, else bytes, else what it sends', () => {
    const flow = (label: string) => flowOf(NODES.find((node) => node.label === label) ?? NODES[0]!);
    expect(flow('reviews')).toMatchObject({ protocol: 'http', rate: 640, sent: false });
    expect(flow('inventory-db')).toMatchObject({ protocol: 'tcp', rate: 48200 });
    expect(flow('ingress-gw')).toMatchObject({ rate: 4100, sent: true });
  });
});

describe('filter language', () => {
  const matching = (text: string): string[] => {
    const condition = parseQuery(text);
    return condition === null ? ['everything'] : named(NODES.filter(condition).map((node) => node.id));
  };

  it.each([
    ['', ['everything']],
    ['ledger', ['ledger']],
    ['ns:payments', ['fraud', 'ledger', 'payment-api', 'refunds']],
    ['ns:payments err>1%', ['ledger', 'payment-api']],
    ['err > 1%', []],
    ['p95>=0.4s', ['ledger']],
    ['rps<5 and ns=payments', ['refunds']],
    ['health:idle', ['recommend']],
    ['err>>1', []],
    ['cluster:demo ns:edge', ['ingress-gw', 'web-bff']],
    ['cluster=other', []],
  ])('%j', (text, expected) => {
    expect(matching(text)).toEqual(expected);
  });

  it('tells clusters of one name apart by their contexts', () => {
    const [east, west] = ['east', 'west'].map((context) => ({
      ...NODES[0]!,
      cluster: 'Kubernetes',
      context,
    }));
    const holds = (text: string) => [east, west].map((node) => parseQuery(text)?.(node!));
    expect(holds('cluster:kubernetes')).toEqual([true, true]);
    expect(holds('cluster:Kubernetes@west')).toEqual([false, true]);
  });

  it.each([
    ['ns:shop err>1% reviews 10.0.0.1:443', []],
    ['err>1pct reviews', ['err>1pct']],
    ['p95 > 3', ['>']],
    ['err> err>', ['err>']],
    ['health:sick ns: cluster:', ['health:sick', 'ns:', 'cluster:']],
  ])('says what it does not understand of %j', (text, expected) => {
    expect(unreadWords(text)).toEqual(expected);
  });
});

describe('visible parts', () => {
  it('shows everything by default', () => {
    expect(visibleParts(MESH, EVERYTHING).nodes.size).toBe(NODES.length);
  });

  it('hides a namespace with its edges', () => {
    const visible = visibleParts(MESH, { ...EVERYTHING, hiddenBoxes: new Set(['demo/platform']) });
    expect(named(visible.nodes)).not.toContain('ratings');
    expect([...visible.edges].some((id) => id.includes('ratings'))).toBe(false);
  });

  it('keeps both ends of unhealthy calls', () => {
    const visible = visibleParts(MESH, { ...EVERYTHING, onlyUnhealthy: true });
    expect(named(visible.nodes)).toEqual([
      'catalog',
      'checkout',
      'ledger',
      'payment-api',
      'reviews',
      'web-bff',
    ]);
  });

  it('drops idle services, and dims instead of dropping what the text does not name', () => {
    expect(named(visibleParts(MESH, { ...EVERYTHING, showIdle: false }).nodes)).not.toContain('recommend');
    const asked = visibleParts(MESH, { ...EVERYTHING, query: 'ledger' });
    expect(asked.nodes.size).toBe(NODES.length);
    expect(asked.dimmed.size).toBe(NODES.length - 1);
  });

  it('knows when nothing is what the text names', () => {
    const nothing = (query: string): boolean => matchesNothing(visibleParts(MESH, { ...EVERYTHING, query }));
    expect([nothing(''), nothing('ledger'), nothing('zzzz')]).toEqual([false, false, true]);
  });
});

describe('scales', () => {
  it('maps linearly and survives an empty domain', () => {
    expect(scaleTo({ domain: [0, 10], range: [100, 200] }, 2.5)).toBe(125);
    expect(scaleTo({ domain: [3, 3], range: [100, 200] }, 3)).toBe(100);
  });

  it.each([
    [0, 1, 4, [0, 0.5, 1]],
    [0, 0.3, 5, [0, 0.1, 0.2, 0.3]],
    [-15, 65, 6, [0, 20, 40, 60]],
    [0, 1420, 7, [0, 500, 1000]],
    [5, 5, 4, [5]],
  ])('ticks of %d to %d', (low, high, count, expected) => {
    expect(ticks(low, high, count)).toEqual(expected);
  });

  it('rounds up to 1, 2 or 5 times a power of ten', () => {
    expect([0.013, 0.2, 3, 51, 100, 0].map(roundUp)).toEqual([0.02, 0.2, 5, 100, 100, 1]);
  });
});

describe('windowing', () => {
  it('mounts what is in sight with a margin, and never more than there is', () => {
    expect(sliceOf(1000, 20, 2000, 400, 5)).toEqual({ first: 95, end: 125, offset: 1900, height: 20000 });
    expect(sliceOf(3, 20, 0, 400)).toMatchObject({ first: 0, end: 3 });
    expect(sliceOf(0, 20, 500, 400)).toMatchObject({ first: 0, end: 0 });
  });

  it('scrolls only as far as needed', () => {
    expect(scrollToRow(5, 20, 0, 400)).toBe(0);
    expect(scrollToRow(30, 20, 0, 400)).toBe(220);
    expect(scrollToRow(2, 20, 100, 400)).toBe(40);
  });
});

describe('trace attributes as typed', () => {
  it.each([
    ['', {}, ''],
    ['http.method=GET istio.namespace=shop', { 'http.method': 'GET', 'istio.namespace': 'shop' }, ''],
    ['a="two words" b=', { a: 'two words', b: '' }, ''],
    ['a=1 nonsense', { a: '1' }, '“nonsense” is not key=value'],
  ])('%j', (text, attributes, problem) => {
    expect(parseAttributes(text)).toEqual({ attributes, problem });
  });
});

describe('response flags', () => {
  it('explains known ones and keeps the letters of others', () => {
    expect(flagsMeaning('UO')).toContain('circuit breaker');
    expect(flagsMeaning('UF,XX')).toBe('connecting upstream failed; XX (unknown flag)');
    expect(flagsMeaning('-')).toBe('');
  });
});

describe('steps of a shift', () => {
  const staged = plan({ split_id: SPLITS[1]!.id, weights: [] });
  const states = (...args: Parameters<typeof shiftSteps>): string[] =>
    shiftSteps(...args).map((step) => step.state);

  it.each([
    ['nothing', null, null, null, ['todo', 'todo', 'todo', 'todo', 'todo', 'todo']],
    ['a plan', staged, null, null, ['done', 'done', 'now', 'todo', 'todo', 'todo']],
    [
      'a refused plan',
      { ...staged, applicable: false },
      null,
      null,
      ['done', 'bad', 'todo', 'todo', 'todo', 'todo'],
    ],
    ['a good dry run', staged, DRY_RUN, null, ['done', 'done', 'done', 'now', 'todo', 'todo']],
    [
      'a bad dry run',
      staged,
      { ...DRY_RUN, ok: false },
      null,
      ['done', 'done', 'bad', 'todo', 'todo', 'todo'],
    ],
    ['converging', null, null, progress(), ['done', 'done', 'done', 'done', 'now', 'todo']],
    [
      'converged',
      null,
      null,
      progress({ phase: 'converged' }),
      ['done', 'done', 'done', 'done', 'done', 'done'],
    ],
    ['stalled', null, null, progress({ phase: 'stalled' }), ['done', 'done', 'done', 'done', 'bad', 'todo']],
    ['a plan during progress', staged, null, progress(), ['done', 'done', 'now', 'todo', 'todo', 'todo']],
  ])('%s', (_, staging, dryRun, watched, expected) => {
    expect(states(staging, dryRun, watched)).toEqual(expected);
  });

  it.each([
    ['no plan came', null, null, 'plan', ['bad', 'todo', 'todo', 'todo', 'todo', 'todo']],
    ['no undo came', null, null, 'undo', ['bad', 'todo', 'todo', 'todo', 'todo', 'todo']],
    ['the dry run was refused', staged, null, 'dry_run', ['done', 'done', 'bad', 'todo', 'todo', 'todo']],
    ['the change was refused', staged, DRY_RUN, 'apply', ['done', 'done', 'done', 'bad', 'todo', 'todo']],
  ] as const)('%s', (_, staging, dryRun, failed, expected) => {
    expect(states(staging, dryRun, progress(), failed)).toEqual(expected);
  });
});
