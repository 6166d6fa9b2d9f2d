#!/bin/bash
# Image build only: imports the archive on stdin with containerd and keeps its data folder, which nodes start from.
set -euo pipefail
root=/var/lib/rancher/k3s/agent/containerd seed=/usr/lib/k3s/seed
/usr/lib/k3s/bin/k3s containerd-config >/tmp/containerd.toml
containerd --config /tmp/containerd.toml >/tmp/containerd.log 2>&1 &
pid=$!
for _ in $(seq 100); do
  ! ctr version >/dev/null 2>&1 || break
  sleep 0.2
done
ctr images import - >/dev/null
kill $pid
wait $pid || true
mkdir -p $seed
cd $root
cp -a io.containerd.content.v1.content io.containerd.metadata.v1.bolt io.containerd.snapshotter.v1.overlayfs $seed/
if [ -n "$(find $seed -type c -print -quit)" ]; then
  echo "an image has whiteouts: flatten it first (docker commit would lose files)" >&2
  exit 1
fi
rm -f /tmp/containerd.toml /tmp/containerd.log
