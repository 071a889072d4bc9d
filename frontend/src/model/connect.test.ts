import { describe, expect, it } from 'vitest';

import { BROKEN, check, chooser, GKE, KIND, line, PROD, STAGING } from '../../tests/fixture/connect';
import { session } from '../../tests/fixture/mesh';
import {
  addressProblems,
  addressRequest,
  badNamespaces,
  emptyAddress,
  namespacesOf,
  wordsOf,
} from './addresses';
import {
  checkOf,
  choiceAmong,
  countLines,
  frameClass,
  frameColour,
  markOf,
  matchesContext,
  openNames,
  placeOf,
  secondsLeft,
  signIn,
  stepFrom,
} from './connect';
import { readPage, VERSION, writePage } from './pageMemory';
import { expiredLogins, sumOfSources } from './sources';
import { source } from '../../tests/fixture/mesh';

const { contexts } = chooser();

describe('the list of contexts', () => {
  it.each([
    ['gke', ['prod-us']],
    ['PROD', ['prod-eu', 'prod-us']],
    ['10.40', ['staging']],
    ['prod aws', ['prod-eu']],
    ['nothing like that', []],
  ])('finds by name, server, file or plugin: %s', (text, ids) => {
    expect(contexts.filter((one) => matchesContext(one, text)).map(({ id }) => id)).toEqual(ids);
  });

  it('walks without leaving at its ends', () => {
    const ids = ['a', 'b', 'c'];
    expect([stepFrom(ids, 'a', -1), stepFrom(ids, 'a', 1), stepFrom(ids, 'c', 1)]).toEqual(['a', 'b', 'c']);
    expect(stepFrom(ids, 'gone', 1)).toBe('a');
    expect(stepFrom([], null, 1)).toBeNull();
  });

  it('keeps the choice, else takes the one open last, else one that works', () => {
    expect(choiceAmong(contexts, 'kind-dev', 'staging')).toBe('kind-dev');
    expect(choiceAmong(contexts, 'gone', 'prod-eu')).toBe('prod-eu');
    expect(choiceAmong(contexts, null, null)).toBe('staging');
    expect(choiceAmong([BROKEN, KIND], null, null)).toBe('kind-dev');
    expect(choiceAmong([], 'gone', 'gone')).toBeNull();
  });

  it('names the line of a problem, where there is one', () => {
    expect(placeOf({ message: '', file: '~/.kube/config', line: 41 })).toBe('~/.kube/config:41');
    expect(placeOf({ message: '', file: '~/.kube/config', line: null })).toBe('~/.kube/config');
  });

  it('tells a plugin that is there from one that is not, and from one that may not be run', () => {
    expect(signIn(PROD.auth, 0)).toMatchObject({ health: 'ok', note: 'found as /usr/local/bin/aws' });
    expect(signIn(GKE.auth, 0)).toMatchObject({ health: 'degraded', note: 'not on PATH' });
    const { plugin } = PROD.auth;
    const denied = { ...PROD.auth, plugin: plugin === null ? null : { ...plugin, denied: 'kuberc' } };
    expect(signIn(denied, 0)).toMatchObject({ health: 'failing', note: 'may not be run: kuberc' });
  });

  it('marks a certificate that has expired', () => {
    expect(signIn(STAGING.auth, Date.parse('2026-01-01')).health).toBe('ok');
    expect(signIn(STAGING.auth, Date.parse('2028-01-01')).health).toBe('degraded');
  });
});

describe('a look', () => {
  it('is the newest run, whatever the order', () => {
    const [old, now] = [check('a', { run: 1 }), check('a', { run: 2 })];
    expect(checkOf([now, old, check('b', { run: 9 })], 'a')).toBe(now);
    expect(checkOf([old], 'b')).toBeNull();
  });

  it('counts only what was answered', () => {
    const lines = [
      line('a', 'A', ''),
      line('b', 'B', '', { state: 'note' }),
      line('c', 'C', '', { state: 'forbidden' }),
      line('d', 'D', '', { state: 'asking' }),
      line('e', 'E', '', { state: 'missing' }),
    ];
    expect(countLines(lines)).toEqual({ all: 5, answered: 4, notes: 1, bad: 1 });
  });

  it('counts the deadline of a plugin down between updates', () => {
    const waiting = { program: 'aws', since_s: 12, deadline_s: 60 };
    expect(secondsLeft(check('a', { waiting }), 3)).toBe(45);
    expect(secondsLeft(check('a', { waiting }), 300)).toBe(0);
    expect(secondsLeft(check('a'), 3)).toBeNull();
  });
});

describe('several contexts', () => {
  const [prod, demo] = [session({ context: 'prod-eu', class: 'production' }), session({ context: 'demo' })];

  it('are the first and how many more', () => {
    expect(openNames([], String)).toBe('');
    expect(openNames([prod], String)).toBe('prod-eu');
    expect(openNames([prod, demo, demo], (id) => id.toUpperCase())).toBe('PROD-EU + 2');
  });

  it('have the frame of the one that asks for most care', () => {
    expect(frameClass([demo, prod])).toBe('production');
    expect(frameClass([demo])).toBe('demo');
    expect(frameClass([])).toBe('normal');
    const blue = { ...prod, colour: 'blue' };
    expect(frameColour([demo, blue])).toBe('blue');
    expect(frameColour([])).toBeNull();
    expect(markOf('blue')).toEqual({ '--mark': 'var(--mark-blue)' });
    expect(markOf('#00ff7f')).toEqual({ '--mark': '#00ff7f' });
    expect(markOf(null)).toEqual({});
  });
});

describe('the sources of a context', () => {
  it('are one word when they answer, and named when they do not', () => {
    const fine = [source('metrics', ''), source('traces', '')];
    expect(sumOfSources(fine)).toEqual({ health: 'ok', words: '2 sources answer' });
    const absent = [...fine, source('control-plane', '', { state: 'absent' })];
    expect(sumOfSources(absent).words).toBe('2 sources answer');
    const stale = [source('control-plane', '', { state: 'stale' }), source('metrics', '')];
    expect(sumOfSources(stale)).toEqual({ health: 'degraded', words: 'k8s stale' });
    expect(sumOfSources([]).words).toBe('no source');
  });

  it('tell once for each context that its login has expired', () => {
    const error = { code: 'unauthorized', message: 'the API server does not know us', hint: '', count: 1 };
    const all = [
      source('control-plane', '', { context: 'a', error }),
      source('metrics', '', { context: 'a', error }),
      source('metrics', '', { context: 'b', error: { ...error, code: 'timed_out' } }),
    ];
    expect(expiredLogins(all)).toEqual([{ context: 'a', message: error.message }]);
  });
});

describe('an address', () => {
  const good = { ...emptyAddress(), url: 'https' + '://prom.example/base' };

  it('is refused with a word about the field that is wrong', () => {
    expect(addressProblems(good)).toEqual({});
    expect(Object.keys(addressProblems({ ...good, url: 'prom.example' }))).toEqual(['url']);
    expect(Object.keys(addressProblems({ ...good, signIn: 'basic' }))).toEqual(['secret', 'user']);
    expect(Object.keys(addressProblems({ ...good, signIn: 'token_file', tokenFile: 'x' }))).toEqual([
      'tokenFile',
    ]);
    expect(Object.keys(addressProblems({ ...good, signIn: 'token_command' }))).toEqual(['tokenCommand']);
    expect(Object.keys(addressProblems({ ...good, headers: 'no colon' }))).toEqual(['headers']);
    expect(Object.keys(addressProblems({ ...good, caFile: 'ca.pem' }))).toEqual(['caFile']);
  });

  it('sends of what was typed only what its way to sign in needs', () => {
    const typed = { ...good, secret: 'hush', user: 'me', tokenFile: '/t', tokenCommand: 'vault "a b"' };
    expect(addressRequest(typed)).toMatchObject({
      secret: null,
      user: '',
      token_file: '',
      token_command: [],
    });
    expect(addressRequest({ ...typed, signIn: 'bearer' })).toMatchObject({ secret: 'hush', user: '' });
    expect(addressRequest({ ...typed, signIn: 'basic' })).toMatchObject({ secret: 'hush', user: 'me' });
    expect(addressRequest({ ...typed, signIn: 'token_command' }).token_command).toEqual(['vault', 'a b']);
    expect(addressRequest({ ...typed, headers: 'X-Team:  shop \n\nX-B: 1' }).headers).toEqual([
      { name: 'X-Team', value: 'shop' },
      { name: 'X-B', value: '1' },
    ]);
  });

  it('keeps quoted words of a command together', () => {
    expect(wordsOf(`sh -c 'echo "x"' ""`)).toEqual(['sh', '-c', 'echo "x"', '']);
  });
});

describe('typed namespaces', () => {
  it('are taken apart and refused by name', () => {
    expect(namespacesOf(' shop, payments\nshop ')).toEqual(['shop', 'payments']);
    expect(badNamespaces(['shop', 'Shop', 'a_b', '-a', 'a'])).toEqual(['Shop', 'a_b', '-a']);
  });
});

describe('the memory of the page', () => {
  const kept = {
    screen: 'splits',
    filters: { mesh: 'reviews' },
    hiddenBoxes: ['c/shop'],
    namespaceChoices: { c: 'busiest' as const },
    figures: { p95: true },
    windowS: 300,
    table: true,
  };

  it('comes back as it went', () => {
    expect(readPage(writePage(kept))).toEqual(kept);
  });

  it.each(['', 'no json', '[]', 'null', '{}', JSON.stringify({ ...kept, version: VERSION + 1 })])(
    'is as good as none when it is broken or of a version to come: %s',
    (text) => {
      expect(readPage(text)).toBeNull();
    },
  );

  it('loses only the fields of another shape', () => {
    const odd = {
      version: VERSION,
      screen: 7,
      filters: { mesh: 1, splits: 'x' },
      hiddenBoxes: 'shop',
      namespaceChoices: { c: 'else' },
      windowS: 'x',
    };
    expect(readPage(JSON.stringify(odd))).toEqual({
      screen: '',
      filters: { splits: 'x' },
      hiddenBoxes: [],
      namespaceChoices: {},
      figures: {},
      windowS: null,
      table: false,
    });
  });
});
