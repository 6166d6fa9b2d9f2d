"""The KafkaCluster component: creates what the plan says, decides nothing."""

from typing import Any

import pulumi
import pulumi_kubernetes as k8s
from pulumi import Output, ResourceOptions

from components import manifests
from components.kafka_claims import KafkaClaims
from components.kafka_members import KafkaMembers
from components.kafka_monitoring import monitor
from components.kafka_plan import TOOLS_FILE, KafkaPlan, NodesPlan, kafka_facts, plan_kafka
from components.kafka_release import MIN_ISR, split
from components.kafka_security import KafkaSecurity
from components.kafka_settings import KafkaSettings, on_cluster
from components.live.settings import SettingsResource
from components.live.version import ImageResource, MetadataVersionResource
from components.manifests import arguments
from components.refusal import refuse_unsafe
from components.zoned_cluster import ZonedCluster

_ROLLOUT_TIMEOUT = "30m"  # five brokers, one after the other, each with its log to recover


class KafkaCluster(pulumi.ComponentResource):
    """A highly available Kafka in KRaft mode: brokers and controllers, in one StatefulSet or two, each with its
    headless Service, PodDisruptionBudget and configuration, and a checker beside each node.

    Raises `UnsafeSettings` before anything is registered when a rule is violated.
    """

    bootstrap: Output[str]
    """Bootstrap addresses, inside the cluster."""
    external_bootstrap: Output[str]
    """Bootstrap addresses for clients outside the cluster; empty without `security.external`."""
    cluster_id: Output[str]
    """Kafka's cluster id."""
    disruption_budget: Output[dict[str, object]]
    """Name of the PodDisruptionBudget and how many brokers it lets go at once."""
    client_command: Output[str]
    """One line that starts a pod with Kafka's command line tools."""
    client_properties: Output[str]
    """Recommended settings of clients, as a properties file; `bootstrap.servers` is to be added, and with security
    `sasl.jaas.config` and the trust in `authority`.
    """
    authority: Output[str | None]
    """Certificate of the CA that clients must trust; None without security, and where cert-manager keeps it."""
    brokers: tuple[str, ...]
    """Names of the brokers' pods."""
    stateful_set: k8s.apps.v1.StatefulSet
    """The brokers."""
    settled: pulumi.Resource
    """The command after which brokers and voters are those that are asked for."""

    def __init__(
        self,
        name: str,
        settings: KafkaSettings,
        cluster: ZonedCluster,
        opts: ResourceOptions | None = None,
    ) -> None:
        """`cluster` is what it is to be on."""
        settings = on_cluster(settings, cluster.node_pool, cluster.storage_class)
        refuse_unsafe(kafka_facts(settings, cluster.zones, {}))
        cluster.check(settings)
        super().__init__(
            "kafka-ha:index:KafkaCluster",
            name,
            {"settings": settings.as_inputs(), "zones": list(cluster.zones)},
            ResourceOptions.merge(cluster.placing(), opts),
        )
        identity = "/".join((pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack(), name))
        plan = plan_kafka(settings, cluster.zones, identity, pods_know_their_zone=cluster.pods_know_their_zone)
        # Not annotated on the class: the SDK would take them for outputs.
        self.cluster, self.settings = cluster, settings
        self.brokers = plan.brokers.pods
        self.pods = tuple(pod for nodes in plan.groups for pod in nodes.pods)
        self.bootstrap = Output.from_input(plan.bootstrap)
        self.external_bootstrap = Output.from_input(",".join(plan.external.values()))
        self._tools = {"BOOTSTRAP": plan.tools_bootstrap}
        if plan.listeners.secured:
            self._tools["COMMAND_CONFIG"] = f"{manifests.CONFIG_FOLDER}/{TOOLS_FILE}"
        self._create(name, plan)
        self.cluster_id = Output.from_input(plan.cluster_id)
        self.client_command = Output.from_input(plan.client_command)
        self.client_properties = Output.from_input(plan.client_properties)
        budget = {"name": plan.brokers.name, "maxUnavailable": plan.brokers.max_unavailable}
        self.disruption_budget = Output.from_input(budget)
        self.register_outputs(
            {
                "bootstrap": self.bootstrap,
                "clusterId": self.cluster_id,
                "clientCommand": self.client_command,
                "clientProperties": self.client_properties,
                "authority": self.authority,
                "externalBootstrap": self.external_bootstrap,
                "disruptionBudget": self.disruption_budget,
            }
        )

    @property
    def tools(self) -> dict[str, pulumi.Input[str]]:
        """What a command needs to run Kafka's tools; see `components.scripts.kafka_tools`."""
        return {
            "NAMESPACE": self.settings.namespace,
            "BROKER_PODS": " ".join(self.brokers),
            **self._tools,
            **self.cluster.access,
        }

    @property
    def reach(self) -> dict[str, pulumi.Input[Any]]:
        """What a dynamic resource needs to reach this Kafka; see `components.live`."""
        place = (self.cluster.cluster_identifier, self.settings.namespace, self.settings.name)
        connection = {name: value for name, value in self.tools.items() if name != "KUBECONFIG_CONTENT"}
        return {
            "cluster": "/".join(place),
            "connection": connection,
            "kubeconfig": Output.secret(self.cluster.kubeconfig),
        }

    def living(self, parent: pulumi.Resource, *after: pulumi.Resource) -> ResourceOptions:
        """Options of a dynamic resource that comes when all nodes are as asked for, and goes with the brokers."""
        return ResourceOptions.merge(
            self._reaching(parent),
            ResourceOptions(depends_on=[self.settled, *after], deleted_with=self.stateful_set),
        )

    @property
    def _protected(self) -> bool | None:
        return self.settings.protect or None  # None: as the component itself is

    def _reaching(self, parent: pulumi.Resource) -> ResourceOptions:
        lifetime = self.cluster.lifetime
        return ResourceOptions(
            parent=parent,
            additional_secret_outputs=["kubeconfig"],
            replace_with=[lifetime] if lifetime else None,
        )

    def _create(self, name: str, plan: KafkaPlan) -> None:
        """What the nodes need, the nodes, and what follows them."""
        claims = KafkaClaims(name, plan, self.cluster)
        child = ResourceOptions.merge(self.cluster.placing(), ResourceOptions(parent=self))
        # All else comes after the namespace, and so after the check of the claims.
        checked = ResourceOptions(depends_on=claims.checked, protect=self._protected)
        namespace = k8s.core.v1.Namespace(
            f"{name}-namespace", **manifests.namespace(plan), opts=ResourceOptions.merge(child, checked)
        )
        within = ResourceOptions.merge(child, ResourceOptions(depends_on=[namespace]))
        image = ImageResource(f"{name}-image", {"image": plan.settings.image, **self.reach}, self._reaching(self))
        members = KafkaMembers(name, plan, self.tools, ResourceOptions(parent=self, depends_on=[namespace, image]))
        security = KafkaSecurity(name, plan, self, within)
        self.own_authority = security.authority
        self.authority = Output.from_input(security.authority)
        needed = [
            *security.needed,
            *self._account(name, plan, child, within),
            *self._files(name, plan, within),
            image,
            # Before the nodes are rolled: a full disk would hold that up.
            claims.grown("claims", self, [namespace]),
            members.evacuation,
        ]
        sets: list[k8s.apps.v1.StatefulSet] = []
        for nodes in plan.groups:
            sets.append(self._nodes(name, plan, nodes, security, within, [*needed, *sets]))
        self.stateful_set = sets[-1]
        claims.grown("new-claims", self, sets)
        self.settled, balanced = members.follow(sets)
        self._live(name, plan, balanced)
        monitor(name, plan, within)

    def _live(self, name: str, plan: KafkaPlan, balanced: pulumi.Resource) -> None:
        """What is set when all nodes run. The version of the metadata is the last: a node that replicas are moved to
        is not in sync.
        """
        asked = {MIN_ISR: str(plan.settings.min_insync_replicas), **split(plan.settings.properties)[1]}
        settings = SettingsResource(f"{name}-settings", {"settings": asked, **self.reach}, self.living(self))
        if version := plan.settings.metadata_version:
            MetadataVersionResource(
                f"{name}-metadata-version",
                {"metadataVersion": version, "pods": list(self.pods), **self.reach},
                self.living(self, settings, balanced),
            )

    def _files(self, name: str, plan: KafkaPlan, within: ResourceOptions) -> list[pulumi.Resource]:
        """What all groups of nodes read and write, and what clients read."""
        # The nodes write it.
        marks = ResourceOptions(ignore_changes=["data"], protect=self._protected)
        k8s.core.v1.ConfigMap(f"{name}-client", **manifests.client_config_map(plan), opts=within)
        return [
            k8s.core.v1.ConfigMap(f"{name}-checker", **manifests.checker_config_map(plan), opts=within),
            k8s.core.v1.ConfigMap(
                f"{name}-marks", **manifests.marks_config_map(plan), opts=ResourceOptions.merge(within, marks)
            ),
        ]

    def _account(
        self, name: str, plan: KafkaPlan, wide: ResourceOptions, within: ResourceOptions
    ) -> list[pulumi.Resource]:
        """What lets the nodes mark their disks and take turns in stopping."""
        rights: list[pulumi.Resource] = [
            k8s.core.v1.ServiceAccount(f"{name}-account", **arguments(manifests.service_account(plan)), opts=within),
            k8s.rbac.v1.Role(f"{name}-role", **manifests.role(plan), opts=within),
            k8s.rbac.v1.RoleBinding(f"{name}-role-binding", **arguments(manifests.role_binding(plan)), opts=within),
        ]
        if not plan.pods_know_their_zone:
            rights += [
                k8s.rbac.v1.ClusterRole(f"{name}-zones", **manifests.zone_reader(plan), opts=wide),
                k8s.rbac.v1.ClusterRoleBinding(
                    f"{name}-zones-binding", **arguments(manifests.zone_reader_binding(plan)), opts=wide
                ),
            ]
        return rights

    def _nodes(
        self,
        name: str,
        plan: KafkaPlan,
        nodes: NodesPlan,
        security: KafkaSecurity,
        within: ResourceOptions,
        needed: list[pulumi.Resource],
    ) -> k8s.apps.v1.StatefulSet:
        """The StatefulSet of `nodes`, with its Service, budget and configuration."""
        prefix = name if nodes is plan.brokers else f"{name}-{nodes.component}"
        services = [
            k8s.core.v1.Service(f"{prefix}-service", **manifests.service(plan, nodes), opts=within),
            *(
                k8s.core.v1.Service(f"{prefix}-{ordinal}", **manifests.node_service(plan, nodes, pod), opts=within)
                for ordinal, pod in enumerate(nodes.pods)
            ),
        ]
        if nodes is plan.brokers:
            services += [
                k8s.core.v1.Service(f"{pod}-external", **manifests.external_service(plan, pod), opts=within)
                for pod in plan.external
            ]
        config = k8s.core.v1.ConfigMap(f"{prefix}-config", **manifests.config_map(plan, nodes), opts=within)
        budget = k8s.policy.v1.PodDisruptionBudget(
            f"{prefix}-disruption-budget", **manifests.disruption_budget(plan, nodes), opts=within
        )
        return k8s.apps.v1.StatefulSet(
            f"{name}-{nodes.component}s",
            **manifests.stateful_set(plan, nodes, security.annotations),
            opts=ResourceOptions.merge(
                within,
                ResourceOptions(
                    # The budget first: no moment in which an eviction goes unchecked.
                    depends_on=[*needed, *services, config, budget],
                    ignore_changes=["spec.volumeClaimTemplates"],  # the claims themselves are grown: KafkaClaims
                    protect=self._protected,
                    custom_timeouts=pulumi.CustomTimeouts(create=_ROLLOUT_TIMEOUT, update=_ROLLOUT_TIMEOUT),
                ),
            ),
        )
