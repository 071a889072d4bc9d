import { expect, test } from 'vitest';

import { contextOf, objectOf } from './splitId';

test('an id names its context, whatever is in the name', () => {
  const id = 'arn:aws:eks:1:cluster%2Fshop%2525/VirtualService/shop/reviews/http/0';
  expect(contextOf(id)).toBe('arn:aws:eks:1:cluster/shop%25');
  expect(objectOf(id)).toEqual({ namespace: 'shop', name: 'reviews' });
});

test('an id without a context means the first that is open', () => {
  const id = 'HTTPRoute/shop/reviews/rules/0';
  expect(contextOf(id)).toBeNull();
  expect(objectOf(id)).toEqual({ namespace: 'shop', name: 'reviews' });
});
