"""What kind `eks` makes: network, control plane, add-ons, and pools of nodes, zone by zone."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network

import pulumi_aws.ec2 as ec2
import pulumi_aws.eks as eks
import pulumi_aws.iam as iam
import pulumi_aws.vpc as vpc
from pulumi import Input, InvokeOptions, Output, Resource, ResourceOptions
from pulumi_aws.provider import Provider

from components.kinds.cloud import connection, pools, render_kubeconfig, storage_class
from components.kinds.eks import EksSettings
from components.kinds.kind import Connection

_EVERYWHERE = "0.0.0.0/0"
_NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly")
_DRIVER_POLICY = "service-role/AmazonEBSCSIDriverPolicy"
_DRIVER_ACCOUNT = "ebs-csi-controller-sa"
_ADMINISTRATOR = "arn:{partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


def connect(name: str, settings: EksSettings, parent: Resource) -> Connection:
    """Makes the cluster."""
    return _Eks(name, settings, ResourceOptions(parent=parent)).connect()


@dataclass
class _Eks:
    name: str
    settings: EksSettings
    opts: ResourceOptions
    provider: Provider = field(init=False)

    def connect(self) -> Connection:
        settings = self.settings
        self.provider = Provider(f"{self.name}-aws", region=settings.region, opts=self.opts)
        self.opts = ResourceOptions.merge(self.opts, ResourceOptions(provider=self.provider))
        subnets: dict[str, Input[str]] = {**settings.subnets} or self._network()
        cluster = self._cluster(list(subnets.values()))
        # Nodes are ready only with a network, and pods have roles only by the agent.
        first = [self._addon(cluster, addon, []) for addon in ("kube-proxy", "eks-pod-identity-agent")]
        first.append(self._addon(cluster, "vpc-cni", [], configuration={"enableNetworkPolicy": "true"}))
        nodes = self._nodes(cluster, subnets, first)
        ready = [self._addon(cluster, "coredns", nodes), self._driver(cluster, nodes)]
        kubeconfig = Output.all(cluster.endpoint, cluster.certificate_authority.data).apply(
            lambda known: render_kubeconfig(
                settings.name,
                server=known[0],
                authority=known[1],
                login={
                    "command": "aws",
                    "args": ["eks", "get-token", "--cluster-name", settings.name, "--region", settings.region],
                },
            )
        )
        parameters = {"type": "gp3", "encrypted": "true"}
        storage = storage_class(settings, "ebs.csi.aws.com", parameters)
        return connection("eks", settings, kubeconfig, cluster, [*nodes, *ready], storage)

    def _network(self) -> dict[str, Input[str]]:
        """A private subnet for each zone, and a public one for its way out. A zone's nodes stay in its subnet."""
        settings, opts = self.settings, self.opts
        network = ec2.Vpc(
            f"{self.name}-network",
            cidr_block=settings.network,
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags={"Name": settings.name},
            opts=opts,
        )
        gateway = ec2.InternetGateway(f"{self.name}-gateway", vpc_id=network.id, opts=opts)
        public = self._routes("public", network, ec2.RouteTableRouteArgs(cidr_block=_EVERYWHERE, gateway_id=gateway.id))
        ranges = [str(part) for part in ip_network(settings.network).subnets(prefixlen_diff=4)]
        half = len(ranges) // 2
        subnets: dict[str, Input[str]] = {}
        ways_out: list[ec2.NatGateway] = []
        for index, zone in enumerate(settings.zones):
            outside = self._subnet(f"public-{zone}", network, zone, ranges[half + index], public)
            if settings.nat_per_zone or not ways_out:
                address = ec2.Eip(f"{self.name}-address-{zone}", domain="vpc", opts=opts)
                ways_out.append(
                    ec2.NatGateway(
                        f"{self.name}-nat-{zone}",
                        allocation_id=address.allocation_id,
                        subnet_id=outside.id,
                        opts=ResourceOptions.merge(opts, ResourceOptions(depends_on=[gateway])),
                    )
                )
            out = ec2.RouteTableRouteArgs(cidr_block=_EVERYWHERE, nat_gateway_id=ways_out[-1].id)
            table = self._routes(f"private-{zone}", network, out)
            subnets[zone] = self._subnet(f"private-{zone}", network, zone, ranges[index], table).id
        return subnets

    def _routes(self, name: str, network: ec2.Vpc, route: ec2.RouteTableRouteArgs) -> ec2.RouteTable:
        return ec2.RouteTable(f"{self.name}-routes-{name}", vpc_id=network.id, routes=[route], opts=self.opts)

    def _subnet(self, name: str, network: ec2.Vpc, zone: str, block: str, table: ec2.RouteTable) -> ec2.Subnet:
        subnet = ec2.Subnet(
            f"{self.name}-subnet-{name}",
            vpc_id=network.id,
            availability_zone=zone,
            cidr_block=block,
            tags={"Name": f"{self.settings.name}-{name}"},
            opts=self.opts,
        )
        ec2.RouteTableAssociation(
            f"{self.name}-route-{name}", subnet_id=subnet.id, route_table_id=table.id, opts=self.opts
        )
        return subnet

    def _cluster(self, subnets: list[Input[str]]) -> eks.Cluster:
        settings = self.settings
        cluster = eks.Cluster(
            f"{self.name}-eks",
            name=settings.name,
            version=settings.version,
            role_arn=self._role("control-plane", "eks.amazonaws.com", ("AmazonEKSClusterPolicy",)),
            bootstrap_self_managed_addons=False,
            deletion_protection=settings.protect,
            # Without it an old version would go on at six times the price, instead of being upgraded.
            upgrade_policy=eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
            access_config=eks.ClusterAccessConfigArgs(
                authentication_mode="API", bootstrap_cluster_creator_admin_permissions=True
            ),
            vpc_config=eks.ClusterVpcConfigArgs(
                subnet_ids=subnets,
                endpoint_private_access=True,
                endpoint_public_access=not settings.private_api,
                public_access_cidrs=None if settings.private_api else list(settings.api_ranges),
            ),
            enabled_cluster_log_types=["audit", "authenticator"],
            opts=ResourceOptions.merge(self.opts, ResourceOptions(protect=settings.protect or None)),
        )
        for index, block in enumerate(settings.api_ranges if settings.private_api else ()):
            vpc.SecurityGroupIngressRule(
                f"{self.name}-api-{index}",
                security_group_id=cluster.vpc_config.cluster_security_group_id.apply(lambda group: group or ""),
                cidr_ipv4=block,
                ip_protocol="tcp",
                from_port=443,
                to_port=443,
                opts=self.opts,
            )
        for index, administrator in enumerate(settings.admins):
            entry = eks.AccessEntry(
                f"{self.name}-admin-{index}", cluster_name=cluster.name, principal_arn=administrator, opts=self.opts
            )
            eks.AccessPolicyAssociation(
                f"{self.name}-admin-{index}-policy",
                cluster_name=cluster.name,
                principal_arn=entry.principal_arn,
                policy_arn=_ADMINISTRATOR.format(partition=self._partition),
                access_scope=eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
                opts=self.opts,
            )
        return cluster

    def _nodes(
        self, cluster: eks.Cluster, subnets: dict[str, Input[str]], before: Sequence[Resource]
    ) -> list[Resource]:
        """Zone by zone: an upgrade enters the next one when it is done with the last."""
        settings = self.settings
        role = self._role("nodes", "ec2.amazonaws.com", _NODE_POLICIES)
        made: list[Resource] = []
        for of_zone in pools(settings):
            previous = made[-2:] or before
            for pool in of_zone:
                made.append(
                    eks.NodeGroup(
                        f"{self.name}-{pool.role}-{pool.zone}",
                        cluster_name=cluster.name,
                        node_role_arn=role,
                        subnet_ids=[subnets[pool.zone]],
                        version=settings.version,
                        ami_type=_image(pool.machine),
                        instance_types=[pool.machine],
                        # One more while a node is replaced.
                        scaling_config=eks.NodeGroupScalingConfigArgs(
                            min_size=pool.size, desired_size=pool.size, max_size=pool.size + 1
                        ),
                        update_config=eks.NodeGroupUpdateConfigArgs(max_unavailable=1, update_strategy="DEFAULT"),
                        force_update_version=False,  # an eviction that a budget refuses fails the upgrade
                        labels=pool.labels,
                        taints=[
                            eks.NodeGroupTaintArgs(key=key, value=value, effect="NO_SCHEDULE")
                            for key, value in pool.labels.items()
                        ]
                        or None,
                        opts=ResourceOptions.merge(self.opts, ResourceOptions(depends_on=previous)),
                    )
                )
        return made

    def _driver(self, cluster: eks.Cluster, after: Sequence[Resource]) -> eks.Addon:
        """The driver of EBS volumes: it may make and grow them by a role that its pods have, and no other pod."""
        role = self._role("volumes", "pods.eks.amazonaws.com", (_DRIVER_POLICY,))
        identity = eks.AddonPodIdentityAssociationArgs(role_arn=role, service_account=_DRIVER_ACCOUNT)
        return self._addon(cluster, "aws-ebs-csi-driver", after, identity=identity)

    def _addon(
        self,
        cluster: eks.Cluster,
        addon: str,
        after: Sequence[Resource],
        *,
        configuration: dict[str, str] | None = None,
        identity: eks.AddonPodIdentityAssociationArgs | None = None,
    ) -> eks.Addon:
        """In the version that EKS recommends for the cluster's."""
        recommended = eks.get_addon_version_output(
            addon_name=addon, kubernetes_version=self.settings.version, opts=InvokeOptions(provider=self.provider)
        )
        return eks.Addon(
            f"{self.name}-{addon}",
            cluster_name=cluster.name,
            addon_name=addon,
            addon_version=recommended.version,
            configuration_values=json.dumps(configuration) if configuration else None,
            pod_identity_associations=[identity] if identity else None,
            resolve_conflicts_on_create="OVERWRITE",
            resolve_conflicts_on_update="OVERWRITE",
            opts=ResourceOptions.merge(self.opts, ResourceOptions(depends_on=after)),
        )

    def _role(self, name: str, service: str, policies: tuple[str, ...]) -> Output[str]:
        """The ARN of a role that `service` takes on, once it has its policies."""
        actions = ["sts:AssumeRole", *(["sts:TagSession"] if service.startswith("pods.") else [])]
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": actions}
        role = iam.Role(
            f"{self.name}-{name}",
            assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            opts=self.opts,
        )
        attached = [
            iam.RolePolicyAttachment(
                f"{self.name}-{name}-{policy.rpartition('/')[2]}",
                role=role.name,
                policy_arn=f"arn:{self._partition}:iam::aws:policy/{policy}",
                opts=self.opts,
            )
            for policy in policies
        ]
        return Output.all(role.arn, *(each.id for each in attached)).apply(lambda known: str(known[0]))

    @property
    def _partition(self) -> str:
        region = self.settings.region
        return "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"


def _image(machine: str) -> str:
    """The nodes' image: Graviton's families have a g after their number, as m7g.xlarge."""
    family = machine.partition(".")[0]
    return "AL2023_ARM_64_STANDARD" if "g" in family.lstrip("abcdefghijklmnopqrstuvwxyz") else "AL2023_x86_64_STANDARD"
