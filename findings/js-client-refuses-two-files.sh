#!/bin/sh
# @kubernetes/client-node 1.4.0 from npm. Seen 2026-11-28.
#
# Expected: of two entries with one name in the files of KUBECONFIG the first one counts, as the Kubernetes documentation says
# of merging and kubectl does.
# Seen: the whole configuration is refused with `Duplicate cluster: shared`, though nothing in it uses the second entry. Two
# files that a cloud's command line wrote for one cluster are enough.
# Here: crates/kube merges as kubectl does, and one wrong entry breaks only itself.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT INT TERM
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @kubernetes/client-node@1.4.0
file() {
    cat <<YAML
apiVersion: v1
kind: Config
current-context: $1
clusters: [{name: shared, cluster: {server: "https://$1.example:6443"}}]
users: [{name: $1, user: {token: t}}]
contexts: [{name: $1, context: {cluster: shared, user: $1}}]
YAML
}
file east >east
file west >west
cat >see.mjs <<'JS'
import { KubeConfig } from '@kubernetes/client-node';
const config = new KubeConfig();
try {
    config.loadFromDefault();
    console.log(config.getCurrentCluster().server);
} catch (error) {
    console.log(error.message);
}
JS
seen=$(KUBECONFIG="$folder/east:$folder/west" node see.mjs)
echo "@kubernetes/client-node 1.4.0, two files that share a cluster's name: $seen"
test "$seen" = "Duplicate cluster: shared"
