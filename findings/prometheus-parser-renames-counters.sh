#!/bin/sh
# prometheus_client 0.26.0 from PyPI. Seen 2026-11-28.
#
# Expected: a parser of the text format gives back the sample names that stand in it, which are those that Prometheus stores.
# Seen: a counter whose name has no `_total` gets it: Envoy's `envoy_cluster_upstream_rq` is read as
# `envoy_cluster_upstream_rq_total`, which no Prometheus that scraped the same page knows. A gauge keeps its name.
# Here: names of metrics are never taken from such a parser; the demo mesh's page is proven by a real Prometheus.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check prometheus_client==0.26.0
cat > "$folder/see.py" <<'PYTHON'
from prometheus_client.parser import text_string_to_metric_families

page = """# TYPE envoy_cluster_upstream_rq counter
envoy_cluster_upstream_rq{envoy_response_code="200"} 7
# TYPE envoy_cluster_upstream_rq_active gauge
envoy_cluster_upstream_rq_active 1
"""
print(" ".join(sample.name for family in text_string_to_metric_families(page) for sample in family.samples))
PYTHON
seen=$("$folder/venv/bin/python" "$folder/see.py")
echo "prometheus_client 0.26.0 reads envoy_cluster_upstream_rq, envoy_cluster_upstream_rq_active as: $seen"
test "$seen" = "envoy_cluster_upstream_rq_total envoy_cluster_upstream_rq_active"
