"""The clouds' kinds under Pulumi's mocks and their packages' own types: what is made, and that Kafka follows from it.

What needs a package is skipped where it is not installed; `make clouds` installs them.
"""

import importlib.util
import json
import sys
from typing import Any

import pytest
import yaml
from pulumi.runtime import mocks
from pulumi.runtime.rpc import _special_secret_sig, _special_sig_key

from components.kafka_cluster import KafkaCluster
from components.kafka_settings import Controllers, KafkaSettings, NodePool, Storage, on_cluster
from components.kinds.cloud import CloudSettings, node_pool
from components.kinds.eks import EksSettings
from components.refusal import UnsafeSettings
from components.settings import read_settings
from components.zoned_cluster import ZonedCluster
from policies.manifest import Doc, Manifest, manifest
from policies.readers.program import COMPONENTS
from policies.reading import read
from policies.rules import Outcome, Severity, examine
from policies.world import World
from tests.stack import ROOT
from tests.unit.mocks import Monitor, Recorder, registered

PACKAGES = {"eks": "pulumi_aws", "gke": "pulumi_gcp", "aks": "pulumi_azure"}
ID = "00000000-0000-0000-0000-00000000000a"
LEAST: dict[str, dict[str, Any]] = {
    "eks": {"kind": "eks", "zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"]},
    "gke": {"kind": "gke", "zones": ["europe-west1-b", "europe-west1-c", "europe-west1-d"], "project": "streams"},
    "aks": {
        "kind": "aks",
        "zones": ["westeurope-1", "westeurope-2", "westeurope-3"],
        "subscription": ID,
        "adminGroups": [ID],
    },
}
OPEN = {"apiRanges": ["192.0.2.0/24"]}
POOLS = {
    "eks": "aws:eks/nodeGroup:NodeGroup",
    "gke": "gcp:container/nodePool:NodePool",
    "aks": "azure:containerservice/kubernetesClusterNodePool:KubernetesClusterNodePool",
}
KIND = pytest.mark.parametrize("kind", PACKAGES)


def settings_of(kind: str, **more: Any) -> Any:
    return read_settings({"cluster": LEAST[kind] | OPEN | more}).cluster


def errors_of(kind: str, **more: Any) -> tuple[str, ...]:
    with pytest.raises(UnsafeSettings) as refusal:
        settings_of(kind, **more)
    return refusal.value.errors


class Cloud(Recorder):
    """Answers with what a cloud knows of its resources."""

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        identity, outputs = super().new_resource(args)
        return identity, outputs | {
            "aws:eks/cluster:Cluster": {
                "endpoint": "https://api",
                "certificateAuthority": {"data": "Q0E="},
                "vpcConfig": args.inputs.get("vpcConfig", {}) | {"clusterSecurityGroupId": "sg-1"},
            },
            "aws:iam/role:Role": {"arn": f"arn:{args.name}", "name": args.name},
            "gcp:container/cluster:Cluster": {"endpoint": "api", "masterAuth": {"clusterCaCertificate": "Q0E="}},
            "gcp:serviceaccount/account:Account": {"email": "nodes@streams"},
            "azure:containerservice/kubernetesCluster:KubernetesCluster": {
                "kubeConfigs": [{"host": "https://api", "clusterCaCertificate": "Q0E="}]
            },
        }.get(args.typ, {})

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        assert args.token == "aws:eks/getAddonVersion:getAddonVersion"
        return {**args.args, "version": f"of-{args.args['kubernetesVersion']}"}, []


class Made:
    """What a stack of a cloud's cluster, and Kafka on it, registers."""

    def __init__(self, kind: str, kafka: KafkaSettings, **more: Any) -> None:
        if importlib.util.find_spec(PACKAGES[kind]) is None:
            pytest.skip(f"{PACKAGES[kind]} is not installed: make clouds installs it")
        self.recorder = Cloud()
        monitor = Monitor(self.recorder)
        mocks.set_mocks(self.recorder, project="kafka-ha", stack="unit", monitor=monitor, organization="organization")
        settings = settings_of(kind, **more)
        self.clusters: list[ZonedCluster] = []

        def program() -> None:
            self.clusters.append(ZonedCluster("cluster", settings))
            KafkaCluster("kafka", kafka, self.clusters[0])

        self.found = registered(self.recorder, program)

    def of(self, typ: str) -> dict[str, dict[str, Any]]:
        return {name: args.inputs for name, args in self.found.items() if args.typ == typ}

    def one(self, typ: str) -> dict[str, Any]:
        (inputs,) = self.of(typ).values()
        return inputs

    def after(self, name: str) -> set[str]:
        return {urn.rpartition("::")[2] for urn in self.recorder.requests[name].dependencies}


DEDICATED = KafkaSettings(dedicated_controllers=Controllers())


@KIND
def test_kafka_is_put_on_the_nodes_and_the_disks_that_are_made_for_it(kind: str) -> None:
    made = Made(kind, DEDICATED)
    assert made.one("kubernetes:storage.k8s.io/v1:StorageClass") == {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "kafka-ssd"},
        "reclaimPolicy": "Retain",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
        **{
            "eks": {"provisioner": "ebs.csi.aws.com", "parameters": {"type": "gp3", "encrypted": "true"}},
            "gke": {"provisioner": "pd.csi.storage.gke.io", "parameters": {"type": "pd-ssd"}},
            "aks": {
                "provisioner": "disk.csi.azure.com",
                "parameters": {"skuName": "Premium_LRS", "cachingMode": "None"},
            },
        }[kind],
    }
    for name in ("kafka-brokers", "kafka-controllers"):
        spec = made.found[name].inputs["spec"]
        pod = spec["template"]["spec"]
        assert pod["nodeSelector"] == {"dedicated": "kafka"}
        taint = {"key": "dedicated", "operator": "Equal", "value": "kafka", "effect": "NoSchedule"}
        assert pod["tolerations"] == [taint]
        assert [claim["spec"]["storageClassName"] for claim in spec["volumeClaimTemplates"]] == ["kafka-ssd"]
        assert "cluster-storage-class" in made.after(name)
    assert "kafka-zones" not in made.found, "1.35 labels pods with their zone"


@KIND
def test_before_1_35_pods_read_their_zone_from_their_node(kind: str) -> None:
    assert "kafka-zones" in Made(kind, DEDICATED, version="1.34").found


@KIND
def test_each_zone_has_its_pools_and_they_are_upgraded_zone_by_zone(kind: str) -> None:
    made = Made(kind, DEDICATED, nodesPerZone=2)
    zones = LEAST[kind]["zones"]
    pools = made.of(POOLS[kind])
    for index, zone in enumerate(zones):
        pool = pools[f"cluster-kafka-{zone}"]
        where = {"eks": "subnetIds", "gke": "nodeLocations", "aks": "zones"}[kind]
        assert pool[where] == {"eks": [f"cluster-subnet-private-{zone}-id"], "gke": [zone], "aks": [zone[-1]]}[kind]
        if index:
            before = {f"cluster-kafka-{zones[index - 1]}"}
            assert before <= made.after(f"cluster-kafka-{zone}")
    system = {name for name in pools if "-system-" in name}
    first = set() if kind == "aks" else {f"cluster-system-{zones[0]}"}  # on AKS a part of the cluster itself
    assert system == first | {f"cluster-system-{zone}" for zone in zones[1:]}
    assert pools.keys() - system == {f"cluster-kafka-{zone}" for zone in zones}
    ready = made.after("cluster-kubernetes")
    assert pools.keys() <= ready, "nothing is put on a cluster without nodes"


def test_nodes_of_eks_wait_for_budgets() -> None:
    pool = Made("eks", DEDICATED, nodesPerZone=2).of(POOLS["eks"])["cluster-kafka-eu-west-1a"]
    assert pool["scalingConfig"] == {"minSize": 2, "desiredSize": 2, "maxSize": 3}
    assert pool["updateConfig"] == {"maxUnavailable": 1, "updateStrategy": "DEFAULT"}
    assert pool["forceUpdateVersion"] is False
    assert pool["labels"] == {"dedicated": "kafka"}
    assert pool["taints"] == [{"key": "dedicated", "value": "kafka", "effect": "NO_SCHEDULE"}]
    assert (pool["version"], pool["amiType"], pool["instanceTypes"]) == (
        "1.35",
        "AL2023_x86_64_STANDARD",
        ["m6i.xlarge"],
    )


@pytest.mark.parametrize(
    ("machine", "image"), [("m6i.xlarge", "x86_64"), ("m7g.large", "ARM_64"), ("g5.xlarge", "x86_64")]
)
def test_the_image_of_eks_fits_the_machine(machine: str, image: str) -> None:
    pool = Made("eks", DEDICATED, machine=machine).of(POOLS["eks"])["cluster-kafka-eu-west-1a"]
    assert pool["amiType"] == f"AL2023_{image}_STANDARD"


def test_nodes_of_gke_wait_for_budgets() -> None:
    pool = Made("gke", DEDICATED, nodesPerZone=2).of(POOLS["gke"])["cluster-kafka-europe-west1-b"]
    assert pool["nodeCount"] == 2
    assert pool["upgradeSettings"] == {"strategy": "SURGE", "maxSurge": 1, "maxUnavailable": 0}
    node = pool["nodeConfig"]
    assert node["labels"] == {"dedicated": "kafka"}
    assert node["taints"] == [{"key": "dedicated", "value": "kafka", "effect": "NO_SCHEDULE"}]
    assert node["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}
    assert node["serviceAccount"] == "nodes@streams"


def test_a_machine_of_gke_boots_from_a_disk_that_it_takes() -> None:
    made = Made("gke", DEDICATED, machine="c4-standard-4", volumeType="hyperdisk-balanced")
    pools = made.of(POOLS["gke"])
    assert pools["cluster-kafka-europe-west1-b"]["nodeConfig"]["diskType"] == "hyperdisk-balanced"
    assert pools["cluster-system-europe-west1-b"]["nodeConfig"]["diskType"] == "pd-balanced"
    parameters = made.one("kubernetes:storage.k8s.io/v1:StorageClass")["parameters"]
    assert parameters == {"type": "hyperdisk-balanced"}


def test_nodes_of_aks_wait_for_budgets() -> None:
    made = Made("aks", DEDICATED, nodesPerZone=2)
    pool = made.of(POOLS["aks"])["cluster-kafka-westeurope-1"]
    patient = {"maxSurge": "1", "drainTimeoutInMinutes": 60, "undrainableNodeBehavior": "Schedule"}
    assert (pool["nodeCount"], pool["mode"], pool["upgradeSettings"]) == (2, "User", patient)
    assert (pool["nodeLabels"], pool["nodeTaints"]) == ({"dedicated": "kafka"}, ["dedicated=kafka:NoSchedule"])
    assert len(pool["name"]) <= 12
    cluster = made.one("azure:containerservice/kubernetesCluster:KubernetesCluster")
    assert cluster["defaultNodePool"]["upgradeSettings"] == patient
    assert cluster["defaultNodePool"]["zones"] == ["1"]
    other = Made("aks", DEDICATED, machine="Standard_D8s_v5").of(POOLS["aks"])["cluster-kafka-westeurope-1"]
    assert other["name"] != pool["name"], "the new pool is there before the old one goes"


CLUSTERS = {
    "eks": "aws:eks/cluster:Cluster",
    "gke": "gcp:container/cluster:Cluster",
    "aks": "azure:containerservice/kubernetesCluster:KubernetesCluster",
}


def endpoint(kind: str, made: Made) -> tuple[bool, list[str]]:
    """Whether the API has a public address, and who may reach it."""
    cluster = made.one(CLUSTERS[kind])
    if kind == "eks":
        network = cluster["vpcConfig"]
        assert network["endpointPrivateAccess"] is True, "nodes stay within the network"
        return network["endpointPublicAccess"], network.get("publicAccessCidrs", [])
    if kind == "gke":
        blocks = cluster["masterAuthorizedNetworksConfig"]["cidrBlocks"]
        public = not cluster["privateClusterConfig"]["enablePrivateEndpoint"]
        return public, [block["cidrBlock"] for block in blocks]
    return not cluster["privateClusterEnabled"], cluster.get("apiServerAccessProfile", {}).get("authorizedIpRanges", [])


@KIND
def test_the_api_is_for_those_who_are_named_or_for_the_network_alone(kind: str) -> None:
    assert endpoint(kind, Made(kind, DEDICATED)) == (True, ["192.0.2.0/24"])
    assert endpoint(kind, Made(kind, DEDICATED, privateApi=True, apiRanges=[])) == (False, [])


def test_a_private_api_of_eks_lets_the_named_in_by_its_security_group() -> None:
    made = Made("eks", DEDICATED, privateApi=True)
    rule = made.one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert (rule["securityGroupId"], rule["cidrIpv4"], rule["fromPort"]) == ("sg-1", "192.0.2.0/24", 443)


@KIND
def test_the_kubeconfig_is_complete_secret_and_holds_no_credentials(kind: str) -> None:
    made = Made(kind, DEDICATED)
    sent = made.one("pulumi:providers:kubernetes")["kubeconfig"]
    assert sent[_special_sig_key] == _special_secret_sig
    config = json.loads(sent["value"])
    (cluster,) = config["clusters"]
    assert cluster["cluster"] == {"server": "https://api", "certificate-authority-data": "Q0E="}
    (user,) = config["users"]
    assert user["user"].keys() == {"exec"}
    login = user["user"]["exec"]
    assert login["command"] == {"eks": "aws", "gke": "gke-gcloud-auth-plugin", "aks": "kubelogin"}[kind]
    assert config["current-context"] == config["contexts"][0]["name"]


@KIND
def test_a_cluster_that_does_not_answer_is_not_taken_for_gone(kind: str) -> None:
    made = Made(kind, DEDICATED)
    provider = made.one("pulumi:providers:kubernetes")
    assert json.loads(provider["deleteUnreachable"]) is False
    assert provider["clusterIdentifier"].startswith(f"{kind}-")
    assert made.recorder.requests["kafka-brokers"].deletedWith.endswith(f"cluster-{kind}")


@KIND
def test_a_protected_cluster_is_protected(kind: str) -> None:
    made = Made(kind, DEDICATED, protect=True)
    assert made.recorder.requests[f"cluster-{kind}"].protect
    assert not Made(kind, DEDICATED).recorder.requests[f"cluster-{kind}"].protect
    if kind != "aks":
        assert made.one(CLUSTERS[kind])["deletionProtection"] is True


def test_pods_of_each_cloud_have_identities_of_their_own() -> None:
    eks = Made("eks", DEDICATED)
    addons = {inputs["addonName"]: (name, inputs) for name, inputs in eks.of("aws:eks/addon:Addon").items()}
    assert addons.keys() == {"kube-proxy", "eks-pod-identity-agent", "vpc-cni", "coredns", "aws-ebs-csi-driver"}
    name, driver = addons["aws-ebs-csi-driver"]
    assert driver["podIdentityAssociations"] == [
        {"roleArn": "arn:cluster-volumes", "serviceAccount": "ebs-csi-controller-sa"}
    ]
    assert driver["addonVersion"] == "of-1.35"
    assert {f"cluster-kafka-{zone}" for zone in LEAST["eks"]["zones"]} <= eks.after(name)
    trust = json.loads(eks.of("aws:iam/role:Role")["cluster-volumes"]["assumeRolePolicy"])
    assert trust["Statement"][0]["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert "cluster-vpc-cni" in eks.after("cluster-kafka-eu-west-1a"), "nodes need a network to be ready"

    gke = Made("gke", DEDICATED).one(CLUSTERS["gke"])
    assert gke["workloadIdentityConfig"] == {"workloadPool": "streams.svc.id.goog"}
    aks = Made("aks", DEDICATED).one(CLUSTERS["aks"])
    assert aks["oidcIssuerEnabled"] is aks["workloadIdentityEnabled"] is aks["localAccountDisabled"] is True


@pytest.mark.parametrize(("each", "gateways"), [(True, 3), (False, 1)])
def test_the_network_of_eks_keeps_zones_apart(each: bool, gateways: int) -> None:
    made = Made("eks", DEDICATED, natPerZone=each)
    assert len(made.of("aws:ec2/natGateway:NatGateway")) == gateways
    subnets = made.of("aws:ec2/subnet:Subnet")
    assert len({inputs["cidrBlock"] for inputs in subnets.values()}) == 6
    for zone in LEAST["eks"]["zones"]:
        assert subnets[f"cluster-subnet-private-{zone}"]["availabilityZone"] == zone


def test_a_network_of_yours_is_taken() -> None:
    zones = LEAST["eks"]["zones"]
    eks = Made("eks", DEDICATED, subnets={zone: f"subnet-{zone}" for zone in zones})
    assert not eks.of("aws:ec2/vpc:Vpc")
    assert eks.of(POOLS["eks"])["cluster-kafka-eu-west-1b"]["subnetIds"] == ["subnet-eu-west-1b"]
    gke = Made("gke", DEDICATED, ownNetwork={"network": "n", "subnetwork": "s"})
    assert not gke.of("gcp:compute/network:Network")
    assert (gke.one(CLUSTERS["gke"])["network"], gke.one(CLUSTERS["gke"])["subnetwork"]) == ("n", "s")
    aks = Made("aks", DEDICATED, subnet="/subnets/s")
    assert {pool["vnetSubnetId"] for pool in aks.of(POOLS["aks"]).values()} == {"/subnets/s"}
    assert "cluster-joins" in aks.after("cluster-aks")


PROD = {
    key.removeprefix("kafka-ha:"): value
    for key, value in yaml.safe_load((ROOT / "Pulumi.prod.yaml").read_text())["config"].items()
}


def test_production_has_dedicated_controllers_and_is_protected() -> None:
    """Also without a cloud's package."""
    settings = read_settings(PROD)
    assert settings.kafka.dedicated_controllers
    assert settings.kafka.protect
    assert isinstance(settings.cluster, CloudSettings)
    assert settings.cluster.protect


def test_production_fits_its_nodes() -> None:
    """A broker and a controller of each zone on one node, with what Kubernetes keeps of it for itself."""
    settings = read_settings(PROD)
    controllers = settings.kafka.dedicated_controllers
    assert isinstance(settings.cluster, EksSettings)
    assert controllers
    assert (settings.cluster.machine, settings.cluster.nodes_per_zone) == ("m6i.xlarge", 1)
    asked = (settings.kafka.resources, controllers.resources)
    assert sum(each.cpu.amount for each in asked) <= 3.5  # of 4
    assert sum(each.memory.amount for each in asked) <= 14 * 2**30  # of 16


@KIND
def test_what_is_on_it_passes_the_policies(kind: str) -> None:
    """As the pack sees it: every object that is registered for the cluster, with production's Kafka."""
    made = Made(kind, read_settings(PROD).kafka)
    objects = [inputs for args in made.found.values() if args.typ.startswith("kubernetes:") if (inputs := args.inputs)]
    component = Manifest(COMPONENTS, "KafkaCluster", Doc(made.found["kafka"].inputs))
    (facts,) = read(World([*(manifest(one) for one in objects), component]))
    found = examine(facts)
    assert [str(one) for one in found if one.severity is Severity.ERROR and one.outcome is not Outcome.UNDECIDED] == []
    assert "combined-mode" not in {one.rule for one in found}


# What needs no package.


@KIND
def test_the_region_follows_from_the_zones(kind: str) -> None:
    region = {"eks": "eu-west-1", "gke": "europe-west1", "aks": "westeurope"}[kind]
    assert settings_of(kind).region == region


class Hidden:
    """A finder that finds no package of this name, as where it is not installed."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] == self._package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=self._package)


@KIND
def test_a_package_that_is_not_installed_is_named_with_its_cure(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith((PACKAGES[kind], f"components.clouds.{kind}"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Hidden(PACKAGES[kind]), *sys.meta_path])
    refused: list[str] = []

    def program() -> None:
        with pytest.raises(UnsafeSettings) as refusal:
            ZonedCluster("cluster", settings_of(kind))
        refused.extend(refusal.value.errors)

    registered(Recorder.installed(), program)
    (message,) = refused
    assert message.startswith(f"kafka-ha:cluster.kind: got {kind}, but its package {PACKAGES[kind]} is not installed.")
    assert f".venv/bin/pip install -r requirements-{kind}.txt" in message


@pytest.mark.parametrize(
    ("kind", "more", "message"),
    [
        ("eks", {"zones": ["zone-a"]}, "cluster.zones: got ['zone-a'], but zone-a is no zone of this cloud: one is"),
        ("gke", {"zones": ["eu-west-1a"]}, "is written such as europe-west1-b"),
        ("aks", {"zones": ["1", "2", "3"]}, "cluster.zones[0]"),
        ("eks", {"zones": ["eu-west-1a", "eu-west-2b"]}, "all zones must be of one region"),
        ("gke", {"zones": None}, "cluster.zones: got None"),
        ("eks", {"apiRanges": []}, "cluster.apiRanges: got [], but the ranges that may reach the API must be named"),
        ("eks", {"apiRanges": ["192.0.2.1/24"]}, "a range is written such as 203.0.113.0/24"),
        ("aks", {"privateApi": True}, "none is taken for a private API"),
        ("eks", {"version": 1.35}, "cluster.version: got 1.35, but it must be in quotes"),
        ("gke", {"version": "1.28"}, "1.29 or later (sidecar containers)"),
        ("eks", {"network": "10.0.0.0/24"}, "a mask from /16, the most that AWS takes, to /20 is needed"),
        ("eks", {"subnets": {"eu-west-1a": "subnet-1"}}, "there must be one for each of the zones eu-west-1a, eu-west"),
        (
            "gke",
            {"machine": "c4-standard-4"},
            "cluster.volumeType: got 'pd-ssd', but c4-standard-4 takes hyperdisk-bal",
        ),
        ("gke", {"project": None}, "cluster.project: got None"),
        ("aks", {"adminGroups": []}, "cluster.adminGroups: got []"),
        ("aks", {"machin": "x"}, "cluster.machin: unknown key"),
        ("gke", {"ownNetwork": {"network": "n"}}, "cluster.ownNetwork.subnetwork: got nothing, but it is needed"),
    ],
)
def test_a_wrong_setting_is_told(kind: str, more: dict[str, Any], message: str) -> None:
    errors = errors_of(kind, **more)
    assert [error for error in errors if error.startswith("kafka-ha:cluster.") and message in error], errors


@KIND
def test_who_may_reach_the_api_is_asked_for(kind: str) -> None:
    with pytest.raises(UnsafeSettings) as refusal:
        read_settings({"cluster": LEAST[kind]})
    (error,) = refusal.value.errors
    assert error.startswith("kafka-ha:cluster.apiRanges: got nothing, but the ranges that may reach the API must be")
    assert error.endswith("Set it: pulumi config set --path 'kafka-ha:cluster.apiRanges' VALUE")


def test_what_the_settings_name_themselves_is_theirs() -> None:
    own = KafkaSettings(
        storage=Storage(storage_class="mine"),
        dedicated_controllers=Controllers(),
        node_pool=NodePool(node_selector={"pool": "mine"}, priority_class="high"),
    )
    found = on_cluster(own, node_pool(), "kafka-ssd")
    assert found.storage.storage_class == "mine"
    assert found.dedicated_controllers
    assert found.dedicated_controllers.storage.storage_class == "kafka-ssd"
    assert found.node_pool.node_selector == {"pool": "mine"}
    assert (found.node_pool.tolerations, found.node_pool.priority_class) == (node_pool().tolerations, "high")
    assert on_cluster(own, None, None) == own
