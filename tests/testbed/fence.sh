#!/bin/bash
# The testbed's docker network, fenced: its containers reach each other and the host, nothing else. A cluster joins it by
# `k3d cluster create --network kafka-ha-testbed`.
set -euo pipefail
# shellcheck source=tests/testbed/env.sh
. "$(dirname "$0")/env.sh"

# Not --internal: such a network publishes no ports and drops packets between pods. And k3d asks for a gateway.
docker network inspect "$NETWORK" >/dev/null 2>&1 ||
  docker network create --subnet "$SUBNET" --gateway "${SUBNET%.*}.1" \
    -o com.docker.network.bridge.name="$BRIDGE" -o com.docker.network.bridge.enable_ip_masquerade=false "$NETWORK" >/dev/null
iptables -w -C DOCKER-USER -i "$BRIDGE" ! -o "$BRIDGE" -j DROP 2>/dev/null ||
  iptables -w -I DOCKER-USER -i "$BRIDGE" ! -o "$BRIDGE" -j DROP
