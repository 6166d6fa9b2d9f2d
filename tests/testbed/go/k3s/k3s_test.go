package main

import (
	"reflect"
	"testing"
)

func TestParseTakesBothFormsOfAFlag(t *testing.T) {
	t.Setenv("K3S_TOKEN", "secret")
	o := parse([]string{"--node-label", "zone=a", "--node-taint=x=y:NoSchedule", "--kubelet-arg", "v=2", "--disable=traefik"})
	if o.token != "secret" || !reflect.DeepEqual(o.labels, []string{"zone=a"}) ||
		!reflect.DeepEqual(o.taints, []string{"x=y:NoSchedule"}) || !reflect.DeepEqual(o.extra["kubelet"], []string{"--v=2"}) {
		t.Fatalf("%+v", o)
	}
}

func TestParseRunc(t *testing.T) {
	got := parseRunc([]string{"--root", "/run", "create", "--bundle", "/b", "--process=/p", "id"})
	if want := (runcCall{"create", "/b", "/p"}); got != want {
		t.Fatalf("got %+v, want %+v", got, want)
	}
}

func TestStripTakesOnlyWhatNeedsTheCapability(t *testing.T) {
	process := map[string]any{
		"oomScoreAdj": 1, "rlimits": []any{1}, "args": []any{"sh"},
		"capabilities": map[string]any{"bounding": []any{"CAP_SYS_RESOURCE", "CAP_CHOWN"}, "ambient": nil},
	}
	strip(process)
	want := map[string]any{"args": []any{"sh"}, "capabilities": map[string]any{"bounding": []any{"CAP_CHOWN"}, "ambient": nil}}
	if !reflect.DeepEqual(process, want) {
		t.Fatalf("got %v", process)
	}
}

func TestParseProxy(t *testing.T) {
	got := parseProxy("ports:\n  6443.tcp:\n  - server-0\n  - server-1\nsettings:\n  - not-a-host\n")
	if want := map[string][]string{"6443": {"server-0", "server-1"}}; !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v", got)
	}
}

func TestWantedRoutesLeaveOutOneself(t *testing.T) {
	other := node{}
	other.Metadata.Name, other.Spec.PodCIDR = "b", "10.42.1.0/24"
	other.Status.Addresses = []struct{ Type, Address string }{{"Hostname", "b"}, {"InternalIP", "172.30.0.3"}}
	self := node{}
	self.Metadata.Name, self.Spec.PodCIDR = "a", "10.42.0.0/24"
	got := wantedRoutes([]node{self, other}, "a")
	if want := map[string]string{"10.42.1.0/24": "172.30.0.3"}; !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v", got)
	}
}
