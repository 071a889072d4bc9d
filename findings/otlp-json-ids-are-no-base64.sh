#!/bin/sh
# opentelemetry-proto 1.45.2 and protobuf 7.36.2 from PyPI. Seen 2026-11-28.
#
# Expected: the JSON reader of protobuf reads what the OTLP messages look like in JSON, or refuses what it cannot read.
# Seen: OTLP writes ids as hexadecimal digits where the JSON mapping of protobuf has base64. Every hexadecimal id is valid
# base64, too: the reader takes it and gives a trace id of 24 bytes and a span id of 12, none of them the span's.
# Here: crates/telemetry takes hexadecimal digits of the right number for what they are, and base64 of the right length too.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check opentelemetry-proto==1.45.2 protobuf==7.36.2
cat > "$folder/see.py" <<'PYTHON'
import json
from google.protobuf import json_format
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

span = {"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "GET /"}
text = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
span = json_format.Parse(text, TracesData()).resource_spans[0].scope_spans[0].spans[0]
print(len(span.trace_id), len(span.span_id), span.trace_id.hex())
PYTHON
seen=$("$folder/venv/bin/python" "$folder/see.py")
echo "protobuf 7.36.2: bytes of a trace id, of a span id, the trace id: $seen"
test "$seen" = "24 12 e5bf1e7df7fbf7cd37f35d37776ebd6fadf7f35ddf73ad1c"
