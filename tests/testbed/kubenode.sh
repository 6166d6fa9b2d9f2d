#!/bin/bash
# Prints the path of kubenode, the Kubernetes programs and etcd in one, which the project's toolchain builds. KUBENODE names
# one that was made elsewhere.
set -euo pipefail
# shellcheck source=tests/testbed/env.sh
. "$(dirname "$0")/env.sh"

if [ -n "${KUBENODE:-}" ]; then
  echo "$KUBENODE"
else
  cd "$ROOT"
  folder=$(.venv/bin/python -m toolchain build kubenode)
  echo "$folder/kubenode"
fi
