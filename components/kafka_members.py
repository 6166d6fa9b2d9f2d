"""Commands around the StatefulSets of a KafkaCluster, by which brokers and voters come and go with no record lost."""

from collections.abc import Sequence

import pulumi
from pulumi import Resource, ResourceOptions
from pulumi_command import local

from components.commands import found, script
from components.kafka_plan import KafkaPlan
from components.scripts.members import Members


class KafkaMembers:
    """The commands of one cluster. `tools` is what they need to run Kafka's tools, see `KafkaCluster.tools`.

    They run again whenever the numbers of brokers or voters, or the ways of reaching them, change.
    """

    evacuation: Resource
    """What the StatefulSets have to wait for: no broker that leaves holds a replica any more."""

    def __init__(self, name: str, plan: KafkaPlan, tools: dict[str, pulumi.Input[str]], opts: ResourceOptions) -> None:
        """`opts` are those of every command."""
        reassignment = plan.settings.reassignment
        members = Members(
            brokers=plan.brokers.replicas,
            brokers_set=plan.brokers.name,
            voters=plan.controllers.replicas,
            first_voter=plan.controllers.first_id,
            voters_set=plan.controllers.name,
            throttle=int(reassignment.throttle.amount),
            automatic=reassignment.automatic,
        )
        self._name, self._opts = name, opts
        self._environment = {"MEMBERS": members.to_json(), **found(), **tools}
        self.evacuation = self._command("evacuation", "evacuate", [])

    def follow(self, sets: Sequence[Resource]) -> tuple[Resource, Resource]:
        """What comes when the StatefulSets are as asked for: voters first, for until they are gone the quorum bears
        less; then replicas.
        """
        settled = self._command("members", "settle", sets)
        return settled, self._command("rebalance", "rebalance", [settled])

    def _command(self, suffix: str, action: str, after: Sequence[Resource]) -> Resource:
        return local.Command(
            f"{self._name}-{suffix}",
            create=script("members", action),
            environment=self._environment,
            logging=local.Logging.STDERR,
            opts=ResourceOptions.merge(self._opts, ResourceOptions(depends_on=after)),
        )
