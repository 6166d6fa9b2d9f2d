#!/bin/bash
# Takes the testbed down: the k3d clusters on its network, the network, the fence. Images and caches stay.
#   --images   removes the images too
#   --docker   stops the Docker daemon too, if it is the one that host.sh started
set -uo pipefail
# shellcheck source=tests/testbed/env.sh
. "$(dirname "$0")/env.sh"

images='' daemon=''
for arg in "$@"; do
  case $arg in
    --images) images=1 ;;
    --docker) daemon=1 ;;
    *) echo "down.sh: unknown argument $arg; allowed are --images and --docker" >&2; exit 2 ;;
  esac
done

remove_cluster() {
  local ids
  ids=$(docker ps -aq --filter "label=k3d.cluster=$1")
  # shellcheck disable=SC2086 # a list of ids
  [ -z "$ids" ] || docker rm -fv $ids >/dev/null
  docker volume rm "k3d-$1-images" >/dev/null 2>&1 || true
}

stop_docker() {
  local pid
  pid=$(cat "$DOCKERD_PID" 2>/dev/null) || { say "no Docker daemon of the testbed's"; return; }
  [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ] || { say "process $pid is no dockerd: left alone"; return 1; }
  kill "$pid"
  while [ -e "/proc/$pid" ]; do sleep 0.2; done
  rm -f "$DOCKERD_PID"
}

if docker info >/dev/null 2>&1; then
  for cluster in $(docker ps -a --filter "network=$NETWORK" --format '{{.Label "k3d.cluster"}}' | sort -u); do
    timed "remove cluster $cluster" remove_cluster "$cluster"
  done
  docker network rm "$NETWORK" >/dev/null 2>&1 || true
  iptables -w -D DOCKER-USER -i "$BRIDGE" ! -o "$BRIDGE" -j DROP 2>/dev/null || true
  if [ -n "$images" ]; then
    docker images -q --filter "label=$LABEL" | sort -u | xargs -r docker rmi -f >/dev/null
  fi
fi
[ -z "$daemon" ] || stop_docker
