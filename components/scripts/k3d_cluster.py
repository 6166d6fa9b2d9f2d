"""A k3d cluster, a pool of agents for each zone: `python3 -m components.scripts.k3d_cluster create|delete`."""

import json
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.scripts import lifecycle
from components.scripts.lifecycle import ZONE_LABEL, Found, Spec
from components.scripts.process import Refused, run

_OWNER, _FINGERPRINT = "kafka-ha.owner", "kafka-ha.fingerprint"
_DNS, _DNS_SECONDS = "coredns-node", 60
_CREATE_SECONDS = 600  # k3d's own limit is 300 s; pulling images comes before it


class K3d:
    """The k3d command line, for one cluster."""

    attempts = 1

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    def check(self) -> None:
        """Raises Refused when no Docker daemon answers."""
        try:
            run("docker", "info", timeout=30)
        except Refused as error:
            raise Refused(
                "kafka-ha:cluster.kind: got k3d, but no Docker daemon answers. Start Docker, or use the "
                "simulated cluster: "
                f"make up STACK=sim. ({error})"
            ) from error

    def find(self) -> Found | None:
        """The cluster of that name; its owner stands in the containers' labels, which `k3d cluster list` leaves out."""
        columns = "\t".join(f'{{{{.Label "{label}"}}}}' for label in (_OWNER, _FINGERPRINT))
        label = f"label=k3d.cluster={self.spec.name}"
        nodes = run("docker", "ps", "--all", "--filter", label, "--format", columns, timeout=60).splitlines()
        if not nodes:
            return None
        owner, fingerprint = max(nodes).split("\t")  # a node that was added later has no labels of ours
        return Found(owner, fingerprint)

    def create(self) -> None:
        """Creates it. Raises Refused when the port is taken or an image can't be had."""
        command = create_command(self.spec, self._api_port())
        try:
            run(*command, timeout=_CREATE_SECONDS)
        except Refused as error:
            if "pull" in str(error):
                raise Refused(
                    f"The images of the k3d cluster can't be pulled here. Where there is no image registry, "
                    "make testbed "
                    f"builds stand-ins for them (Debian, root). ({error})"
                ) from error
            raise

    def start(self) -> None:
        """Starts it; k3d leaves running nodes alone."""
        run("k3d", "cluster", "start", self.spec.name, timeout=_CREATE_SECONDS)

    def complete(self, kubeconfig: Path) -> None:
        """k3s brings the storage class, and a DNS server that one node's loss takes from all: mended, unless the
        cluster is somebody else's.
        """
        if (found := self.find()) and found.owner == self.spec.owner:
            dns_on_each_node(kubeconfig)

    def delete(self) -> None:
        """Deletes it, with its volumes."""
        run("k3d", "cluster", "delete", self.spec.name, timeout=_CREATE_SECONDS)

    def kubeconfig(self) -> str:
        """As k3d gives it."""
        return run("k3d", "kubeconfig", "get", self.spec.name, timeout=60)

    def _api_port(self) -> int:
        asked = self.spec.options.get("api_port")
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", asked or 0))
            except OSError as error:
                raise Refused(
                    f"kafka-ha:cluster.apiPort: got {asked}, but another program listens there. Choose a free "
                    "port, or leave it "
                    "unset to have one chosen."
                ) from error
            port: int = probe.getsockname()[1]
            return port


def create_command(spec: Spec, api_port: int) -> list[str]:
    """The k3d command line. Agent i is in zone i // nodes_per_zone; the server has no zone, so no broker lands
    on it.
    """
    agents = [zone for zone in spec.zones for _ in range(spec.nodes_per_zone)]
    command = ["k3d", "cluster", "create", spec.name, "--agents", str(len(agents)), "--no-lb"]
    # Loopback only: k3d would open the API to the network.
    command += [
        "--api-port",
        f"127.0.0.1:{api_port}",
        "--kubeconfig-update-default=false",
        "--timeout",
        "300s",
    ]
    for agent, zone in enumerate(agents):
        command += ["--k3s-node-label", f"{ZONE_LABEL}={zone}@agent:{agent}"]
    if spec.options.get("pod_zone_labels"):
        gate = "--kube-apiserver-arg=feature-gates=PodTopologyLabelsAdmission=true"
        command += ["--k3s-arg", f"{gate}@server:0"]
    for label, value in ((_OWNER, spec.owner), (_FINGERPRINT, spec.fingerprint)):
        command += ["--runtime-label", f"{label}={value}@all"]
    for flag in ("image", "network"):
        if flag in spec.options:
            command += [f"--{flag}", spec.options[flag]]
    return [*command, *spec.options.get("extra_args", [])]


def dns_on_each_node(kubeconfig: Path) -> None:
    """A CoreDNS on each node for the pods there, in place of k3s's one for all: what is lost or drained with a node is
    no other node's DNS, and a DaemonSet outlives the drain. k3s's manifests leave open what is set here, so it stays.
    """
    kubectl = ("kubectl", "--kubeconfig", str(kubeconfig), "--namespace", "kube-system")
    deadline = time.monotonic() + _DNS_SECONDS
    while True:
        try:
            deployment = json.loads(run(*kubectl, "get", "deployment", "coredns", "-o", "json", timeout=30))
            break
        except Refused as error:  # k3s makes it a while after the API answers
            if "NotFound" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(1)
    daemons = json.dumps(daemon_set(deployment))
    run(*kubectl, "apply", "--server-side", "-f", "-", stdin=daemons, timeout=30)
    run(*kubectl, "rollout", "status", "daemonset", _DNS, f"--timeout={_DNS_SECONDS}s", timeout=2 * _DNS_SECONDS)
    run(*kubectl, "patch", "service", "kube-dns", "--patch", '{"spec": {"internalTrafficPolicy": "Local"}}', timeout=30)
    run(*kubectl, "scale", "deployment", "coredns", "--replicas=0", timeout=30)


def daemon_set(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """The DaemonSet of a Deployment's pods, on every node whatever its taints."""
    template = deployment["spec"]["template"]
    pod = {key: value for key, value in template["spec"].items() if key != "topologySpreadConstraints"}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": _DNS, "namespace": "kube-system", "labels": deployment["metadata"].get("labels", {})},
        "spec": {
            "selector": deployment["spec"]["selector"],
            "template": {**template, "spec": {**pod, "tolerations": [{"operator": "Exists"}]}},
        },
    }


if __name__ == "__main__":
    lifecycle.command(K3d(Spec.from_environment()))
