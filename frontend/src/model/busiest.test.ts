import { describe, expect, it } from 'vitest';

import { GRAPH, node } from '../../tests/fixture/mesh';
import type { NodeView } from '../backend/bindings';
import { beyondBusiest, namespacesOf } from './busiest';
import { indexMesh } from './mesh';

function beyond(nodes: readonly NodeView[], context = 'east', alone = true): readonly string[] {
  const mesh = indexMesh({ ...GRAPH, nodes: [...nodes], edges: [] });
  return beyondBusiest(mesh, namespacesOf(mesh, context, alone));
}

const six = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, i) => node(`${name}/web`, 10 + i, 0, 5));

describe('the busiest namespaces', () => {
  it('are five by their requests, with what only sends; the idle ones are left out with the rest', () => {
    const sender = node('gateway/in', null, null, null, { out: { http: { rate: 900, error_ratio: 0 } } });
    expect(beyond([...six, sender, node('quiet/job', 0, null, null)])).toEqual([
      'demo/b',
      'demo/a',
      'demo/quiet',
    ]);
  });

  it('are all of them where no more than five have traffic, however many are idle', () => {
    const idle = ['x', 'y', 'z'].map((name) => node(`${name}/job`, 0, null, null));
    expect(beyond([...six.slice(0, 5), ...idle])).toEqual([]);
  });

  it('are not counted by bytes', () => {
    const database = node('store/db', null, null, null, { in: { tcp: { rate: 9e6, error_ratio: null } } });
    expect(beyond([...six, database])).toEqual(['demo/a', 'demo/store']);
  });

  it('are those of one context; callers outside the mesh are of none', () => {
    const east = six.map((one) => ({ ...one, context: 'east' }));
    const west = six.map((one) => ({
      ...one,
      context: 'west',
      box: `west/${one.namespace}`,
      id: `w-${one.id}`,
    }));
    const outside = node('/unknown', 1, 0, 5);
    expect(beyond([...east, ...west, outside], 'west', false)).toEqual(['west/a']);
  });
});
