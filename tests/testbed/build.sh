#!/bin/bash
# Builds the programs and images of a node and of Kafka. What was made from the same sources already is left alone.
# Usage: build.sh [runc]      runc: only the runtime wrapper, which a Docker daemon may need first
# EXTRA_IMAGES="a:1 b:2"      more images that pods need: baked into the node image
set -euo pipefail
# shellcheck source=tests/testbed/env.sh
. "$(dirname "$0")/env.sh"
mkdir -p "$CACHE"/{bin,rootfs}
work=$(mktemp -d "$CACHE/build.XXXXXX")
trap 'say_failed; rm -rf "$work"' EXIT

digest() { find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 cat | sha256sum | cut -c1-32; }
manifest_image() { sed -n "s#.*image: \(.*$1.*\)#\1#p" "$TESTBED/manifests/"*.yaml; }
pause_image() { sed -n 's/.*sandbox_image = "\(.*\)".*/\1/p' "$TESTBED/go/k3s/templates.go"; }

# ---- programs

# go_build NAME MODULE PACKAGE LDFLAGS: into the cache, unless it is there from the same sources
go_build() {
  local out=$CACHE/bin/$1 from
  from="$(digest "$TESTBED/go/$2") $4"
  [ -x "$out" ] && [ "$(cat "$out.from" 2>/dev/null)" = "$from" ] && return
  (cd "$TESTBED/go/$2" && CGO_ENABLED=0 nice go build -ldflags "-s -w $4" -o "$work/$1" "$3" >"$work/log" 2>&1) ||
    { tail -20 "$work/log" >&2; return 1; }
  mv "$work/$1" "$out"
  echo "$from" >"$out.from"
}

runc_wrapper() {
  go_build k3s k3s . ""
  ln -sf k3s "$CACHE/bin/runc"
}

# The Kubernetes programs in one binary, from the project's toolchain
kubenode() {
  local path
  path=$("$TESTBED/kubenode.sh")
  cmp -s "$path" "$CACHE/bin/kubenode" || { ln -f "$path" "$CACHE/bin/kubenode" 2>/dev/null || cp "$path" "$CACHE/bin/kubenode"; }
}

programs() {
  local coredns local_path
  coredns=$(manifest_image coredns) local_path=$(manifest_image local-path-provisioner)
  timed "program k3s (stand-in)" runc_wrapper
  timed "program coredns ${coredns#*:}" go_build coredns coredns . ""
  timed "program local-path-provisioner ${local_path#*:}" go_build local-path-provisioner local-path \
    github.com/rancher/local-path-provisioner "-X main.VERSION=${local_path#*:}"
  timed "program kubenode" kubenode
}

# ---- images

# build TAG FROM: the image of $work/ctx, labelled with what it was made from; `have` asks for that
have() { [ "$(made_from "$1")" = "$2" ]; }
build() { docker build -q --label "$LABEL=$2" -t "$1" "$work/ctx" >"$work/log" 2>&1 || { cat "$work/log" >&2; return 1; }; }
context() { rm -rf "$work/ctx"; mkdir "$work/ctx"; }

# A Debian root file system with some packages, without what a container never reads: a tar in the cache
root_file_system() {
  local name=$1 packages=$2 dir=$work/rootfs mirror tar
  tar=$CACHE/rootfs/$name.tar
  [ ! -e "$tar" ] || return 0
  # the mirror that this machine uses
  mirror=$(apt-cache policy | awk '/https?:/ && !/security/ && !mirror {mirror = $2} END {print mirror}')
  debootstrap --variant=minbase --include="$packages" bookworm "$dir" "$mirror" >"$CACHE/debootstrap-$name.log" ||
    { tail -20 "$CACHE/debootstrap-$name.log" >&2; return 1; }
  tar -C "$dir" -cf "$tar.part" --exclude='./var/cache/apt/*' --exclude='./var/lib/apt/lists/*' --exclude='./usr/share/doc/*' \
    --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' --exclude='./usr/share/info/*' \
    --exclude='./proc/*' --exclude='./sys/*' --exclude='./dev/*' .
  mv "$tar.part" "$tar"
  rm -rf "$dir"
}

# base TAG NAME PACKAGES: an image of such a root file system
base() {
  have "$1" "$3" && return
  root_file_system "$2-$(sha256sum <<<"$3" | cut -c1-8)" "$3"
  docker import -c "LABEL $LABEL=$3" "$CACHE/rootfs/$2-$(sha256sum <<<"$3" | cut -c1-8).tar" "$1" >/dev/null
}

# one_program TAG PROGRAM NAME: an image of one static program
one_program() {
  local from
  from=$(digest "$2")
  have "$1" "$from" && return
  context
  cp "$2" "$work/ctx/program"
  printf 'FROM scratch\nCOPY program /bin/%s\nENV PATH=/bin\nENTRYPOINT ["/bin/%s"]\n' "$3" "$3" >"$work/ctx/Dockerfile"
  build "$1" "$from"
}

busybox() {
  local tag=$1 dockerfile=$TESTBED/images/busybox.Dockerfile from
  from=$(digest "$dockerfile")
  have "$tag" "$from" && return
  context
  (cd "$work/ctx" && apt-get -o APT::Sandbox::User=root download -qq busybox-static && dpkg -x busybox-static_*.deb x && mv x/bin/busybox . && rm -r x ./*.deb)
  cp "$dockerfile" "$work/ctx/Dockerfile"
  build "$tag" "$from"
}

# k3d runs its tools container while it creates a cluster; it needs it to stay, no more ("image import": --mode direct)
k3d_tools() {
  local tag
  tag=$(k3d_image tools)
  have "$tag" "$1" && return
  context
  printf 'FROM %s\nENTRYPOINT ["/bin/sh","-c","exec sleep 2147483647"]\n' "$1" >"$work/ctx/Dockerfile"
  build "$tag" "$1"
}

small_images() {
  one_program "$(pause_image)" "$CACHE/bin/k3s" pause
  one_program "$(k3d_image proxy)" "$CACHE/bin/k3s" k3d-proxy
  one_program "$(manifest_image coredns)" "$CACHE/bin/coredns" coredns
  one_program "$(manifest_image local-path-provisioner)" "$CACHE/bin/local-path-provisioner" local-path-provisioner
  busybox "$(manifest_image busybox)"
  k3d_tools "$(manifest_image busybox)"
}

kafka_jars() {
  local version=$1 out
  out=$CACHE/kafka-$version
  [ ! -d "$out" ] || return 0
  mvn -q -B -Dstyle.color=never -f "$TESTBED/images/kafka/pom.xml" -Dkafka.version="$version" dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$work/jars" >&2
  mv "$work/jars" "$out"
}

# kafka IMAGE: of the version that its tag names
kafka() {
  local image=$1 version=${1##*:} from
  base kafka-ha-testbed/jre:17 jre openjdk-17-jre-headless,procps,iproute2
  kafka_jars "$version"
  from=$(digest "$TESTBED/images/kafka")
  have "$image" "$from" && return
  context
  cp -r "$TESTBED/images/kafka/." "$work/ctx/"
  cp -rl "$CACHE/kafka-$version" "$work/ctx/libs"
  build "$image" "$from"
}

# Python for the checker beside each Kafka node
checker() {
  base "$CHECKER_IMAGE" python python3
}

node() {
  local tag pods ids
  tag=$(k3d_image node)
  base kafka-ha-testbed/debian:bookworm node \
    containerd,runc,iptables,iproute2,containernetworking-plugins,conntrack,ethtool,socat,kmod,procps,ca-certificates
  context
  mkdir "$work/ctx/bin"
  cp -l "$CACHE"/bin/{kubenode,k3s} "$work/ctx/bin/"
  cp -r "$TESTBED/manifests" "$TESTBED"/images/node/* "$work/ctx/"
  build kafka-ha-testbed/node:bare bare
  # The pods' images go in unpacked: a container's containerd imports them once, its data folder stays in the image.
  pods="$(pause_image) $(sed -n 's/.*image: //p' "$TESTBED"/manifests/*.yaml | sort -u | tr '\n' ' ') $KAFKA_IMAGE $OLDER_KAFKA_IMAGE $CHECKER_IMAGE"
  pods+=" ${EXTRA_IMAGES:-}"
  # shellcheck disable=SC2086 # a list of images
  ids=$(docker image inspect -f '{{.Id}}' kafka-ha-testbed/node:bare $pods | sha256sum | cut -c1-32)
  have "$tag" "$ids" && return
  docker rm -fv kafka-ha-testbed-seed >/dev/null 2>&1 || true
  # shellcheck disable=SC2086
  docker save $pods | docker run -i --name kafka-ha-testbed-seed --network none --privileged \
    --entrypoint /usr/lib/k3s/seed.sh kafka-ha-testbed/node:bare
  docker commit -c 'ENTRYPOINT ["/bin/k3s"]' -c 'CMD ["agent"]' -c "LABEL $LABEL=$ids" kafka-ha-testbed-seed "$tag" >/dev/null
  docker rm -fv kafka-ha-testbed-seed >/dev/null
}

if [ "${1:-}" = runc ]; then
  runc_wrapper
  exit
fi
exec 9>"$CACHE/lock" # one build at a time
flock 9
programs
timed "small images" small_images
for image in "$KAFKA_IMAGE" "$OLDER_KAFKA_IMAGE"; do
  timed "image $image" kafka "$image"
done
timed "image $CHECKER_IMAGE" checker
timed "image $(k3d_image node)" node
