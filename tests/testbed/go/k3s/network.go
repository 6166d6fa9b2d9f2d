package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"strings"
	"time"
)

type node struct {
	Metadata struct{ Name string }
	Spec     struct{ PodCIDR string }
	Status   struct {
		Addresses []struct{ Type, Address string }
	}
}

// podNetwork, in the manner of flannel's host-gw: gives this node's pod range to CNI and keeps a route to every other
// node's.
func podNetwork(ctx context.Context, o *options, files map[string][]byte) {
	hc := client(files[agentDir+"/ca.crt"], files[agentDir+"/proxy.crt"], files[agentDir+"/proxy.key"])
	api := string(files[agentDir+"/api"])
	routes, registered, cidr := map[string]string{}, false, ""
	for ; ctx.Err() == nil; time.Sleep(time.Second) {
		var list struct{ Items []node }
		body, err := get(hc, api+"/api/v1/nodes")
		if err != nil || json.Unmarshal(body, &list) != nil {
			continue
		}
		for _, n := range list.Items {
			if n.Metadata.Name != o.name {
				continue
			}
			if !registered {
				registered = true
				logf("Successfully registered node %s", o.name) // k3d waits for this line
			}
			if n.Spec.PodCIDR != "" && n.Spec.PodCIDR != cidr {
				cidr = n.Spec.PodCIDR
				configureCNI(cidr)
			}
		}
		updateRoutes(routes, wantedRoutes(list.Items, o.name))
	}
}

func configureCNI(cidr string) {
	write(agentDir+"/etc/cni/net.d/10-k3s.conflist", []byte(strings.ReplaceAll(cniConfig, "SUBNET", cidr)), 0o644)
	// pods leave the pod network only behind the node's address (and the docker network is fenced: see fence.sh)
	rule := []string{"POSTROUTING", "-s", clusterCIDR, "!", "-d", clusterCIDR,
		"-m", "comment", "--comment", "pods off-cluster", "-j", "MASQUERADE"}
	if exec.Command("iptables", append([]string{"-w", "-t", "nat", "-C"}, rule...)...).Run() != nil {
		_ = run("iptables", append([]string{"-w", "-t", "nat", "-A"}, rule...)...)
	}
}

// wantedRoutes maps the pod range of every other node to that node's address.
func wantedRoutes(nodes []node, self string) map[string]string {
	want := map[string]string{}
	for _, n := range nodes {
		if n.Metadata.Name == self || n.Spec.PodCIDR == "" {
			continue
		}
		for _, a := range n.Status.Addresses {
			if a.Type == "InternalIP" {
				want[n.Spec.PodCIDR] = a.Address
			}
		}
	}
	return want
}

func updateRoutes(have, want map[string]string) {
	for cidr, via := range want {
		if have[cidr] != via && run("ip", "route", "replace", cidr, "via", via) == nil {
			have[cidr] = via
		}
	}
	for cidr := range have {
		if want[cidr] == "" {
			_ = run("ip", "route", "del", cidr)
			delete(have, cidr)
		}
	}
}

func run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		logf("%s %s: %v: %s", name, strings.Join(args, " "), err, bytes.TrimSpace(out))
	}
	return err
}
