package main

import (
	"bufio"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

const proxyConfigFile = "/etc/confd/values.yaml"

// backends are the hosts behind one port, used in turn.
type backends struct {
	hosts []string
	next  atomic.Uint32
}

// k3dProxy stands in for k3d's load balancer (nginx): TCP ports of a file that k3d writes, spread over their hosts.
func k3dProxy() {
	ports := map[string]*atomic.Pointer[backends]{}
	for last := ""; ; time.Sleep(time.Second) {
		b, err := os.ReadFile(proxyConfigFile)
		if err != nil || string(b) == last {
			continue
		}
		last = string(b)
		for port, hosts := range parseProxy(last) {
			if current, ok := ports[port]; ok {
				current.Store(&backends{hosts: hosts})
				continue
			}
			current := &atomic.Pointer[backends]{}
			current.Store(&backends{hosts: hosts})
			listener, err := net.Listen("tcp", ":"+port)
			if err != nil {
				logf("port %s: %v", port, err)
				continue
			}
			ports[port] = current
			go accept(listener, port, current)
		}
		logf("start worker processes") // k3d waits for this line
	}
}

// parseProxy reads "ports:\n  6443.tcp:\n  - k3d-...-server-0\nsettings: ..." into hosts by port.
func parseProxy(values string) map[string][]string {
	ports, port := map[string][]string{}, ""
	for lines := bufio.NewScanner(strings.NewReader(values)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		switch {
		case strings.HasSuffix(line, ".tcp:"):
			port = strings.TrimSuffix(line, ".tcp:")
		case strings.HasPrefix(line, "- ") && port != "":
			ports[port] = append(ports[port], strings.TrimSpace(line[2:]))
		case strings.HasPrefix(line, "settings:"):
			port = ""
		}
	}
	return ports
}

func accept(listener net.Listener, port string, current *atomic.Pointer[backends]) {
	for {
		in, err := listener.Accept()
		if err != nil {
			return
		}
		go forward(in, port, current.Load())
	}
}

// forward joins in to the next host, or the one after it when that does not answer.
func forward(in net.Conn, port string, to *backends) {
	defer in.Close()
	for range to.hosts {
		host := to.hosts[int(to.next.Add(1))%len(to.hosts)]
		out, err := net.DialTimeout("tcp", net.JoinHostPort(host, port), 2*time.Second)
		if err != nil {
			continue
		}
		defer out.Close()
		go func() {
			_, _ = io.Copy(out, in)
			_ = out.Close()
		}()
		_, _ = io.Copy(in, out)
		return
	}
}
