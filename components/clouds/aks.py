"""What kind `aks` makes: resource group, control plane, and pools of nodes, zone by zone.

By the package `pulumi_azure`: with `pulumi_azure_native` the pools that stand in the cluster's own resource can't be
told from those beside it (pulumi/pulumi-azure-native#2719, #4264).
"""

import hashlib
from dataclasses import dataclass

import pulumi_azure.authorization as authorization
import pulumi_azure.containerservice as containerservice
import pulumi_azure.core as core
from pulumi import Output, Resource, ResourceOptions
from pulumi_azure.provider import Provider

from components.kinds.aks import AksSettings, zone_number
from components.kinds.cloud import Pool, connection, pools, render_kubeconfig, storage_class
from components.kinds.kind import Connection

_SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"  # the API servers of AKS, as Entra knows them
_DRAIN_MINUTES = 60  # that a drain waits for budgets; then the upgrade fails, and nothing is evicted by force
_NETWORK_ROLE = "Network Contributor"


def connect(name: str, settings: AksSettings, parent: Resource) -> Connection:
    """Makes the cluster."""
    return _Aks(name, settings, ResourceOptions(parent=parent)).connect()


@dataclass
class _Aks:
    name: str
    settings: AksSettings
    opts: ResourceOptions

    def connect(self) -> Connection:
        settings = self.settings
        provider = Provider(f"{self.name}-azure", subscription_id=settings.subscription, opts=self.opts)
        self.opts = ResourceOptions.merge(self.opts, ResourceOptions(provider=provider))
        cluster = self._cluster()
        nodes = self._nodes(cluster)
        access = cluster.kube_configs[0]
        kubeconfig = Output.all(access.host, access.cluster_ca_certificate).apply(
            lambda known: render_kubeconfig(
                settings.name,
                server=known[0],
                authority=known[1],
                login={
                    "command": "kubelogin",
                    "args": ["get-token", "--login", settings.login, "--server-id", _SERVER],
                },
            )
        )
        # Volumes are always encrypted; a disk encryption set of your own is a parameter.
        parameters = {"skuName": settings.volume_type, "cachingMode": "None"}
        storage = storage_class(settings, "disk.csi.azure.com", parameters)
        return connection("aks", settings, kubeconfig, cluster, nodes, storage)

    def _cluster(self) -> containerservice.KubernetesCluster:
        settings = self.settings
        first_zone = zone_number(settings.zones[0])
        group = core.ResourceGroup(f"{self.name}-group", name=settings.name, location=settings.region, opts=self.opts)
        identity = authorization.UserAssignedIdentity(
            f"{self.name}-identity",
            name=settings.name,
            resource_group_name=group.name,
            location=settings.region,
            opts=self.opts,
        )
        first: list[Resource] = []
        if settings.subnet:
            joins = authorization.Assignment(
                f"{self.name}-joins",
                scope=settings.subnet,
                role_definition_name=_NETWORK_ROLE,
                principal_id=identity.principal_id,
                principal_type="ServicePrincipal",
                opts=self.opts,
            )
            first.append(joins)
        reachable = containerservice.KubernetesClusterApiServerAccessProfileArgs(
            authorized_ip_ranges=list(settings.api_ranges)
        )
        return containerservice.KubernetesCluster(
            f"{self.name}-aks",
            name=settings.name,
            location=settings.region,
            resource_group_name=group.name,
            dns_prefix=settings.name,
            kubernetes_version=settings.version,
            sku_tier=settings.tier,
            # Patches and nodes' images, not minor versions.
            automatic_upgrade_channel="patch",
            node_os_upgrade_channel="NodeImage",
            identity=containerservice.KubernetesClusterIdentityArgs(type="UserAssigned", identity_ids=[identity.id]),
            private_cluster_enabled=settings.private_api,
            api_server_access_profile=reachable if settings.api_ranges else None,
            local_account_disabled=True,
            azure_active_directory_role_based_access_control=(
                containerservice.KubernetesClusterAzureActiveDirectoryRoleBasedAccessControlArgs(
                    admin_group_object_ids=list(settings.admin_groups), azure_rbac_enabled=False
                )
            ),
            oidc_issuer_enabled=True,
            workload_identity_enabled=True,
            storage_profile=containerservice.KubernetesClusterStorageProfileArgs(disk_driver_enabled=True),
            network_profile=containerservice.KubernetesClusterNetworkProfileArgs(
                network_plugin="azure",
                network_plugin_mode="overlay",
                network_data_plane="cilium",
                network_policy="cilium",  # enforces NetworkPolicies
            ),
            default_node_pool=containerservice.KubernetesClusterDefaultNodePoolArgs(
                name=f"system{first_zone}",
                temporary_name_for_rotation="rotating",  # serves while the pool is made anew for another machine type
                vm_size=settings.system_machine,
                zones=[first_zone],
                node_count=1,
                orchestrator_version=settings.version,
                host_encryption_enabled=settings.host_encryption,
                vnet_subnet_id=settings.subnet,
                only_critical_addons_enabled=False,
                upgrade_settings=containerservice.KubernetesClusterDefaultNodePoolUpgradeSettingsArgs(
                    max_surge="1", drain_timeout_in_minutes=_DRAIN_MINUTES, undrainable_node_behavior="Schedule"
                ),
            ),
            opts=ResourceOptions.merge(self.opts, ResourceOptions(depends_on=first, protect=settings.protect or None)),
        )

    def _nodes(self, cluster: containerservice.KubernetesCluster) -> list[Resource]:
        """Zone by zone: an upgrade enters the next one when it is done with the last. The first zone's pool for all
        else is the cluster's own, which AKS insists on.
        """
        made: list[Resource] = []
        for kafka, system in pools(self.settings):
            after = ResourceOptions(depends_on=made[-2:])
            own = (kafka, system) if made else (kafka,)
            made += [self._pool(cluster, pool, after) for pool in own]
        return made

    def _pool(
        self, cluster: containerservice.KubernetesCluster, pool: Pool, after: ResourceOptions
    ) -> containerservice.KubernetesClusterNodePool:
        settings, number = self.settings, zone_number(pool.zone)
        return containerservice.KubernetesClusterNodePool(
            f"{self.name}-{pool.role}-{pool.zone}",
            name=pool_name(pool.role, number, pool.machine),
            kubernetes_cluster_id=cluster.id,
            mode="User" if pool.role == "kafka" else "System",
            vm_size=pool.machine,
            zones=[number],
            node_count=pool.size,
            orchestrator_version=settings.version,
            host_encryption_enabled=settings.host_encryption,
            vnet_subnet_id=settings.subnet,
            node_labels=pool.labels,
            node_taints=[f"{key}={value}:NoSchedule" for key, value in pool.labels.items()],
            # A new node before an old one is drained.
            upgrade_settings=containerservice.KubernetesClusterNodePoolUpgradeSettingsArgs(
                max_surge="1", drain_timeout_in_minutes=_DRAIN_MINUTES, undrainable_node_behavior="Schedule"
            ),
            opts=ResourceOptions.merge(self.opts, after),
        )


def pool_name(role: str, number: str, machine: str) -> str:
    """At most 12 letters and digits. Another machine type is another name, so that the new pool is there before the
    old one is drained.
    """
    return f"{role}{number}{hashlib.sha256(machine.encode()).hexdigest()[:4]}"
