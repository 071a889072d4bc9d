// Sentences about parts of the mesh, the same in cards, labels, table and inspector.
import type { EdgeView, NodeView } from '../backend/bindings';
import type { Mesh } from '../model/mesh';
import { flowOf, fullName } from '../model/mesh';
import * as format from './format';

/** What tells a service that nothing answered for from the workload of the same name. */
export const NO_WORKLOAD = 'no workload';

/** `reviews, namespace shop, degraded, 640 requests per second, 1.3 % errors, p95 212 ms`. */
export function nodeSentence(mesh: Mesh, node: NodeView): string {
  const flow = flowOf(node);
  const figures = figuresSentence(flow.rate, flow.error_ratio, node.latency_ms.p95, flow.protocol);
  return [
    node.label,
    ...(node.namespace === '' ? [] : [`namespace ${node.namespace}`]),
    ...(mesh.withoutWorkload.has(node.id) ? [NO_WORKLOAD] : []),
    node.health,
    ...(flow.sent ? ['sends'] : []),
    ...figures,
  ].join(', ');
}

export function edgeSentence(mesh: Mesh, edge: EdgeView): string {
  return [
    endNames(mesh, edge).join(' to '),
    edge.protocol,
    edge.health,
    ...figuresSentence(edge.rate, edge.error_ratio, edge.latency_ms.p95, edge.protocol),
  ].join(', ');
}

/** `catalog → reviews` inside a namespace, `edge/web-bff → shop/catalog` between two. */
export function edgeName(mesh: Mesh, edge: EdgeView): string {
  return endNames(mesh, edge).join(' → ');
}

/** The namespace that both ends of a call lie in; empty if they do not share one, or lie in two clusters' of that name. */
export function sharedNamespace(mesh: Mesh, edge: EdgeView): string {
  const [source, target] = [mesh.nodes.get(edge.source), mesh.nodes.get(edge.target)];
  return source !== undefined && source.box === target?.box ? source.namespace : '';
}

function endNames(mesh: Mesh, edge: EdgeView): [string, string] {
  const short = sharedNamespace(mesh, edge) !== '';
  const nameOf = (id: string): string => {
    const node = mesh.nodes.get(id);
    if (node === undefined) {
      return id;
    }
    return short ? node.label : fullName(node);
  };
  return [nameOf(edge.source), nameOf(edge.target)];
}

function figuresSentence(
  rate: number | null,
  errorRatio: number | null,
  p95: number | null,
  protocol: string,
): string[] {
  const unit = protocol === 'tcp' ? 'per second' : 'requests per second';
  const amount = protocol === 'tcp' ? format.bytes(rate) : format.rate(rate);
  return [
    rate === null ? 'rate unknown' : `${amount} ${unit}`,
    ...(errorRatio === null ? [] : [`${format.percent(errorRatio)} errors`]),
    ...(p95 === null ? [] : [`p95 ${format.latency(p95)}`]),
  ];
}

/** The line under the name on a card: `640 · 1.3 % · 212 ms`. */
export function cardFigures(node: NodeView): string {
  const flow = flowOf(node);
  if (flow.rate === null || node.health === 'idle') {
    return node.health === 'idle' ? 'idle' : 'unknown';
  }
  const amount = flow.protocol === 'tcp' ? `${format.bytes(flow.rate)}/s` : format.rate(flow.rate);
  return [
    flow.sent ? `sends ${amount}` : amount,
    ...(flow.error_ratio === null ? [] : [format.percent(flow.error_ratio)]),
    ...(node.latency_ms.p95 === null ? [] : [format.latency(node.latency_ms.p95)]),
  ].join(' · ');
}

export function labelOf(mesh: Mesh, id: string): string {
  return mesh.nodes.get(id)?.label ?? id;
}
