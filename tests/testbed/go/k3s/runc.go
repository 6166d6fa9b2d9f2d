package main

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"syscall"
)

// runcWrapper lets containers start on a machine without CAP_SYS_RESOURCE: none may be given that capability, a lower
// OOM score or other resource limits. It edits the container's configuration, then becomes the real runc.
func runcWrapper() {
	call := parseRunc(os.Args[1:])
	switch {
	case call.action == "exec" && call.process != "":
		editJSON(call.process, func(m map[string]any) any { return m })
	case call.action == "create" || call.action == "run":
		editJSON(call.bundle+"/config.json", func(m map[string]any) any { return m["process"] })
	}
	must(syscall.Exec("/usr/sbin/runc", append([]string{"runc"}, os.Args[1:]...), os.Environ()))
}

type runcCall struct{ action, bundle, process string }

func parseRunc(args []string) runcCall {
	call := runcCall{bundle: "."}
	for i, arg := range args {
		flag, value, ok := strings.Cut(arg, "=")
		if !ok && i+1 < len(args) {
			value = args[i+1]
		}
		switch flag {
		case "create", "run", "exec":
			if call.action == "" {
				call.action = flag
			}
		case "--bundle", "-b":
			call.bundle = value
		case "--process", "-p":
			call.process = value
		}
	}
	return call
}

// editJSON strips the process that pick finds in file. What can't be read is left to runc to complain about.
func editJSON(file string, pick func(map[string]any) any) {
	b, err := os.ReadFile(file)
	if err != nil {
		return
	}
	var m map[string]any
	decoder := json.NewDecoder(bytes.NewReader(b))
	decoder.UseNumber()
	if decoder.Decode(&m) != nil {
		return
	}
	strip(pick(m))
	if b, err = json.Marshal(m); err == nil {
		_ = os.WriteFile(file, b, 0o600)
	}
}

// strip takes out of an OCI process what needs CAP_SYS_RESOURCE.
func strip(process any) {
	p, ok := process.(map[string]any)
	if !ok {
		return
	}
	delete(p, "oomScoreAdj")
	delete(p, "rlimits")
	caps, _ := p["capabilities"].(map[string]any)
	for set, list := range caps {
		if l, ok := list.([]any); ok {
			caps[set] = slices.DeleteFunc(l, func(c any) bool { return c == "CAP_SYS_RESOURCE" })
		}
	}
}
