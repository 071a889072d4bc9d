// The small language of the filter box: words and conditions, all of which must hold.
//
//   ns:shop err>1% reviews        namespace shop, more than 1 % errors, and "reviews" in the name
//
// Keys: ns, health, err (percent), p95 (milliseconds), rps. An operator or number that cannot be read makes the whole
// text a plain word: a filter that silently matches everything would hide a typo.
import type { NodeView } from '../backend/bindings';

export type Condition = (node: NodeView) => boolean;

const COMPARISON = /^(err|p95|rps)(>=|<=|>|<)(\d+(?:\.\d+)?)(%|ms|s)?$/;

/** Null for an empty text: no filter. */
export function parseQuery(text: string): Condition | null {
  const words = text
    .trim()
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '' && word !== 'and');
  if (words.length === 0) {
    return null;
  }
  const conditions = words.map(parseWord);
  return (node) => conditions.every((holds) => holds(node));
}

function parseWord(word: string): Condition {
  const [key, value] = word.split(/[:=](.*)/s);
  if (value !== undefined && value !== '') {
    if (key === 'ns' || key === 'namespace') {
      return (node) => node.namespace.toLowerCase() === value;
    }
    if (key === 'health') {
      return (node) => node.health === value;
    }
  }
  const comparison = COMPARISON.exec(word);
  if (comparison !== null) {
    const [, field, operator, digits, unit] = comparison;
    const bound = Number(digits) * (unit === 's' ? 1000 : 1);
    return (node) => {
      const number = fieldOf(node, field ?? '');
      return number !== null && compare(number, operator ?? '', bound);
    };
  }
  return (node) => `${node.namespace}/${node.label}`.toLowerCase().includes(word);
}

/** Null if unknown: an unknown number meets no condition. */
function fieldOf(node: NodeView, field: string): number | null {
  switch (field) {
    case 'err':
      return node.error_ratio === null ? null : node.error_ratio * 100;
    case 'p95':
      return node.latency_ms.p95;
    default:
      return node.rate;
  }
}

function compare(number: number, operator: string, bound: number): boolean {
  switch (operator) {
    case '>':
      return number > bound;
    case '<':
      return number < bound;
    case '>=':
      return number >= bound;
    default:
      return number <= bound;
  }
}
