#!/bin/sh
# k3s with a cgroup namespace of its own: on a cgroup v1 host docker gives containers the host's
case "$1" in
  server | agent) exec unshare --cgroup /usr/lib/k3s/bin/k3s "$@" ;;
  kubectl) shift; exec kubectl "$@" ;;
esac
exec /usr/lib/k3s/bin/k3s "$@"
