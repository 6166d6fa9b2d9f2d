#!/bin/bash
# Makes this machine ready for k3d without an image registry: Docker, the images, the fenced network. Creates no cluster.
# Run again, it does only what is missing or has changed.
set -euo pipefail
# shellcheck source=tests/testbed/env.sh
. "$(dirname "$0")/env.sh"

timed "host" "$TESTBED/host.sh"
timed "images" "$TESTBED/build.sh"
timed "network $NETWORK" "$TESTBED/fence.sh"
[ ! -s "$DOCKERD_PID" ] || say "the Docker daemon here is the testbed's: tests/testbed/down.sh --docker stops it"
