// The small language of the filter box: words and conditions, all of which must hold.
//
//   ns:shop err>1% reviews        namespace shop, more than 1 % errors, and "reviews" in the name
//
// Keys: ns, cluster, health, err (percent), p95 (milliseconds), rps. A condition that cannot be read counts as a plain word: a
// filter that silently matches everything would hide a typo. `unreadWords` names such conditions, for saying so.
import type { NodeView } from '../backend/bindings';
import { qualifiedName } from './clusters';
import { HEALTHS } from './health';

export type Condition = (node: NodeView) => boolean;

const COMPARISON = /^(err|p95|rps)(>=|<=|>|<)(\d+(?:\.\d+)?)(%|ms|s)?$/;
/** No name of a service has an angle bracket, or begins like one of the keys. */
const MEANT_AS_CONDITION = /[<>]|^(?:ns|namespace|cluster|health|err|p95|rps)[:=]/;

/** Null for an empty text: no filter. */
export function parseQuery(text: string): Condition | null {
  const words = wordsOf(text);
  if (words.length === 0) {
    return null;
  }
  const conditions = words.map((word) => parseCondition(word) ?? nameHas(word));
  return (node) => conditions.every((holds) => holds(node));
}

/** What looks like a condition and is none, each once, in small letters: `err>1pct`. */
export function unreadWords(text: string): string[] {
  const words = new Set(wordsOf(text));
  return [...words].filter((word) => MEANT_AS_CONDITION.test(word) && parseCondition(word) === null);
}

function wordsOf(text: string): string[] {
  return text
    .trim()
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '' && word !== 'and');
}

function nameHas(word: string): Condition {
  return (node) => `${node.namespace}/${node.label}`.toLowerCase().includes(word);
}

/** Null if it is a plain word. */
function parseCondition(word: string): Condition | null {
  const [key, value] = word.split(/[:=](.*)/s);
  if (value !== undefined && value !== '') {
    if (key === 'ns' || key === 'namespace') {
      return (node) => node.namespace.toLowerCase() === value;
    }
    if (key === 'cluster') {
      return (node) => clusterNames(node).some((name) => name.toLowerCase() === value);
    }
    if (key === 'health' && HEALTHS.some((health) => health === value)) {
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
  return null;
}

/** As it is named where no other cluster goes by its name, and where one does. */
function clusterNames({ cluster, context }: NodeView): string[] {
  return context === null ? [cluster] : [cluster, qualifiedName(cluster, context)];
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
