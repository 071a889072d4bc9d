import { afterEach, describe, expect, it, vi } from 'vitest';

import { CallError, toCallError } from './backend';
import { httpBackend, tokenFrom } from './http';
import { LineSplitter } from './lines';

afterEach(() => {
  vi.unstubAllGlobals();
});

function answering(response: Response): ReturnType<typeof vi.fn> {
  const fake = vi.fn(() => Promise.resolve(response));
  vi.stubGlobal('fetch', fake);
  return fake;
}

describe('line splitter', () => {
  it('finds lines across any borders of chunks', () => {
    const text = '{"a":1}\n{"b":2}\n\n{"c":3}\n';
    for (let size = 1; size <= text.length; size += 1) {
      const lines = new LineSplitter();
      const found: string[] = [];
      for (let at = 0; at < text.length; at += size) {
        found.push(...lines.push(text.slice(at, at + size)));
      }
      expect(found).toEqual(['{"a":1}', '{"b":2}', '{"c":3}']);
    }
  });

  it('keeps an unfinished line to itself', () => {
    expect(new LineSplitter().push('{"a":')).toEqual([]);
  });
});

describe('http transport', () => {
  it('reads the token from the fragment', () => {
    expect(tokenFrom('#t=abc123')).toBe('abc123');
    expect(tokenFrom('')).toBe('');
  });

  it('posts the request with the token, and an empty object for none', async () => {
    const fake = answering(new Response('null'));
    await httpBackend('abc').call('refresh', null);
    expect(fake).toHaveBeenCalledWith('/ipc/refresh', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: 'Bearer abc' },
      body: '{}',
      signal: null,
    });
  });

  it('passes the engine’s own error on, code and all', async () => {
    const error = { code: 'conflict', message: 'changed', detail: 'rv 2', hint: 'look again' };
    answering(new Response(JSON.stringify(error), { status: 409 }));
    await expect(httpBackend('').call('dry_run', { plan_id: 'p' })).rejects.toMatchObject({ error });
  });

  it('says what a refusal without JSON means', async () => {
    answering(new Response('', { status: 401, statusText: 'Unauthorized' }));
    await expect(httpBackend('').call('session', null)).rejects.toMatchObject({
      error: { code: 'unauthorized' },
    });
  });

  it('tells an unreachable engine from a fault of ours', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('fetch failed')));
    await expect(httpBackend('').call('session', null)).rejects.toMatchObject({
      error: { code: 'unavailable' },
    });
  });

  it('delivers each line of the stream and reports its end', async () => {
    answering(new Response('{"generation":1}\n{"generation":2}\n'));
    const updates: unknown[] = [];
    const reason = await new Promise<string>((resolve) => {
      const stop = httpBackend('').subscribe(
        (update) => updates.push(update),
        (lost) => {
          stop();
          resolve(lost);
        },
      );
    });
    expect(updates).toEqual([{ generation: 1 }, { generation: 2 }]);
    expect(reason).toBe('the stream ended');
  });
});

describe('errors', () => {
  it('takes only known codes from outside', () => {
    expect(toCallError({ code: 'forbidden', message: 'no', detail: '', hint: '' }).error.code).toBe(
      'forbidden',
    );
    expect(toCallError({ code: 'weird', message: 'no' }).error.code).toBe('internal');
    expect(toCallError('plain words').message).toBe('plain words');
    const already = new CallError({ code: 'internal', message: 'x', detail: '', hint: '' });
    expect(toCallError(already)).toBe(already);
  });
});
