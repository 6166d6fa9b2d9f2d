"""The environment of a pod, as the manifests of a plan set it."""

from pathlib import Path
from typing import Any

from components import manifests
from components.checker.environment import Environment
from components.kafka_plan import KafkaPlan, NodesPlan, plan_kafka
from components.kafka_settings import KafkaSettings

ZONES = ("zone-a", "zone-b", "zone-c")
FILLED_IN = {"POD": "kafka-0", "NODE_NAME": "agent-0", "ZONE": "zone-a"}
"""What the kubelet knows."""


def plan(**settings: Any) -> KafkaPlan:
    labelled = settings.pop("labelled", True)
    return plan_kafka(KafkaSettings.model_validate(settings), ZONES, "test", pods_know_their_zone=labelled)


def container(kafka: KafkaPlan, nodes: NodesPlan, name: str) -> Any:
    pod = manifests.stateful_set(kafka, nodes)["spec"]["template"]["spec"]
    [found] = [one for one in pod["initContainers"] + pod["containers"] if one["name"] == name]
    return found


def variables(kafka: KafkaPlan, nodes: NodesPlan, name: str, pod: str) -> dict[str, str]:
    """Of a container of a pod."""
    told = {one["name"]: one.get("value", FILLED_IN.get(one["name"])) for one in container(kafka, nodes, name)["env"]}
    return told | {"POD": pod}


def environment(folder: Path, pod: str = "kafka-0", **settings: Any) -> Environment:
    """Of a node in combined mode, whose files are below `folder`."""
    kafka = plan(**settings)
    values = variables(kafka, kafka.brokers, "checker", pod)
    values |= {"RUN": str(folder / "run"), "DISKS": " ".join(str(folder / disk) for disk in kafka.brokers.claims)}
    for path in (values["RUN"], *values["DISKS"].split()):
        Path(path).mkdir(parents=True, exist_ok=True)
    return Environment.read(values)
