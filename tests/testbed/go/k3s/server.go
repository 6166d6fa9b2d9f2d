package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const manifestDir = dataDir + "/server/manifests"

// server runs the control plane and the join endpoint, and is a node too.
func server(ctx context.Context, o *options) {
	o.ip = nodeIP()
	if o.token == "" {
		o.token = "testbed"
	}
	pki := loadPKI(tlsDir)
	crt, key := serverFiles(pki, o)
	controlPlane(ctx, o)
	go serveJoins(pki, o)
	// the node's containerd comes up while the API server starts
	startNode(ctx, o, nodeFiles(pki, o.name, o.ip, "https://127.0.0.1:6443"))
	waitReady(ctx, client(pki.caPEM, crt, key))
	unpackManifests()
	go deploy(ctx)
	// k3d waits for these two lines
	logf("k3s is up and running")
	logf("Cluster dns configmap has been set successfully")
	go func() {
		label := []string{"label", "node", o.name, "--overwrite", "node-role.kubernetes.io/control-plane=true"}
		for ctx.Err() == nil && kubectl(label...) != nil {
			time.Sleep(2 * time.Second)
		}
	}()
}

// serverFiles writes the control plane's certificates and kubeconfigs; it returns the administrator's pair.
func serverFiles(pki *pki, o *options) (crt, key []byte) {
	sans := append([]string{"localhost", "127.0.0.1", "0.0.0.0", "::1", o.ip, o.name, "10.43.0.1", "kubernetes",
		"kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}, o.sans...)
	pki.issueFiles(tlsDir+"/apiserver", "kube-apiserver", "", sans)
	pki.issueFiles(tlsDir+"/kubelet-client", "kube-apiserver-kubelet-client", "system:masters", nil)
	pki.saKey(tlsDir + "/service.key")
	for _, c := range []string{"kube-controller-manager", "kube-scheduler"} {
		crt, key := pki.issue("system:"+c, "", nil)
		write(tlsDir+"/"+c+".kubeconfig", kubeconfig("https://127.0.0.1:6443", pki.caPEM, crt, key), 0o600)
	}
	crt, key = pki.issue("system:admin", "system:masters", nil)
	admin := kubeconfig("https://127.0.0.1:6443", pki.caPEM, crt, key)
	write(adminConf, admin, 0o600)
	if out := os.Getenv("K3S_KUBECONFIG_OUTPUT"); out != "" {
		write(out, admin, 0o600)
	}
	write(dataDir+"/server/token", []byte(o.token), 0o600)
	return crt, key
}

func controlPlane(ctx context.Context, o *options) {
	start := func(program string, args ...string) {
		supervise(ctx, program, append(args, o.extra[program]...)...)
	}
	start("etcd",
		"--data-dir="+dataDir+"/server/db/etcd",
		"--listen-client-urls=http://127.0.0.1:2379",
		"--advertise-client-urls=http://127.0.0.1:2379",
		"--listen-peer-urls=http://127.0.0.1:2380",
		"--unsafe-no-fsync",
		"--auto-compaction-mode=periodic",
		"--auto-compaction-retention=30m")
	waitTCP("127.0.0.1:2379")
	start("kube-apiserver",
		"--etcd-servers=http://127.0.0.1:2379",
		"--advertise-address="+o.ip,
		"--secure-port=6443",
		"--service-cluster-ip-range="+serviceCIDR,
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--client-ca-file="+tlsDir+"/ca.crt",
		"--tls-cert-file="+tlsDir+"/apiserver.crt",
		"--tls-private-key-file="+tlsDir+"/apiserver.key",
		"--kubelet-client-certificate="+tlsDir+"/kubelet-client.crt",
		"--kubelet-client-key="+tlsDir+"/kubelet-client.key",
		"--kubelet-preferred-address-types=InternalIP",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file="+tlsDir+"/service.key",
		"--service-account-signing-key-file="+tlsDir+"/service.key")
	start("kube-controller-manager",
		"--kubeconfig="+tlsDir+"/kube-controller-manager.kubeconfig",
		"--leader-elect=false",
		"--allocate-node-cidrs=true",
		"--cluster-cidr="+clusterCIDR,
		"--service-cluster-ip-range="+serviceCIDR,
		"--use-service-account-credentials=true",
		"--root-ca-file="+tlsDir+"/ca.crt",
		"--service-account-private-key-file="+tlsDir+"/service.key",
		"--cluster-signing-cert-file="+tlsDir+"/ca.crt",
		"--cluster-signing-key-file="+tlsDir+"/ca.key")
	start("kube-scheduler", "--kubeconfig="+tlsDir+"/kube-scheduler.kubeconfig", "--leader-elect=false")
}

// serveJoins gives a node that knows the token what it needs to join. The reply is signed with the token, as the node
// has no certificate yet to trust the server by.
func serveJoins(pki *pki, o *options) {
	mux := http.NewServeMux()
	mux.HandleFunc("/join", func(w http.ResponseWriter, r *http.Request) {
		if !hmac.Equal([]byte(r.Header.Get("Authorization")), []byte("Bearer "+o.token)) {
			http.Error(w, "bad token", http.StatusUnauthorized)
			return
		}
		body, err := json.Marshal(nodeFiles(pki, r.FormValue("node"), r.FormValue("ip"), "https://"+o.ip+":6443"))
		must(err)
		w.Header().Set("X-Signature", sign(o.token, body))
		_, _ = w.Write(body)
	})
	logf("join endpoint: %v", http.ListenAndServeTLS(":"+joinPort, tlsDir+"/apiserver.crt", tlsDir+"/apiserver.key", mux))
}

// nodeFiles is everything that a node needs to join, by path.
func nodeFiles(pki *pki, name, ip, api string) map[string][]byte {
	files := map[string][]byte{agentDir + "/ca.crt": pki.caPEM, agentDir + "/api": []byte(api)}
	crt, key := pki.issue("system:node:"+name, "system:nodes", nil)
	files[agentDir+"/kubelet.kubeconfig"] = kubeconfig(api, pki.caPEM, crt, key)
	crt, key = pki.issue(name, "", []string{name, ip, "127.0.0.1"})
	files[agentDir+"/kubelet.crt"], files[agentDir+"/kubelet.key"] = crt, key
	crt, key = pki.issue("system:kube-proxy", "", nil)
	files[agentDir+"/kube-proxy.kubeconfig"] = kubeconfig(api, pki.caPEM, crt, key)
	files[agentDir+"/proxy.crt"], files[agentDir+"/proxy.key"] = crt, key
	return files
}

func waitReady(ctx context.Context, hc *http.Client) {
	for ctx.Err() == nil {
		if _, err := get(hc, "https://127.0.0.1:6443/readyz"); err == nil {
			return
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// unpackManifests keeps what is there: k3d edits coredns.yaml.
func unpackManifests() {
	packaged, _ := filepath.Glob(libDir + "/manifests/*.yaml")
	for _, file := range packaged {
		b, err := os.ReadFile(file)
		must(err)
		target := manifestDir + "/" + filepath.Base(file)
		if _, err := os.Stat(target); err != nil {
			write(target, b, 0o644)
		}
	}
}

// deploy applies each manifest whenever its content changes, as k3s does with its manifests folder.
func deploy(ctx context.Context) {
	seen := map[string]string{}
	for ; ctx.Err() == nil; time.Sleep(2 * time.Second) {
		_ = filepath.Walk(manifestDir, func(file string, info os.FileInfo, err error) error {
			if ext := filepath.Ext(file); err != nil || info.IsDir() || (ext != ".yaml" && ext != ".json") {
				return nil
			}
			b, _ := os.ReadFile(file)
			if h := sign("", b); len(b) > 0 && seen[file] != h && kubectl("apply", "-f", file) == nil {
				seen[file] = h
				logf("applied %s", file)
			}
			return nil
		})
	}
}

func kubectl(args ...string) error {
	out, err := exec.Command(libDir+"/bin/kubectl", append([]string{"--kubeconfig=" + adminConf}, args...)...).CombinedOutput()
	if err != nil {
		logf("kubectl %s: %v: %s", strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return err
}
