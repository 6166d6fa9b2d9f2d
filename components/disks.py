"""A disk that fills is told by every preview and deployment, before Kafka stops at a full one."""

import asyncio
from typing import Any

import pulumi
from pulumi import Output

from components.kafka_cluster import KafkaCluster
from components.kubectl import KubectlError, status_of_node

_FILLING = 0.8  # of a disk, as for the checker's first message


def warn_of_filling_disks(kafka: KafkaCluster) -> Output[list[str]]:
    """Warns of each disk that is filling, once all is rolled out, and gives the warnings. A node that can't be asked
    says nothing, nor does a simulated one.
    """
    cluster = kafka.cluster

    def look(kubeconfig: str, pod: str) -> list[str]:
        try:
            status = status_of_node(kubeconfig, cluster.context, kafka.settings.namespace, pod)
        except (KubectlError, ValueError):  # no answer, or none of a checker
            return []
        role = "" if pod in kafka.brokers else "dedicatedControllers."
        return filling(pod, f"kafka-ha:kafka.{role}storage.size", status)

    async def ask(known: list[str]) -> list[str]:
        found = await asyncio.gather(*(asyncio.to_thread(look, known[0], pod) for pod in kafka.pods))
        warnings = [warning for warnings in found for warning in warnings]
        for warning in warnings:
            pulumi.log.warn(warning)
        return warnings

    if cluster.simulated:
        return Output.from_input([])
    # The id only orders: it is known when the rollout is over.
    return Output.unsecret(Output.all(cluster.kubeconfig, kafka.stateful_set.id).apply(ask))


def filling(pod: str, setting: str, status: dict[str, Any]) -> list[str]:
    """A sentence for each disk that is filling, of what a node's checker tells. Pure."""
    return [
        f"{pod}: {disk} is {used:.0%} full, and at a full disk Kafka stops. Raise {setting}, or have topics keep less "
        "(retention.ms, retention.bytes): docs/storage.md."
        for disk, used in status.get("disks", {}).items()
        if used >= _FILLING
    ]
