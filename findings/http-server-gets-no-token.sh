#!/bin/sh
# k8s.io/client-go 0.36.2. Seen 2026-11-28.
#
# Expected: a token of the kubeconfig goes with every request, whatever the scheme of the server's address, as the clients in
# other languages send it.
# Seen: where the address begins with http:// the token is left out, silently, and so are passwords and plugins; whom the
# entry acts as (`as`) is sent all the same. A server behind plain HTTP therefore sees an impersonation by nobody.
# Here: crates/kube does the same, and says that the connection is not encrypted.
set -eu
folder=$(mktemp -d)
# Go's modules are read-only.
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT INT TERM
cd "$folder"
cat >go.mod <<'GO'
module finding

go 1.26

require k8s.io/client-go v0.36.2
GO
cat >main.go <<'GO'
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

func main() {
	seen := func(w http.ResponseWriter, r *http.Request) {
		fmt.Printf("token=%q as=%q", r.Header.Get("Authorization"), r.Header.Get("Impersonate-User"))
	}
	server := httptest.NewServer(http.HandlerFunc(seen))
	kubeconfig := api.NewConfig()
	kubeconfig.CurrentContext = "here"
	kubeconfig.Contexts["here"] = &api.Context{Cluster: "c", AuthInfo: "u"}
	kubeconfig.Clusters["c"] = &api.Cluster{Server: server.URL}
	kubeconfig.AuthInfos["u"] = &api.AuthInfo{Token: "t", Impersonate: "viewer"}
	config, err := clientcmd.NewDefaultClientConfig(*kubeconfig, nil).ClientConfig()
	if err != nil {
		panic(err)
	}
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		panic(err)
	}
	if _, err := client.Get(server.URL + "/version"); err != nil {
		panic(err)
	}
}
GO
seen=$(GOFLAGS=-mod=mod go run .)
echo "client-go 0.36.2 over http://: $seen"
test "$seen" = 'token="" as="viewer"'
