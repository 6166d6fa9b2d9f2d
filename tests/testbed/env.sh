# shellcheck shell=bash disable=SC2034
# Settings and helpers of the testbed; its scripts source it.
TESTBED=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$TESTBED/../.." && pwd)
CACHE=${KAFKA_HA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kafka-ha}/testbed

NETWORK=${TESTBED_NETWORK:-kafka-ha-testbed}       # the fenced docker network
SUBNET=${TESTBED_SUBNET:-172.30.64.0/24}
BRIDGE=${TESTBED_BRIDGE:-br-kafka-ha}
KAFKA_IMAGE=${TESTBED_KAFKA_IMAGE:-apache/kafka:4.3.1}
OLDER_KAFKA_IMAGE=${TESTBED_OLDER_KAFKA_IMAGE:-apache/kafka:4.2.0} # what the test of an upgrade begins with
CHECKER_IMAGE=${TESTBED_CHECKER_IMAGE:-python:3.13.2-alpine3.21}
LABEL=io.kafka-ha.testbed                          # on each image made here: a digest of what it was made from

DOCKERD_PID=$CACHE/dockerd.pid                     # only where host.sh had to start the daemon
DOCKERD_LOG=$CACHE/dockerd.log

export DOCKER_BUILDKIT=0 DOCKER_CLI_HINTS=false

say() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }

# timed WHAT COMMAND…: runs it and says how long it took. Not in an || list: that would switch off errexit within.
timed() {
  local what=$1 start=${EPOCHREALTIME/./} ms
  shift
  STEP=$what
  "$@"
  ms=$(((${EPOCHREALTIME/./} - start) / 1000))
  say "$(printf '%4d.%d s  %s' $((ms / 1000)) $((ms % 1000 / 100)) "$what")"
}

# For the EXIT trap: says which step failed
say_failed() {
  local code=$?
  [ $code = 0 ] || say "failed: ${STEP:-$0}"
}

# The images that k3d starts a cluster from: node, tools, proxy
k3d_image() { sed -n '/^\[images\]/,$s/^'"$1"' *= *"\(.*\)".*/\1/p' "$ROOT/toolchain/versions.toml"; }

# Why this machine can't make a testbed; empty when it can
testbed_refusal() {
  if [ "$(id -u)" != 0 ]; then
    echo "the testbed needs root (it builds Debian root file systems and sets a firewall rule)"
  elif ! grep -qs '^ID=debian$' /etc/os-release; then
    echo "the testbed needs Debian 12 (it builds its images from Debian's packages)"
  fi
}

# What an image here was made from (see LABEL); empty when there is none, or when it isn't the testbed's
made_from() { docker image inspect -f "{{index .Config.Labels \"$LABEL\"}}" "$1" 2>/dev/null | grep -v '^<no value>$'; }
