import { expect, it } from 'vitest';

import { CLUSTERS_GRAPH, EU_CART, US_CART } from '../../tests/fixture/clusters';
import { edge } from '../../tests/fixture/mesh';
import { indexMesh } from '../model/mesh';
import { edgeName, sharedNamespace } from './words';

it('a call between two clusters lies in no namespace of both, though theirs have one name', () => {
  const call = edge(US_CART, EU_CART, 20, 0, 30);
  const mesh = indexMesh({ ...CLUSTERS_GRAPH, edges: [call] });
  expect(sharedNamespace(mesh, call)).toBe('');
  expect(edgeName(mesh, call)).toBe('shop/cart → shop/cart');
});
