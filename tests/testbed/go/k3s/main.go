// A stand-in for k3s: what k3d needs of /bin/k3s, on top of the upstream Kubernetes programs. By argv[0]:
//
//	k3s server|agent   runs a node's programs
//	runc               drops what the machine can't grant, then execs the real runc
//	k3d-proxy          the load balancer that k3d puts before its servers
//	pause              the process of a pod's sandbox
//
// Each program's output goes to /var/log/<program>.log in the node; stdout has only the lines that k3d waits for.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	dataDir     = "/var/lib/rancher/k3s"
	tlsDir      = dataDir + "/server/tls"
	agentDir    = dataDir + "/agent"
	adminConf   = "/etc/rancher/k3s/k3s.yaml"
	libDir      = "/usr/lib/k3s" // programs, packaged manifests, seed of containerd's data
	clusterCIDR = "10.42.0.0/16"
	serviceCIDR = "10.43.0.0/16"
	joinPort    = "9345"
)

func main() {
	switch filepath.Base(os.Args[0]) {
	case "runc":
		runcWrapper()
	case "k3d-proxy":
		k3dProxy()
	case "pause":
		pause()
	default:
		k3s()
	}
}

func k3s() {
	command := ""
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	var start func(context.Context, *options)
	switch command {
	case "containerd-config":
		fmt.Print(containerdConfig)
		return
	case "server":
		start = server
	case "agent":
		start = agent
	default:
		fmt.Println("k3s version v1.34.4+standin (upstream Kubernetes v1.34.4; not k3s)")
		return
	}
	must(syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, ""))
	remountCgroups()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	start(ctx, parse(os.Args[2:]))
	<-ctx.Done()
	children.Wait()
}

// options are the arguments of k3s that k3d passes on; others are ignored with a log line.
type options struct {
	name, ip, token, url string
	labels, sans, taints []string
	extra                map[string][]string // flags by program, from --<program>-arg
}

func parse(args []string) *options {
	o := &options{token: os.Getenv("K3S_TOKEN"), url: os.Getenv("K3S_URL"), extra: map[string][]string{}}
	o.name, _ = os.Hostname()
	for i := 0; i < len(args); i++ {
		flag, value, ok := strings.Cut(args[i], "=")
		if !ok && i+1 < len(args) && !strings.HasPrefix(args[i+1], "--") {
			i++
			value = args[i]
		}
		switch flag {
		case "--node-label":
			o.labels = append(o.labels, value)
		case "--node-taint":
			o.taints = append(o.taints, value)
		case "--tls-san":
			o.sans = append(o.sans, value)
		case "--node-name":
			o.name = value
		case "--token":
			o.token = value
		case "--server":
			o.url = value
		case "--kubelet-arg", "--kube-proxy-arg", "--kube-apiserver-arg", "--kube-controller-manager-arg",
			"--kube-scheduler-arg", "--etcd-arg":
			program := strings.TrimSuffix(strings.TrimPrefix(flag, "--"), "-arg")
			o.extra[program] = append(o.extra[program], "--"+value)
		default:
			logf("ignoring flag %s %s", flag, value)
		}
	}
	return o
}

func nodeIP() string {
	eth0, err := net.InterfaceByName("eth0")
	must(err)
	addrs, err := eth0.Addrs()
	must(err)
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	must(fmt.Errorf("eth0 has no IPv4 address"))
	return ""
}

// remountCgroups: a node runs in a cgroup namespace of its own (see node/k3s.sh), so a fresh cgroup v1 mount has this
// container's cgroup as its root; kubelet and runc then agree on every path. Cgroup v2 needs nothing.
func remountCgroups() {
	b, err := os.ReadFile("/proc/self/cgroup")
	must(err)
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		fields := strings.SplitN(line, ":", 3)
		if len(fields) != 3 || fields[1] == "" {
			continue // cgroup v2
		}
		dir, opt := "/sys/fs/cgroup/"+strings.TrimPrefix(fields[1], "name="), fields[1]
		if strings.HasPrefix(opt, "name=") {
			opt = "none," + opt
		}
		if _, err := os.Stat(dir); err != nil {
			continue
		}
		_ = syscall.Unmount(dir, syscall.MNT_DETACH)
		if err := syscall.Mount("cgroup", dir, "cgroup", 0, opt); err != nil {
			logf("cgroup %s: %v", opt, err)
		}
	}
}

// pause waits for its end and reaps orphans, for pods that share their process namespace.
func pause() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		for {
			if _, err := syscall.Wait4(-1, nil, 0, nil); err != nil {
				time.Sleep(time.Second)
			}
		}
	}()
	<-end
}
