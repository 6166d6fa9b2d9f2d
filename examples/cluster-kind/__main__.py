"""A kind of cluster of your own: one that another stack made, by its outputs."""

from typing import Literal

import pulumi

from kafka_ha import KINDS, ClusterSettings, Connection, KafkaCluster, KafkaSettings, Kind, ZonedCluster


class StackSettings(ClusterSettings):
    """A cluster whose kubeconfig is an output of another stack."""

    kind: Literal["stack"]
    stack: str
    """The stack, as organization/project/stack."""


def connect(name: str, settings: StackSettings, parent: pulumi.Resource) -> Connection:
    """`simulated`, as that of the example `minimal` is; leave it out for a real one."""
    other = pulumi.StackReference(f"{name}-stack", settings.stack, opts=pulumi.ResourceOptions(parent=parent))
    kubeconfig = other.require_output("kubeconfig").apply(str)  # as secret as it is there
    return Connection(kubeconfig=kubeconfig, identifier=settings.stack, simulated=True)


KINDS["stack"] = Kind(StackSettings, connect)

where = StackSettings(kind="stack", stack=pulumi.Config().require("stack"))
cluster = ZonedCluster("cluster", where)
kafka = KafkaCluster("kafka", KafkaSettings(namespace="events"), cluster)

pulumi.export("bootstrap", kafka.bootstrap)
