package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

var children sync.WaitGroup

// supervise runs a program until ctx ends, starting it again when it exits.
func supervise(ctx context.Context, name string, args ...string) {
	bin := libDir + "/bin/" + name
	if name == "containerd" {
		bin = "/usr/bin/containerd"
	}
	children.Go(func() {
		for ctx.Err() == nil {
			err := runLogged(ctx, name, bin, args)
			if ctx.Err() == nil {
				logf("%s exited (%v): see /var/log/%s.log; starting it again", name, err, name)
				time.Sleep(time.Second)
			}
		}
	})
}

func runLogged(ctx context.Context, name, bin string, args []string) error {
	logFile, err := os.OpenFile("/var/log/"+name+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer logFile.Close()
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	cmd.Stdout, cmd.Stderr = logFile, logFile
	return cmd.Run()
}

func client(ca, crt, key []byte) *http.Client {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	pair, err := tls.X509KeyPair(crt, key)
	must(err)
	config := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: config}}
}

func get(hc *http.Client, url string) ([]byte, error) {
	res, err := hc.Get(url)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", res.Status)
	}
	return b, err
}

func waitTCP(addr string) {
	for {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func sign(token string, b []byte) string {
	m := hmac.New(sha256.New, []byte(token))
	m.Write(b)
	return hex.EncodeToString(m.Sum(nil))
}

func write(file string, b []byte, mode os.FileMode) {
	must(os.MkdirAll(filepath.Dir(file), 0o755))
	must(os.WriteFile(file, b, mode))
}

// logf writes lines in k3s's format, which k3d parses.
func logf(format string, args ...any) {
	fmt.Printf("time=%q level=info msg=%q\n", time.Now().Format(time.RFC3339Nano), fmt.Sprintf(format, args...))
}

func must(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "level=fatal msg=%q\n", err.Error())
		os.Exit(1)
	}
}
