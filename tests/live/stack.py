"""The stack `live`: the configuration of `dev`, on a k3d cluster of its own."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.live.cluster import write_kubeconfig
from tests.live.process import run
from tests.stack import ROOT, Stack

CLUSTER = "kafka-ha-live"
SINGLE = "single"
"""A topic with one partition: a pause of its leader is a pause of all writes."""


def live_stack(folder: Path) -> Stack:
    """The stack; nothing is deployed yet."""
    file = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    config = {key.removeprefix("kafka-ha:"): value for key, value in file["config"].items()}
    config["cluster"]["name"] = CLUSTER
    config["topics"].append({"name": SINGLE, "partitions": 1})
    if network := os.environ.get("LIVE_NETWORK"):
        config["cluster"]["network"] = network
    return Stack.create(folder, "live", config)


def second_stack(first: Stack, folder: Path, name: str, kafka: Mapping[str, Any]) -> Stack:
    """A stack on the cluster of the first, with small nodes in a namespace of its name; nothing is deployed yet."""
    kubeconfig = folder / "cluster.kubeconfig"
    write_kubeconfig(kubeconfig, first.outputs()["kubeconfig"])
    config = {
        "cluster": {"kind": "existing", "kubeconfig": str(kubeconfig)},
        "kafka": {
            **first.config["kafka"],
            "namespace": name,
            "resources": {"cpu": "50m", "memory": "512Mi", "heap": "256Mi"},
            "storage": {"size": "1Gi"},
            **kafka,
        },
        "topics": [{"name": "orders", "partitions": 3}, {"name": SINGLE, "partitions": 1}],
    }
    return Stack.create(folder, name, config)


def containers() -> list[str]:
    """Names of the cluster's containers, stopped ones too."""
    return run("docker", "ps", "-a", "--filter", f"label=k3d.cluster={CLUSTER}", "--format", "{{.Names}}").split()


def remove_leftovers() -> None:
    """Removes the cluster of a run that was killed, which the next one would adopt."""
    if containers():
        run("k3d", "cluster", "delete", CLUSTER)
