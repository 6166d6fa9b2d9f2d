package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const containerdSocket = "/run/k3s/containerd/containerd.sock"

// agent joins the server and starts the node's programs.
func agent(ctx context.Context, o *options) {
	o.ip = nodeIP()
	for ctx.Err() == nil {
		files, err := join(o)
		if err == nil {
			startNode(ctx, o, files)
			return
		}
		logf("joining %s: %v", o.url, err)
		time.Sleep(time.Second)
	}
}

func join(o *options) (map[string][]byte, error) {
	server, err := url.Parse(o.url)
	if err != nil {
		return nil, err
	}
	query := url.Values{"node": {o.name}, "ip": {o.ip}}.Encode()
	req, err := http.NewRequest("GET", "https://"+net.JoinHostPort(server.Hostname(), joinPort)+"/join?"+query, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+o.token)
	// the certificate can't be known yet; the reply is signed with the token
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	res, err := (&http.Client{Timeout: 10 * time.Second, Transport: transport}).Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", res.Status, bytes.TrimSpace(body))
	}
	if !hmac.Equal([]byte(res.Header.Get("X-Signature")), []byte(sign(o.token, body))) {
		return nil, fmt.Errorf("the reply is not signed with this cluster's token")
	}
	files := map[string][]byte{}
	return files, json.Unmarshal(body, &files)
}

// startNode starts containerd, kubelet, kube-proxy and the pod network.
func startNode(ctx context.Context, o *options, files map[string][]byte) {
	for f, b := range files {
		write(f, b, 0o600)
	}
	write(agentDir+"/etc/containerd/config.toml", []byte(containerdConfig), 0o644)
	write(agentDir+"/kubelet.yaml", []byte(strings.ReplaceAll(kubeletConfig, "NODE", o.name)), 0o644)
	write(agentDir+"/kube-proxy.yaml", []byte(strings.ReplaceAll(proxyConfig, "NODE", o.name)), 0o644)
	write(agentDir+"/resolv.conf", nil, 0o644) // pods get no upstream resolver
	must(os.MkdirAll(agentDir+"/etc/cni/net.d", 0o755))
	for _, k := range []string{"net/ipv4/ip_forward", "net/bridge/bridge-nf-call-iptables"} {
		_ = os.WriteFile("/proc/sys/"+k, []byte("1"), 0o644)
	}
	seedContainerd()
	supervise(ctx, "containerd", "--config", agentDir+"/etc/containerd/config.toml")
	go func() {
		for _, err := os.Stat(containerdSocket); err != nil; _, err = os.Stat(containerdSocket) {
			time.Sleep(100 * time.Millisecond)
		}
		importImages()
		labels := append([]string{"node.kubernetes.io/instance-type=k3s"}, o.labels...)
		kubelet := []string{"--config=" + agentDir + "/kubelet.yaml", "--kubeconfig=" + agentDir + "/kubelet.kubeconfig",
			"--hostname-override=" + o.name, "--node-ip=" + o.ip, "--node-labels=" + strings.Join(labels, ",")}
		if len(o.taints) > 0 {
			kubelet = append(kubelet, "--register-with-taints="+strings.Join(o.taints, ","))
		}
		supervise(ctx, "kubelet", append(kubelet, o.extra["kubelet"]...)...)
		supervise(ctx, "kube-proxy", append([]string{"--config=" + agentDir + "/kube-proxy.yaml"}, o.extra["kube-proxy"]...)...)
		podNetwork(ctx, o, files)
	}()
}

// seedContainerd gives a new node the images baked into the node image, already unpacked, without copying them: the
// databases are copied, blobs and snapshots are links into the image (and so share one page cache among the nodes).
func seedContainerd() {
	const root, seed = agentDir + "/containerd", libDir + "/seed"
	if _, err := os.Stat(root + "/io.containerd.metadata.v1.bolt"); err == nil {
		return
	}
	databases := []string{"/io.containerd.metadata.v1.bolt/meta.db", "/io.containerd.snapshotter.v1.overlayfs/metadata.db"}
	for _, db := range databases {
		b, err := os.ReadFile(seed + db)
		if err != nil {
			logf("no baked images: %v", err)
			return
		}
		write(root+db, b, 0o600)
	}
	folders := []string{"/io.containerd.content.v1.content/blobs/sha256", "/io.containerd.snapshotter.v1.overlayfs/snapshots"}
	for _, dir := range folders {
		must(os.MkdirAll(root+dir, 0o700))
		list, err := os.ReadDir(seed + dir)
		must(err)
		for _, e := range list {
			must(os.Symlink(seed+dir+"/"+e.Name(), root+dir+"/"+e.Name()))
		}
	}
}

// importImages loads archives put in k3s's own folder for them.
func importImages() {
	archives, _ := filepath.Glob(agentDir + "/images/*.tar")
	for _, archive := range archives {
		if out, err := exec.Command("ctr", "image", "import", archive).CombinedOutput(); err != nil {
			logf("import %s: %v: %s", archive, err, out)
		}
	}
}
