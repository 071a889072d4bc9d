// The test bed's API server: the published kube-apiserver with what a cluster
// usually brings around it, namely an etcd and a certificate.
//
// BED_STATE names a folder. There this program keeps etcd's files, server.crt
// (the server's certificate and the CA that signed it, which is what a client has
// to trust) and server.key; where these two are there already, it takes them.
// All arguments go to kube-apiserver; the ones that name etcd, certificate and
// keys are added here.
//
// go.mod names two more programs, which are built as they are published: kubectl
// and kube-controller-manager.
package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/client-go/util/cert"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

const host = "127.0.0.1"

func main() {
	state := os.Getenv("BED_STATE")
	if state == "" {
		fail("BED_STATE is not set")
	}
	if err := writeCertificate(state); err != nil {
		fail("certificate: %v", err)
	}
	etcd, err := startEtcd(filepath.Join(state, "etcd"))
	if err != nil {
		fail("etcd: %v", err)
	}

	key := filepath.Join(state, "server.key")
	os.Args = append(os.Args,
		// Port 0 was asked for: the listener knows which one it became.
		"--etcd-servers=http://"+etcd.Clients[0].Addr().String(),
		"--tls-cert-file="+filepath.Join(state, "server.crt"),
		"--tls-private-key-file="+key,
		// One RSA key serves for both: nobody outside the bed ever sees a token.
		"--service-account-signing-key-file="+key,
		"--service-account-key-file="+key,
	)
	// Run comes back after SIGTERM, when the API server no longer needs etcd.
	code := cli.Run(app.NewAPIServerCommand())
	etcd.Close()
	os.Exit(code)
}

func writeCertificate(state string) error {
	file := filepath.Join(state, "server.crt")
	if _, err := os.Stat(file); err == nil {
		return nil // started again, or given: clients know this one
	}
	ips := []net.IP{net.ParseIP("10.96.0.1")}
	names := []string{"localhost", "kubernetes.default.svc"}
	certificate, key, err := cert.GenerateSelfSignedCertKey(host, ips, names)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(state, "server.key"), key, 0o600); err != nil {
		return err
	}
	// Clients wait for this file, so it appears whole.
	if err := cert.WriteCert(file+".new", certificate); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// startEtcd comes back when the one-member etcd serves.
func startEtcd(dir string) (*embed.Etcd, error) {
	anyPort := []url.URL{{Scheme: "http", Host: host + ":0"}}

	config := embed.NewConfig()
	config.Dir = dir
	config.LogLevel = "warn"
	// Only etcd's flags set this default; without it every request is logged as slow.
	config.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration
	config.UnsafeNoFsync = true // the data ends with the bed
	config.ListenClientUrls, config.AdvertiseClientUrls = anyPort, anyPort
	config.ListenPeerUrls, config.AdvertisePeerUrls = anyPort, anyPort
	config.InitialCluster = config.InitialClusterFromName(config.Name)

	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err = <-etcd.Err():
	case <-time.After(30 * time.Second):
		err = fmt.Errorf("not ready within 30 s")
	}
	etcd.Close()
	return nil, err
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, "bed: "+format+"\n", values...)
	os.Exit(1)
}
