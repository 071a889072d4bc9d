import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { theKeyboard } from './keyboard';
import { theLoop } from './loop';
import { inspectorPort, listening, nameOf, tree } from './sockets';
import { WindowDriver } from './window';

describe('in the real window', () => {
  let window: WindowDriver;
  beforeAll(async () => {
    window = await WindowDriver.open();
  });
  afterAll(() => window?.close());
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail') {
      await window.picture('failed');
    }
    expect(await window.complaints(), 'errors of the page').toEqual([]);
  });

  theLoop(() => window);
  theKeyboard(() => window);

  it('listens on no socket of its own', () => {
    const app = tree(window.pid).find((pid) => nameOf(pid) === 'pilothouse') ?? -1;
    // Under automation WebKit opens one door for the driver, at the port that the driver chose; there is no other.
    expect(listening(tree(app))).toEqual([inspectorPort(app)]);
  });
});
