// What the Splits screen says about verdicts, owners and phases.
import type { SplitView } from '../../backend/bindings';
import type { Health } from '../../model/health';
import { objectOf } from '../../model/splitId';
import * as format from '../format';

export const KIND_SHORT: Readonly<Record<string, string>> = { VirtualService: 'VS' };

const OWNERS: Readonly<Record<string, string>> = {
  hand: 'by hand',
  'argo-cd': 'Argo CD',
  flux: 'Flux',
  flagger: 'Flagger',
  'argo-rollouts': 'Argo Rollouts',
  kiali: 'Kiali',
  helm: 'Helm',
};

export function ownerName(tool: string): string {
  return OWNERS[tool] ?? tool;
}

const VERDICT_HEALTH: Readonly<Record<string, Health>> = {
  agrees: 'ok',
  drift: 'failing',
  converging: 'ok',
  overridden: 'degraded',
};

export function verdictHealth(verdict: string): Health {
  return VERDICT_HEALTH[verdict] ?? 'unknown';
}

export function verdictSentence(split: SplitView): string {
  switch (split.verdict) {
    case 'agrees':
      return 'agrees with what is declared';
    case 'drift':
      return `drift: ${driftOf(split)}`;
    case 'incomparable':
      return reasonOf(split) ?? 'declared and observed cannot be compared here';
    case 'converging':
      return 'converging after a change';
    case 'overridden':
      return `not in force${split.overridden_by === null ? '' : `: ${split.overridden_by} takes its place`}`;
    default:
      return unknownSentence(split);
  }
}

/** Why the counted requests are not those that the weights divide; the core says it in a finding. */
function reasonOf(split: SplitView): string | undefined {
  return split.findings.find((finding) => finding.code === 'not-comparable')?.message;
}

/** Nothing counted and too little counted are not the same: the second only wants patience. */
function unknownSentence(split: SplitView): string {
  if (split.destinations.every((destination) => destination.observed_ratio === null)) {
    return 'share unknown: no requests were counted';
  }
  const counted = split.destinations.reduce((sum, destination) => sum + (destination.requests ?? 0), 0);
  return `too few requests to tell: n ${format.count(counted)}`;
}

/** The destination that is farthest from its declared share. */
function driftOf(split: SplitView): string {
  const gap = (i: number): number => {
    const destination = split.destinations[i];
    return Math.abs((destination?.observed_ratio ?? 0) - (destination?.effective_ratio ?? 0));
  };
  const farthest = split.destinations.map((_, i) => i).sort((a, b) => gap(b) - gap(a))[0] ?? 0;
  const destination = split.destinations[farthest];
  if (destination === undefined) {
    return 'declared and observed differ';
  }
  const range = format.plusMinus(destination.observed_ratio, destination.interval);
  return `${destination.name} declared ${format.percent(destination.effective_ratio)}, observed ${format.percent(destination.observed_ratio)} ${range}`.trim();
}

const PHASES: Readonly<Record<string, string>> = {
  converging: 'Converging',
  converged: 'Converged',
  stalled: 'Stalled',
  too_little_traffic: 'Too little traffic',
  incomparable: 'Cannot be compared',
  blind: 'Blind: no metrics',
  undone: 'Undone',
  superseded: 'Superseded',
};

export function phaseName(phase: string): string {
  return PHASES[phase] ?? phase;
}

export function splitTitle(split: SplitView): string {
  return `${split.namespace}/${split.name}`;
}

/** The title by the id alone, for a split whose object is gone. */
export function titleOfId(id: string): string {
  const { namespace, name } = objectOf(id);
  return name === '' ? id : `${namespace}/${name}`;
}

/** Whether a split is what the filter box asks for: every word somewhere in its names, owner or verdict. */
export function matchesFilter(split: SplitView, text: string): boolean {
  const all = [split.id, split.owner.tool, ownerName(split.owner.tool), split.verdict, split.match]
    .concat(
      split.hosts,
      split.destinations.map((destination) => destination.name),
    )
    .join(' ')
    .toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word.replace(/^(owner|verdict):/, '')));
}
