#!/bin/sh
# kubernetes 37.0.2 from PyPI. Seen 2026-11-28.
#
# Expected: a user entry with `as: viewer` makes every request carry `Impersonate-User: viewer`, as kubectl does, and so has
# the viewer's rights.
# Seen: the client reads token, certificate and plugin of the entry and passes over `as`, `as-groups` and `as-user-extra`
# without a word. Requests have the full rights of whoever owns the token.
# Here: crates/kube sends the headers, and says on every screen that the context acts as somebody else.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q --disable-pip-version-check kubernetes==37.0.2
cat > "$folder/see.py" <<'PYTHON'
import http.server, json, sys, threading
from kubernetes import client, config

seen = []

class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        seen.extend(sorted(name.lower() for name in self.headers if name.lower().startswith(("authorization", "impersonate"))))
        fields = "major minor gitVersion gitCommit gitTreeState buildDate goVersion compiler platform".split()
        body = json.dumps(dict.fromkeys(fields, "1")).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

server = http.server.HTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
kubeconfig = {
    "current-context": "here",
    "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
    "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
    "users": [{"name": "u", "user": {"token": "t", "as": "viewer", "as-groups": ["looks"]}}],
}
config.load_kube_config_from_dict(kubeconfig)
client.VersionApi().get_code()
print(" ".join(seen))
PYTHON
seen=$("$folder/venv/bin/python" "$folder/see.py")
echo "kubernetes 37.0.2: headers of a context with 'as: viewer': $seen"
test "$seen" = "authorization"
