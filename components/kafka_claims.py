"""The claims of Kafka's nodes, and what else is there of a cluster: what can't be had is refused before anything is
touched, the rest grown by commands.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict

import pulumi
from pulumi import Output, Resource, ResourceOptions
from pulumi_command import local

from components import kubectl
from components.commands import found, script
from components.kafka_plan import KafkaPlan
from components.kafka_quorum import moved
from components.kafka_security import switched
from components.refusal import UnsafeSettings
from components.scripts.claims import CLASSES, OBJECTS, Asked, refusals, uneven
from components.zoned_cluster import ZonedCluster

FOUND = f"{OBJECTS},configmaps"
"""What is looked at before anything is touched, as `kubectl get` names it."""
_SCRIPT = script("claims", "grow")


class KafkaClaims:
    """The claims as they are asked for, and as they are found while the program runs, in a preview too."""

    def __init__(self, name: str, plan: KafkaPlan, cluster: ZonedCluster) -> None:
        self._name, self._plan, self._cluster = name, plan, cluster
        self._asked = [
            Asked(
                path=f"kafka-ha:kafka.{'' if nodes is plan.brokers else 'dedicatedControllers.'}storage",
                stateful_set=nodes.name,
                replicas=nodes.replicas,
                templates=nodes.claims,
                size=str(nodes.storage.size),
                storage_class=nodes.storage.storage_class,
            )
            for nodes in plan.groups
        ]
        self._uneven: Output[list[str]] = cluster.kubeconfig.apply(self._look)

    @property
    def checked(self) -> Output[Sequence[Resource]]:
        """For the `depends_on` of what must not be touched before the claims are known to fit. Fails with
        `UnsafeSettings` where they don't.
        """
        return self._uneven.apply(lambda _: [])

    def grown(self, suffix: str, parent: Resource, after: Sequence[Resource]) -> Resource:
        """The command that grows those that are there when it runs."""
        return local.Command(
            f"{self._name}-{suffix}",
            create=_SCRIPT,
            update=_SCRIPT,
            environment={
                "CLAIMS": json.dumps([asdict(asked) for asked in self._asked]),
                # Not read: a claim that was made anew since, at the template's size, has the command run once more.
                "UNEVEN": self._uneven.apply(" ".join),
                "NAMESPACE": self._plan.settings.namespace,
                **found(),
                **self._cluster.access,
            },
            opts=ResourceOptions(
                parent=parent, depends_on=after, custom_timeouts=pulumi.CustomTimeouts(create="1h", update="1h")
            ),
        )

    async def _look(self, kubeconfig: str) -> list[str]:
        """The claims that are uneven. Raises UnsafeSettings."""
        try:
            return await asyncio.to_thread(self._compare, kubeconfig)  # registration goes on meanwhile
        except kubectl.KubectlError as error:
            # Where that matters, the command tells it.
            pulumi.log.warn(f"kafka-ha:kafka.storage: the claims could not be compared with it: {error}")
            return []

    def _compare(self, kubeconfig: str) -> list[str]:
        def get(*arguments: str) -> list[dict[str, object]]:
            return kubectl.get(kubeconfig, self._cluster.context, *arguments)

        objects = get(FOUND, f"--namespace={self._plan.settings.namespace}")
        errors = [error for asked in self._asked for error in refusals(asked, objects, lambda: get(CLASSES))]
        if errors := [*moved(self._plan, objects), *switched(self._plan, objects), *errors]:
            raise UnsafeSettings(errors)
        return [name for asked in self._asked for name in uneven(asked, objects)]
