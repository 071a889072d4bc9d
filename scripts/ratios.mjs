// Prints the ratio of every criterion benchmark named `A vs B` to `B` of the same group.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = process.argv[2] ?? 'target/criterion';
const groups = new Map();
for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
  if (!path.endsWith(join('new', 'benchmark.json'))) continue;
  const { group_id, function_id } = JSON.parse(readFileSync(join(root, path), 'utf8'));
  const estimates = JSON.parse(readFileSync(join(root, path, '../estimates.json'), 'utf8'));
  if (!groups.has(group_id)) groups.set(group_id, new Map());
  groups.get(group_id).set(function_id, estimates.median.point_estimate / 1e6);
}
for (const [group, medians] of groups) {
  for (const [name, ms] of medians) {
    const [, floor] = name.split(' vs ');
    if (floor === undefined) continue;
    const against = medians.get(floor);
    const row = `${ms.toFixed(2)} ms against ${against.toFixed(2)} ms`;
    console.log(`${group}: ${name}`.padEnd(75), `${(ms / against).toFixed(3)}`.padStart(7), ` (${row})`);
  }
}
