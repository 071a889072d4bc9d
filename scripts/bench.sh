#!/usr/bin/env bash
# Benchmarks of the decisions, and their ratios: `A vs B` is compared with `B` of the same group, from the same run.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/say.sh
scripts/need.sh rust node
rm -rf target/criterion
cargo bench -q -p pilothouse-core -p pilothouse-demo -p pilothouse-kube --bench trace --bench mesh --bench kubeconfig || fail "a benchmark failed (see above)"
say "ratios (below 1: faster than the floor or the rival)"
node scripts/ratios.mjs target/criterion
