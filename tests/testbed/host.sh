#!/bin/bash
# What the testbed needs of its host: Debian packages, and a Docker daemon. Where no daemon answers, one is started whose
# runtime drops what a machine without CAP_SYS_RESOURCE can't grant; "down.sh --docker" stops that one.
set -euo pipefail
# shellcheck source=tests/testbed/env.sh
. "$(dirname "$0")/env.sh"
trap say_failed EXIT

refusal=$(testbed_refusal)
[ -z "$refusal" ] || { echo "$refusal" >&2; exit 1; }
mkdir -p "$CACHE"

missing() { local c; for c in "$@"; do command -v "$c" >/dev/null || { echo "$c"; return 0; }; done; return 1; }

install_packages() {
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$CACHE/apt.log" 2>&1 ||
    { tail -20 "$CACHE/apt.log" >&2; return 1; }
}

# One that was killed leaves its pid file, which the next takes for a daemon that runs
forget_killed() {
  local pid file
  for file in "$DOCKERD_PID" /var/run/docker/containerd/containerd.pid; do
    pid=$(cat "$file" 2>/dev/null) || continue
    grep -qsE '^State:\s+[^ZX]' "/proc/$pid/status" || rm -f "$file"
  done
}

start_docker() {
  forget_killed
  "$TESTBED/build.sh" runc
  setsid dockerd --pidfile "$DOCKERD_PID" --add-runtime "kafka-ha=$CACHE/bin/runc" --default-runtime kafka-ha \
    >"$DOCKERD_LOG" 2>&1 </dev/null 9>&- &
  for _ in $(seq 120); do
    docker info >/dev/null 2>&1 && return
    sleep 0.5
  done
  echo "dockerd did not start within 60 s: see $DOCKERD_LOG" >&2
  return 1
}

if missing debootstrap iptables mvn docker >/dev/null; then
  timed "Debian packages" install_packages debootstrap iptables iproute2 maven docker.io
fi
if missing go >/dev/null; then
  echo "go is not on PATH: the testbed's programs are built from Go modules; install Go 1.25 or later" >&2
  exit 1
fi
docker info >/dev/null 2>&1 && exit 0
if missing dockerd containerd runc >/dev/null; then
  timed "Docker's packages" install_packages docker.io containerd runc
fi
timed "Docker daemon" start_docker
