"""The environment of a pod, as the manifests of a plan set it."""

from pathlib import Path
from typing import Any

from components import manifests
from components.checker.environment import Environment
from components.kafka_plan import KafkaPlan, NodesPlan, plan_kafka
from components.kafka_settings import KafkaSettings

ZONES = ("zone-a", "zone-b", "zone-c")
FIELDS = {"NODE_NAME": "agent-0", "ZONE": "zone-a"}
"""What the kubelet knows, beside the pod's name."""


def plan(**settings: Any) -> KafkaPlan:
    labelled = settings.pop("labelled", True)
    return plan_kafka(KafkaSettings.model_validate(settings), ZONES, "test", pods_know_their_zone=labelled)


def container(kafka: KafkaPlan, nodes: NodesPlan, name: str) -> Any:
    pod = manifests.stateful_set(kafka, nodes)["spec"]["template"]["spec"]
    [found] = [one for one in pod["initContainers"] + pod["containers"] if one["name"] == name]
    return found


def variables(kafka: KafkaPlan, nodes: NodesPlan, name: str, pod: str) -> dict[str, str]:
    """Of a container of a pod, as the kubelet fills them in."""
    fields, data = FIELDS | {"POD": pod}, manifests.config_map(kafka, nodes)["data"]

    def value(variable: Any) -> str | None:
        if "value" in variable:
            return str(variable["value"])
        if key := variable["valueFrom"].get("configMapKeyRef"):
            assert (key["name"], key["optional"]) == (f"{nodes.name}-config", True)
            found: str | None = data.get(key["key"])
            return found
        return fields[variable["name"]]

    told = {one["name"]: value(one) for one in container(kafka, nodes, name)["env"]}
    return {variable: given for variable, given in told.items() if given is not None}


def environment(folder: Path, pod: str = "kafka-0", **settings: Any) -> Environment:
    """Of a node in combined mode, whose files are below `folder`."""
    kafka = plan(**settings)
    values = variables(kafka, kafka.brokers, "checker", pod)
    values |= {"RUN": str(folder / "run"), "DISKS": " ".join(str(folder / disk) for disk in kafka.brokers.claims)}
    for path in (values["RUN"], *values["DISKS"].split()):
        Path(path).mkdir(parents=True, exist_ok=True)
    return Environment.read(values)
