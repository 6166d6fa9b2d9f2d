#!/bin/bash
# The live tests, on a real k3d with a real Kafka. With the official images where they can be pulled, else with the
# testbed's (root on Debian); elsewhere they are skipped, with the reason, and KAFKA_HA_LIVE=required makes that a failure.
# Arguments go to pytest; after --bench, to the measurement of failover in place of the tests.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/testbed/env.sh
. tests/testbed/env.sh

skip() {
  echo "live tests skipped: $1"
  [ "${KAFKA_HA_LIVE:-}" != required ] || { echo "KAFKA_HA_LIVE=required: so this is a failure" >&2; exit 1; }
  exit 0
}

# An official image is here (and not the testbed's of that name), or can be pulled
official() {
  if docker image inspect "$1" >/dev/null 2>&1 && [ -z "$(made_from "$1")" ]; then return; fi
  timeout 600 docker pull -q "$1" >/dev/null 2>&1
}

# The nodes pull Kafka's image themselves: it has to be in the registry, not here
official_images() { timeout 30 docker manifest inspect "$KAFKA_IMAGE" >/dev/null 2>&1 && official "$(k3d_image node)"; }

refusal=$(testbed_refusal)
if ! docker info >/dev/null 2>&1; then
  [ -z "$refusal" ] || skip "no Docker daemon answers, and $refusal"
  timed "host" tests/testbed/host.sh
fi
if official_images; then
  say "images: the official ones"
elif [ -z "$refusal" ]; then
  say "images: the testbed's, as the official ones can't be pulled"
  tests/testbed/prepare.sh
  export LIVE_NETWORK=$NETWORK K3D_FIX_DNS=0 # no DNS upstream to fix: the network is fenced
else
  skip "the images $(k3d_image node) and $KAFKA_IMAGE can't be pulled, and $refusal"
fi

python=.venv/bin/python
[ -x $python ] || { echo "there is no .venv here: run make setup STACK=dev first" >&2; exit 1; }
timed "tools" $python -m toolchain setup --stack dev
# A state and a passphrase of the tests' own, set before the toolchain would give the checkout's
state=$(mktemp -d)
trap 'say_failed; rm -rf "$state"' EXIT
export PULUMI_BACKEND_URL=file://$state PULUMI_CONFIG_PASSPHRASE=live
unset PULUMI_CONFIG_PASSPHRASE_FILE
eval "$($python -m toolchain env --stack dev)"

if [ "${1:-}" = --bench ]; then
  shift
  timed "bench" $python -m tests.bench.failover "$@"
  exit
fi
timed "pytest" $python -m pytest tests/live -v --durations=0 --durations-min=1 \
  -o log_cli=true --log-cli-level=INFO --log-cli-format='%(asctime)s %(message)s' --log-cli-date-format=%T "$@"
