#!/bin/sh
# github.com/golang/protobuf 1.5.4 and google.golang.org/protobuf 1.36.12. Seen 2026-11-28.
#
# Expected: the old module is a thin layer over the new one since 1.4, so both read the same JSON of a well-known type.
# Seen: the old module's jsonpb reads a Duration by Go's ParseDuration and takes `5m`, `500ms` and `1h30m`; the new module's
# protojson takes seconds only (`300s`). Whether a mesh takes `timeout: 5m` is a matter of which of the two reads it.
# Here: durations of routes are read in either spelling (crates/core).
set -eu
folder=$(mktemp -d)
# Go's modules are read-only.
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT INT TERM
cd "$folder"
cat > go.mod <<'GO'
module finding

go 1.24

require (
	github.com/golang/protobuf v1.5.4
	google.golang.org/protobuf v1.36.12
)
GO
cat > main.go <<'GO'
package main

import (
	"fmt"
	"strings"

	"github.com/golang/protobuf/jsonpb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/durationpb"
)

func main() {
	for _, text := range []string{"300s", "5m", "500ms", "1h30m"} {
		quoted := `"` + text + `"`
		old := jsonpb.Unmarshal(strings.NewReader(quoted), &durationpb.Duration{})
		now := protojson.Unmarshal([]byte(quoted), &durationpb.Duration{})
		fmt.Printf("%s:%v,%v ", text, old == nil, now == nil)
	}
}
GO
seen=$(GOFLAGS=-mod=mod go run .)
echo "taken by jsonpb 1.5.4, by protojson 1.36.12: $seen"
test "$seen" = "300s:true,true 5m:true,false 500ms:true,false 1h30m:true,false "
