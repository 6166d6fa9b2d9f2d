"""What kind `gke` makes: network, control plane over the region's zones, and pools of nodes, zone by zone."""

from dataclasses import dataclass

import pulumi_gcp.compute as compute
import pulumi_gcp.container as container
import pulumi_gcp.projects as projects
import pulumi_gcp.serviceaccount as serviceaccount
from pulumi import Input, Output, Resource, ResourceOptions
from pulumi_gcp.provider import Provider

from components.kinds.cloud import connection, pools, render_kubeconfig, storage_class
from components.kinds.gke import GkeSettings, takes_hyperdisk_alone
from components.kinds.kind import Connection

_NODE_ROLE = "roles/container.defaultNodeServiceAccount"
_SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


def connect(name: str, settings: GkeSettings, parent: Resource) -> Connection:
    """Makes the cluster."""
    return _Gke(name, settings, ResourceOptions(parent=parent)).connect()


@dataclass
class _Gke:
    name: str
    settings: GkeSettings
    opts: ResourceOptions

    def connect(self) -> Connection:
        settings = self.settings
        provider = Provider(f"{self.name}-gcp", project=settings.project, region=settings.region, opts=self.opts)
        self.opts = ResourceOptions.merge(self.opts, ResourceOptions(provider=provider))
        ready: list[Resource] = []
        if own := settings.own_network:
            network: Input[str] = own.network
            subnetwork: Input[str] = own.subnetwork
        else:
            network, subnetwork, nat = self._network()
            ready.append(nat)
        cluster = self._cluster(network, subnetwork)
        nodes = self._nodes(cluster, ready)
        kubeconfig = Output.all(cluster.endpoint, cluster.master_auth.cluster_ca_certificate).apply(
            lambda known: render_kubeconfig(
                settings.name,
                server=f"https://{known[0]}",
                authority=known[1],
                login={"command": "gke-gcloud-auth-plugin", "provideClusterInfo": True},
            )
        )
        # Volumes are always encrypted; a key of your own is a parameter.
        storage = storage_class(settings, "pd.csi.storage.gke.io", {"type": settings.volume_type})
        return connection("gke", settings, kubeconfig, cluster, [*ready, *nodes], storage)

    def _network(self) -> tuple[Input[str], Input[str], Resource]:
        """A network whose nodes have no address of their own outside, and the way out."""
        settings, opts = self.settings, self.opts
        network = compute.Network(f"{self.name}-network", name=settings.name, auto_create_subnetworks=False, opts=opts)
        subnetwork = compute.Subnetwork(
            f"{self.name}-subnetwork",
            name=settings.name,
            network=network.id,
            region=settings.region,
            ip_cidr_range=settings.network,
            private_ip_google_access=True,
            opts=opts,
        )
        router = compute.Router(f"{self.name}-router", network=network.id, region=settings.region, opts=opts)
        nat = compute.RouterNat(
            f"{self.name}-nat",
            router=router.name,
            region=settings.region,
            nat_ip_allocate_option="AUTO_ONLY",
            source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
            opts=opts,
        )
        return network.id, subnetwork.id, nat

    def _cluster(self, network: Input[str], subnetwork: Input[str]) -> container.Cluster:
        settings = self.settings
        ranges = [
            container.ClusterMasterAuthorizedNetworksConfigCidrBlockArgs(cidr_block=block)
            for block in settings.api_ranges
        ]
        return container.Cluster(
            f"{self.name}-gke",
            name=settings.name,
            location=settings.region,
            node_locations=list(settings.zones),
            min_master_version=settings.version,
            release_channel=container.ClusterReleaseChannelArgs(channel=settings.release_channel),
            deletion_protection=settings.protect,
            network=network,
            subnetwork=subnetwork,
            networking_mode="VPC_NATIVE",
            ip_allocation_policy=container.ClusterIpAllocationPolicyArgs(stack_type="IPV4"),
            datapath_provider="ADVANCED_DATAPATH",  # enforces NetworkPolicies
            private_cluster_config=container.ClusterPrivateClusterConfigArgs(
                enable_private_nodes=True, enable_private_endpoint=settings.private_api
            ),
            master_authorized_networks_config=container.ClusterMasterAuthorizedNetworksConfigArgs(cidr_blocks=ranges),
            workload_identity_config=container.ClusterWorkloadIdentityConfigArgs(
                workload_pool=f"{settings.project}.svc.id.goog"
            ),
            addons_config=container.ClusterAddonsConfigArgs(
                gce_persistent_disk_csi_driver_config=container.ClusterAddonsConfigGcePersistentDiskCsiDriverConfigArgs(
                    enabled=True
                ),
                # A node's loss takes no other's DNS with it.
                dns_cache_config=container.ClusterAddonsConfigDnsCacheConfigArgs(enabled=True),
            ),
            # The pools are resources of their own; the first, which GKE insists on, goes at once.
            initial_node_count=1,
            remove_default_node_pool=True,
            opts=ResourceOptions.merge(self.opts, ResourceOptions(protect=settings.protect or None)),
        )

    def _nodes(self, cluster: container.Cluster, before: list[Resource]) -> list[Resource]:
        """Zone by zone, and without a version: in a release channel GKE itself brings them to the control plane's, one
        pool after the other.
        """
        account = self._account()
        made: list[Resource] = []
        for of_zone in pools(self.settings):
            previous = made[-2:] or before
            for pool in of_zone:
                made.append(
                    container.NodePool(
                        f"{self.name}-{pool.role}-{pool.zone}",
                        cluster=cluster.id,
                        node_locations=[pool.zone],
                        node_count=pool.size,
                        # A new node before an old one is drained, which waits for budgets up to an hour.
                        upgrade_settings=container.NodePoolUpgradeSettingsArgs(
                            strategy="SURGE", max_surge=1, max_unavailable=0
                        ),
                        management=container.NodePoolManagementArgs(auto_repair=True, auto_upgrade=True),
                        node_config=container.NodePoolNodeConfigArgs(
                            machine_type=pool.machine,
                            disk_type="hyperdisk-balanced" if takes_hyperdisk_alone(pool.machine) else "pd-balanced",
                            disk_size_gb=50,
                            service_account=account,
                            oauth_scopes=_SCOPES,
                            labels=pool.labels,
                            taints=[
                                container.NodePoolNodeConfigTaintArgs(key=key, value=value, effect="NO_SCHEDULE")
                                for key, value in pool.labels.items()
                            ]
                            or None,
                            workload_metadata_config=container.NodePoolNodeConfigWorkloadMetadataConfigArgs(
                                mode="GKE_METADATA"
                            ),
                            shielded_instance_config=container.NodePoolNodeConfigShieldedInstanceConfigArgs(
                                enable_secure_boot=True, enable_integrity_monitoring=True
                            ),
                        ),
                        opts=ResourceOptions.merge(self.opts, ResourceOptions(depends_on=previous)),
                    )
                )
        return made

    def _account(self) -> Output[str]:
        """Whom the nodes are: an account that may do what a node must, instead of the project's editor."""
        account = serviceaccount.Account(
            f"{self.name}-nodes",
            account_id=f"{self.settings.name}-nodes"[:30].rstrip("-"),
            display_name=f"Nodes of {self.settings.name}",
            opts=self.opts,
        )
        member = projects.IAMMember(
            f"{self.name}-nodes-role",
            project=self.settings.project,
            role=_NODE_ROLE,
            member=account.email.apply(lambda email: f"serviceAccount:{email}"),
            opts=self.opts,
        )
        return Output.all(account.email, member.id).apply(lambda known: str(known[0]))
