"""Where the brokers are: the one output that only the running cluster knows."""

import asyncio

import pulumi
from pulumi import Output

from components.kafka_cluster import KafkaCluster
from components.kubectl import KubectlError, placement


def broker_placement(kafka: KafkaCluster) -> Output[dict[str, dict[str, str]]]:
    """Zone and node of each broker that is placed, once the StatefulSet is rolled out."""

    cluster = kafka.cluster

    async def ask(known: list[str]) -> dict[str, dict[str, str]]:
        where = known[0], cluster.context, kafka.settings.namespace, kafka.brokers
        try:
            return await asyncio.to_thread(placement, *where)  # registration goes on meanwhile
        except KubectlError as error:
            pulumi.log.warn(f"output brokers: the cluster could not be asked where they are: {error}")
            return {}

    # The id only orders: it is known when the rollout is over.
    return Output.unsecret(Output.all(cluster.kubeconfig, kafka.stateful_set.id).apply(ask))
