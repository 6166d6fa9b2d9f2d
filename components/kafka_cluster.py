"""The KafkaCluster component: creates what the plan says, decides nothing."""

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Output, ResourceOptions

from components import manifests
from components.kafka_plan import kafka_facts, plan_kafka
from components.kafka_settings import KafkaSettings
from components.refusal import refuse_unsafe

_ROLLOUT_TIMEOUT = "30m"  # five brokers, one after the other, each with its log to recover


class KafkaCluster(pulumi.ComponentResource):
    """A highly available Kafka in KRaft mode: StatefulSet, headless Service, PodDisruptionBudget and configuration.

    Raises `UnsafeSettings` before anything is registered when a rule is violated.
    """

    bootstrap: Output[str]
    """Bootstrap addresses, inside the cluster."""
    cluster_id: Output[str]
    """Kafka's cluster id."""
    disruption_budget: Output[dict[str, object]]
    """Name of the PodDisruptionBudget and how many brokers it lets go at once."""
    client_command: Output[str]
    """One line that starts a pod with Kafka's command line tools."""
    brokers: tuple[str, ...]
    """Names of the brokers' pods."""
    stateful_set: k8s.apps.v1.StatefulSet
    """The brokers."""

    def __init__(
        self, name: str, settings: KafkaSettings, zones: tuple[str, ...], opts: ResourceOptions | None = None
    ) -> None:
        """`zones` are those of the Kubernetes cluster; `opts` carries its provider."""
        refuse_unsafe(kafka_facts(settings, zones, {}))
        super().__init__(
            "kafka-ha:index:KafkaCluster",
            name,
            {"settings": settings.as_inputs(), "zones": list(zones)},
            opts,
        )
        identity = "/".join((pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack(), name))
        plan = plan_kafka(settings, zones, identity)
        # Neither is inherited, and without them the objects would not share the life of the cluster that they are on.
        child = ResourceOptions(
            parent=self,
            deleted_with=opts.deleted_with if opts else None,
            replace_with=opts.replace_with if opts else None,
        )

        namespace = k8s.core.v1.Namespace(f"{name}-namespace", **manifests.namespace(plan), opts=child)
        within = ResourceOptions.merge(child, ResourceOptions(depends_on=[namespace]))
        service = k8s.core.v1.Service(f"{name}-service", **manifests.service(plan), opts=within)
        config = k8s.core.v1.ConfigMap(f"{name}-config", **manifests.config_map(plan), opts=within)
        budget = k8s.policy.v1.PodDisruptionBudget(
            f"{name}-disruption-budget", **manifests.disruption_budget(plan), opts=within
        )
        self.stateful_set = k8s.apps.v1.StatefulSet(
            f"{name}-brokers",
            **manifests.stateful_set(plan),
            opts=ResourceOptions.merge(
                child,
                ResourceOptions(
                    # The budget first: no moment in which an eviction goes unchecked.
                    depends_on=[service, config, budget],
                    custom_timeouts=pulumi.CustomTimeouts(create=_ROLLOUT_TIMEOUT, update=_ROLLOUT_TIMEOUT),
                ),
            ),
        )
        self.settings = settings  # not annotated on the class: the SDK would take it for an output
        self.brokers = plan.brokers
        self.bootstrap = Output.from_input(plan.bootstrap)
        self.cluster_id = Output.from_input(plan.cluster_id)
        self.client_command = Output.from_input(plan.client_command)
        self.disruption_budget = budget.metadata.apply(
            lambda metadata: {"name": metadata.name, "maxUnavailable": settings.disruption_budget}
        )
        self.register_outputs(
            {
                "bootstrap": self.bootstrap,
                "clusterId": self.cluster_id,
                "clientCommand": self.client_command,
                "disruptionBudget": self.disruption_budget,
            }
        )
