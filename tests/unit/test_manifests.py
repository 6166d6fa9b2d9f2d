"""The manifests as plain data, each field of them, for every way in which a cluster can be set."""

import re
from pathlib import Path
from typing import Any

import pytest

from components import manifests
from components.checker.environment import Environment
from components.kafka_plan import KafkaPlan, NodesPlan, plan_kafka
from components.kafka_settings import KafkaSettings

ZONES = ("a", "b", "c")
DEDICATED: dict[str, Any] = {"dedicatedControllers": {}}
VARIANTS: dict[str, dict[str, Any]] = {
    "combined": {},
    "dedicated": DEDICATED,
    "tolerant": DEDICATED | {"faultTolerance": 2},
    "jbod": {"storage": {"volumes": 2}},
    "secured": DEDICATED | {"security": {}},
}
SELECTED = {"app.kubernetes.io/name": "kafka", "app.kubernetes.io/instance": "kafka"}


def plan(zones: tuple[str, ...] = ZONES, *, labelled: bool = False, **settings: Any) -> KafkaPlan:
    return plan_kafka(KafkaSettings.model_validate(settings), zones, "test", pods_know_their_zone=labelled)


def pod(kafka: KafkaPlan, nodes: NodesPlan | None = None) -> Any:
    return manifests.stateful_set(kafka, nodes or kafka.brokers)["spec"]["template"]["spec"]


def containers(kafka: KafkaPlan, nodes: NodesPlan | None = None) -> dict[str, Any]:
    """All containers of a pod by name, init containers too."""
    spec = pod(kafka, nodes)
    return {one["name"]: one for one in (*spec["initContainers"], *spec["containers"])}


def environment(container: Any) -> dict[str, str]:
    """Variables and values; those that the kubelet fills in by the path of the field, or by the ConfigMap and key."""

    def told(one: Any) -> str:
        if "value" in one:
            return str(one["value"])
        if key := one["valueFrom"].get("configMapKeyRef"):
            assert key["optional"] is True
            return f"{key['name']}/{key['key']}"
        return str(one["valueFrom"]["fieldRef"]["fieldPath"])

    return {one["name"]: told(one) for one in container["env"]}


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> KafkaPlan:
    return plan(**VARIANTS[request.param])


def test_a_group_selects_its_own_pods_and_no_others(variant: KafkaPlan) -> None:
    labels = []
    for nodes in variant.groups:
        stateful_set = manifests.stateful_set(variant, nodes)["spec"]
        selected = stateful_set["template"]["metadata"]["labels"]
        assert selected == {**SELECTED, "app.kubernetes.io/component": nodes.component}
        assert stateful_set["selector"] == {"matchLabels": selected}
        assert manifests.service(variant, nodes)["spec"]["selector"] == selected
        assert manifests.disruption_budget(variant, nodes)["spec"]["selector"] == {"matchLabels": selected}
        for constraint in stateful_set["template"]["spec"]["topologySpreadConstraints"]:
            assert constraint["labelSelector"] == {"matchLabels": selected}
        labels.append(selected)
    assert len({one["app.kubernetes.io/component"] for one in labels}) == len(labels)


def test_each_object_has_its_name_namespace_and_labels() -> None:
    kafka = plan(name="events", namespace="streams", **DEDICATED)
    labels = SELECTED | {"app.kubernetes.io/instance": "events"}
    of_all = {
        "events": (manifests.service_account, manifests.role, manifests.role_binding),
        "events-checker": (manifests.checker_config_map,),
        "events-client": (manifests.client_config_map,),
        "events-marks": (manifests.marks_config_map,),
    }
    for name, makers in of_all.items():
        for make in makers:
            assert make(kafka)["metadata"] == {"name": name, "namespace": "streams", "labels": labels}
    for nodes, name in ((kafka.brokers, "events"), (kafka.controllers, "events-controller")):
        own = labels | {"app.kubernetes.io/component": nodes.component}
        makers_of_nodes = {
            name: (manifests.stateful_set, manifests.disruption_budget),
            f"{name}-svc": (manifests.service,),
            f"{name}-config": (manifests.config_map,),
        }
        for expected, by_nodes in makers_of_nodes.items():
            for make_nodes in by_nodes:
                found = make_nodes(kafka, nodes)["metadata"]
                assert found == {"name": expected, "namespace": "streams", "labels": own}


def test_the_namespace_admits_restricted_pods_alone() -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    assert manifests.namespace(plan(namespace="streams")) == {"metadata": {"name": "streams", "labels": labels}}


@pytest.mark.parametrize(
    ("component", "ports"),
    [
        ("broker", [{"name": "client", "port": 9092}]),
        ("controller", [{"name": "controller", "port": 9093}]),
        ("both", [{"name": "client", "port": 9092}, {"name": "controller", "port": 9093}]),
    ],
)
def test_services_give_each_node_its_address_before_it_is_ready(component: str, ports: list[Any]) -> None:
    kafka = plan(**({} if component == "both" else DEDICATED))
    nodes = kafka.controllers if component == "controller" else kafka.brokers
    spec = manifests.service(kafka, nodes)["spec"]
    assert (spec["clusterIP"], spec["publishNotReadyAddresses"], spec["ports"]) == ("None", True, ports)
    for pod, address in zip(nodes.pods, nodes.addresses(nodes.listeners[-1]), strict=True):
        service = manifests.node_service(kafka, nodes, pod)
        assert address == f"{service['metadata']['name']}.kafka.svc.cluster.local:{ports[-1]['port']}"
        assert "clusterIP" not in service["spec"], "an address of its own, which stays"
        assert (service["spec"]["publishNotReadyAddresses"], service["spec"]["ports"]) == (True, ports)
        one = {"statefulset.kubernetes.io/pod-name": pod}
        assert service["spec"]["selector"] == manifests.labels(kafka, nodes) | one
    assert manifests.stateful_set(kafka, nodes)["spec"]["serviceName"] == nodes.service
    container = containers(kafka, nodes)["kafka"]
    assert container["ports"] == [{"name": one["name"], "containerPort": one["port"]} for one in ports]


@pytest.mark.parametrize(
    ("settings", "budgets"),
    [
        ({}, {"kafka": 1}),
        ({"brokers": 5, "replicationFactor": 5}, {"kafka": 1}),
        ({"brokers": 5, "replicationFactor": 4, "maxUnavailable": 2}, {"kafka": 2}),
        (DEDICATED, {"kafka-controller": 1, "kafka": 1}),
        (DEDICATED | {"faultTolerance": 2, "maxUnavailable": 2}, {"kafka-controller": 1, "kafka": 2}),
        (DEDICATED | {"controllers": 7}, {"kafka-controller": 2, "kafka": 1}),
    ],
)
def test_a_budget_follows_what_its_group_tolerates(settings: dict[str, Any], budgets: dict[str, int]) -> None:
    kafka = plan(**settings)
    found = [manifests.disruption_budget(kafka, nodes) for nodes in kafka.groups]
    assert {one["metadata"]["name"]: one["spec"]["maxUnavailable"] for one in found} == budgets
    assert {one["spec"]["unhealthyPodEvictionPolicy"] for one in found} == {"IfHealthyBudget"}


def test_the_config_maps_are_the_plans_files(variant: KafkaPlan) -> None:
    for nodes in variant.groups:
        assert manifests.config_map(variant, nodes)["data"] == variant.files(nodes)
    assert manifests.checker_config_map(variant)["data"] == variant.checker
    versions = [manifests.config_map(plan(metadataVersion="4.2"), nodes)["data"] for nodes in variant.groups]
    assert {one["metadata-version"] for one in versions} == {"4.2"}, "of a new cluster"
    client = manifests.client_config_map(variant)["data"]["client.properties"]
    assert client == f"bootstrap.servers={variant.bootstrap}\n{variant.client_properties}"
    assert "data" not in manifests.marks_config_map(variant), "the nodes write it"


def test_the_role_is_what_marks_and_turns_need() -> None:
    sets = ["kafka-controller", "kafka"]
    assert manifests.role(plan(**DEDICATED))["rules"] == [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "patch"], "resourceNames": ["kafka-marks"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "verbs": ["get", "update"],
            "resourceNames": ["kafka-stop"],
        },
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},  # it has no name yet
        {"apiGroups": ["apps"], "resources": ["statefulsets"], "verbs": ["get"], "resourceNames": sets},
    ]
    assert manifests.role(plan())["rules"][3]["resourceNames"] == ["kafka"]


def test_the_account_has_the_role_and_no_token_by_itself() -> None:
    kafka = plan(namespace="streams")
    assert manifests.service_account(kafka)["automountServiceAccountToken"] is False
    subjects = [{"kind": "ServiceAccount", "name": "kafka", "namespace": "streams"}]
    reference = {"apiGroup": "rbac.authorization.k8s.io"}
    binding = manifests.role_binding(kafka)
    assert (binding["subjects"], binding["roleRef"]) == (subjects, reference | {"kind": "Role", "name": "kafka"})
    zones = {"name": "streams-kafka-zones", "labels": SELECTED}
    rules = [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get"]}]
    assert manifests.zone_reader(kafka) == {"metadata": zones, "rules": rules}
    assert manifests.zone_reader_binding(kafka) == {
        "metadata": zones,
        "subjects": subjects,
        "roleRef": reference | {"kind": "ClusterRole", "name": "streams-kafka-zones"},
    }


def test_the_token_is_where_the_api_is_asked_and_not_in_kafkas_container(variant: KafkaPlan) -> None:
    for nodes in variant.groups:
        spec = pod(variant, nodes)
        assert (spec["serviceAccountName"], spec["automountServiceAccountToken"]) == ("kafka", False)
        mounted = {
            name: [one["mountPath"] for one in container["volumeMounts"] if one["name"] == "account"]
            for name, container in containers(variant, nodes).items()
        }
        path = "/var/run/secrets/kubernetes.io/serviceaccount"
        assert mounted == {"prepare": [path], "checker": [path], "kafka": []}


def test_the_volumes(variant: KafkaPlan) -> None:
    for nodes in variant.groups:
        account = [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        ]
        tls = {"secretName": "kafka-tls", "defaultMode": 0o440}
        assert pod(variant, nodes)["volumes"] == [
            {"name": "config", "configMap": {"name": f"{nodes.name}-config"}},
            {"name": "checker", "configMap": {"name": "kafka-checker"}},
            {"name": "tmp", "emptyDir": {}},
            {"name": "run", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
            {"name": "account", "projected": {"sources": account}},
            *([{"name": "tls", "secret": tls}] if variant.settings.security else []),
        ]


@pytest.mark.parametrize("volumes", [1, 2])
def test_each_claim_is_mounted_and_only_the_checker_can_not_write_to_it(volumes: int) -> None:
    kafka = plan(storage={"volumes": volumes})
    data = [("data", "/var/lib/kafka/data"), ("data-1", "/var/lib/kafka/data-1")][:volumes]
    claims = manifests.stateful_set(kafka, kafka.brokers)["spec"]["volumeClaimTemplates"]
    assert [one["metadata"]["name"] for one in claims] == [name for name, _ in data]

    def mounts(container: str) -> set[tuple[str, str, bool]]:
        found = containers(kafka)[container]["volumeMounts"]
        return {(one["name"], one["mountPath"], one.get("readOnly", False)) for one in found}

    writable = {(name, path, False) for name, path in data}
    account = ("account", "/var/run/secrets/kubernetes.io/serviceaccount", True)
    program = ("checker", "/opt/kafka-ha/checker", True)
    run = ("run", "/run/kafka-ha", False)
    assert mounts("kafka") == writable | {run, ("config", "/etc/kafka-ha", True), ("tmp", "/tmp", False)}
    assert mounts("prepare") == writable | {run, account, program}
    assert mounts("checker") == {(name, path, True) for name, path in data} | {run, account, program}


def test_the_claims_outlive_the_stateful_set() -> None:
    kafka = plan(storage={"size": "5Gi", "storageClass": "fast"}, **DEDICATED)
    spec = manifests.stateful_set(kafka, kafka.brokers)["spec"]
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    [claim] = spec["volumeClaimTemplates"]
    requests = {"resources": {"requests": {"storage": "5Gi"}}}
    assert claim["spec"] == {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast"} | requests
    [claim] = manifests.stateful_set(kafka, kafka.controllers)["spec"]["volumeClaimTemplates"]
    requests = {"resources": {"requests": {"storage": "5Gi"}}}
    assert claim["spec"] == {"accessModes": ["ReadWriteOnce"]} | requests, "the cluster's own class"


@pytest.mark.parametrize(
    ("zones", "settings", "domains"),
    [
        (ZONES, {"brokers": 5}, (3,)),
        (("a", "b", "c", "d"), {}, (3,)),
        (("a", "b", "c", "d"), DEDICATED | {"brokers": 6}, (3, 4)),
        (ZONES, DEDICATED | {"faultTolerance": 2}, (3, 3)),
    ],
)
def test_each_group_is_spread_over_zones_and_hosts(
    zones: tuple[str, ...], settings: dict[str, Any], domains: tuple[int, ...]
) -> None:
    kafka = plan(zones, **settings)
    for nodes, minimum in zip(kafka.groups, domains, strict=True):
        over_zones, over_hosts = pod(kafka, nodes)["topologySpreadConstraints"]
        assert (over_zones["topologyKey"], over_zones["minDomains"]) == ("topology.kubernetes.io/zone", minimum)
        assert over_hosts["topologyKey"] == "kubernetes.io/hostname"
        assert "minDomains" not in over_hosts
        for constraint in (over_zones, over_hosts):
            assert (constraint["maxSkew"], constraint["whenUnsatisfiable"]) == (1, "DoNotSchedule")


def test_the_stateful_set_starts_all_and_rolls_one_by_one(variant: KafkaPlan) -> None:
    for nodes in variant.groups:
        spec = manifests.stateful_set(variant, nodes)["spec"]
        assert (spec["replicas"], spec["podManagementPolicy"]) == (nodes.replicas, "Parallel")
        assert spec["updateStrategy"] == {"type": "RollingUpdate"}
        annotations = {"kafka-ha/config-checksum": variant.checksum(nodes)}
        assert spec["template"]["metadata"]["annotations"] == annotations


def test_a_changed_setting_changes_the_pod_template_only_by_its_checksum() -> None:
    before, after = plan(), plan(properties={"queued.max.requests": "400"})
    sets = [manifests.stateful_set(one, one.brokers) for one in (before, after)]
    first, second = (one["spec"]["template"]["metadata"].pop("annotations") for one in sets)
    assert first != second
    assert sets[0] == sets[1]


@pytest.mark.parametrize("settings", [{"properties": {"num.io.threads": "4"}}, {"metadataVersion": "4.2"}])
def test_what_kafka_changes_at_run_time_does_not_change_the_pod_template(settings: dict[str, Any]) -> None:
    sets = [manifests.stateful_set(one, one.brokers) for one in (plan(), plan(**settings))]
    assert sets[0] == sets[1]


def test_every_container_keeps_to_the_restricted_standard(variant: KafkaPlan) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, and a read-only root."""
    for nodes in variant.groups:
        assert pod(variant, nodes)["securityContext"] == {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "runAsGroup": 1000,
            "fsGroup": 1000,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
            # Of those that the standard allows from Kubernetes 1.29 on.
            "sysctls": [
                {"name": "net.ipv4.tcp_keepalive_time", "value": "5"},
                {"name": "net.ipv4.tcp_keepalive_intvl", "value": "1"},
                {"name": "net.ipv4.tcp_keepalive_probes", "value": "3"},
            ],
        }
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod(variant, nodes))
        allowed = {"configMap", "emptyDir", "projected", "secret"}  # and claims, which are templates
        assert {key for one in pod(variant, nodes)["volumes"] for key in one} <= allowed | {"name"}
        assert set(containers(variant, nodes)) == {"prepare", "checker", "kafka"}
        for container in containers(variant, nodes).values():
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert not any("hostPort" in port for port in container.get("ports", ()))


def test_a_pod_has_no_field_that_no_test_names(variant: KafkaPlan) -> None:
    of_pods = {"serviceAccountName", "automountServiceAccountToken", "terminationGracePeriodSeconds", "dnsConfig"}
    of_pods |= {"enableServiceLinks", "topologySpreadConstraints", "securityContext", "volumes"}
    common = {"name", "image", "imagePullPolicy", "command", "env", "resources", "securityContext", "volumeMounts"}
    of_containers = {
        "prepare": common | {"terminationMessagePolicy"},
        "checker": common | {"terminationMessagePolicy", "restartPolicy"},
        "kafka": common | {"ports", "startupProbe", "readinessProbe", "lifecycle"},
    }
    for nodes in variant.groups:
        spec = pod(variant, nodes)
        assert set(spec) == of_pods | {"initContainers", "containers"}
        assert {name: set(one) for name, one in containers(variant, nodes).items()} == of_containers
        options = [{"name": "timeout", "value": "1"}, {"name": "attempts", "value": "3"}]
        assert (spec["enableServiceLinks"], spec["dnsConfig"]) == (False, {"options": options})


def test_the_node_pool_is_every_groups() -> None:
    tolerations = [
        {"key": "kafka", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30},
        {"key": "team", "operator": "Equal", "value": "data"},
    ]
    pool = {"nodeSelector": {"pool": "kafka"}, "tolerations": tolerations, "priorityClass": "high"}
    kafka = plan(nodePool=pool, **DEDICATED)
    for nodes in kafka.groups:
        spec = pod(kafka, nodes)
        assert (spec["nodeSelector"], spec["tolerations"]) == ({"pool": "kafka"}, tolerations)
        assert spec["priorityClassName"] == "high"


def test_the_containers_images_and_commands() -> None:
    kafka = plan(image="registry.example/kafka:4.3.1", checkerImage="registry.example/python:3.13.2")
    found = {name: (one["image"], one["command"]) for name, one in containers(kafka).items()}
    checker = "registry.example/python:3.13.2"
    assert found == {
        "prepare": (checker, ["python3", "-m", "checker.prepare"]),
        "checker": (checker, ["python3", "-m", "checker"]),
        "kafka": ("registry.example/kafka:4.3.1", ["bash", "/etc/kafka-ha/start.sh"]),
    }
    assert {one["imagePullPolicy"] for one in containers(kafka).values()} == {"IfNotPresent"}
    assert [one["name"] for one in pod(kafka)["initContainers"]] == ["prepare", "checker"]
    policies = {name: one.get("restartPolicy") for name, one in containers(kafka).items()}
    assert policies == {"prepare": None, "checker": "Always", "kafka": None}, "a sidecar outlives Kafka"
    messages = {name: one.get("terminationMessagePolicy") for name, one in containers(kafka).items()}
    assert messages == {"prepare": "FallbackToLogsOnError", "checker": "FallbackToLogsOnError", "kafka": None}


@pytest.mark.parametrize(("settings", "port"), [({}, 9093), (DEDICATED, 9092)])
def test_the_probes_and_the_hook_of_stops(settings: dict[str, Any], port: int) -> None:
    kafka = plan(startupTimeout="30m", **settings)
    container = containers(kafka)["kafka"]
    assert container["startupProbe"] == {"tcpSocket": {"port": port}, "periodSeconds": 2, "failureThreshold": 900}
    assert container["readinessProbe"] == {
        "httpGet": {"path": "/ready", "port": int(environment(containers(kafka)["checker"])["HEALTH_PORT"])},
        "periodSeconds": 2,
        "timeoutSeconds": 2,
        "failureThreshold": 2,
    }
    assert "livenessProbe" not in container, "a restart helps no node that waits for its quorum"
    assert container["lifecycle"] == {"preStop": {"exec": {"command": ["bash", "/etc/kafka-ha/stop.sh"]}}}
    for other in ("prepare", "checker"):
        assert not [field for field in containers(kafka)[other] if "Probe" in field or field == "lifecycle"]


def test_the_sizes_are_each_groups_own() -> None:
    resources = {"cpu": "2", "memory": "4Gi", "heap": "2Gi"}
    kafka = plan(resources=resources, dedicatedControllers={"resources": {"memory": "700Mi", "heap": "300Mi"}})
    sizes = {"kafka": ("2", "4Gi", "2048m"), "kafka-controller": ("250m", "700Mi", "300m")}
    for nodes in kafka.groups:
        cpu, memory, heap = sizes[nodes.name]
        container = containers(kafka, nodes)["kafka"]
        assert container["resources"] == {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": memory}}
        assert environment(container)["HEAP"] == heap
        light = {"requests": {"cpu": "10m", "memory": "20Mi"}, "limits": {"memory": "64Mi"}}
        for name in ("prepare", "checker"):
            assert containers(kafka, nodes)[name]["resources"] == light


def test_kafkas_container_is_told_what_the_start_script_needs() -> None:
    kafka = plan(jvmOptions="-XX:+UseZGC", terminationGracePeriod="2m", **DEDICATED)
    assert environment(containers(kafka, kafka.controllers)["kafka"]) == {
        "POD": "metadata.name",
        "DOMAIN": "kafka.svc.cluster.local",
        "LISTENERS": "CONTROLLER:9093",
        "DISKS": "/var/lib/kafka/data",
        "LOG_FOLDER": "kraft",
        "CLUSTER_ID": kafka.cluster_id,
        "METADATA_VERSION": "kafka-controller-config/metadata-version",
        "HEAP": "512m",
        "JVM_OPTIONS": "-XX:+UseZGC",
        "GRACE_PERIOD": "120",
    }
    assert pod(kafka)["terminationGracePeriodSeconds"] == 120
    assert environment(containers(plan())["kafka"])["LISTENERS"] == "PLAINTEXT:9092 CONTROLLER:9093"
    assert environment(containers(plan(storage={"volumes": 2}))["kafka"])["DISKS"].split()[1] == "/var/lib/kafka/data-1"


def test_the_scripts_use_no_variable_that_nobody_sets() -> None:
    kafka = plan(security={"external": {"hosts": "kafka-{id}.example.com"}})
    scripts = "".join(text for name, text in kafka.files(kafka.brokers).items() if name.endswith(".sh"))
    used = set(re.findall(r"\$\{?([A-Z_]{3,})", scripts)) - set(re.findall(r"([A-Z_]+)=", scripts))
    assert used
    assert used <= set(environment(containers(kafka)["kafka"]))


def test_the_checker_reads_what_the_pod_tells() -> None:
    kafka = plan(minInsyncReplicas=3, replicationFactor=4, terminationGracePeriod="2m", **DEDICATED, brokers=6)
    assert containers(kafka)["prepare"]["env"] == containers(kafka)["checker"]["env"]
    values = environment(containers(kafka, kafka.controllers)["checker"])
    assert values["POD"] == "metadata.name"
    assert values["NODE_NAME"] == "spec.nodeName"
    found = Environment.read(values | {"POD": "kafka-controller-2", "NODE_NAME": "node-7"})
    assert (found.node.id, found.node.broker, found.node.controller, found.node.min_isr) == (1002, False, True, 3)
    assert (found.namespace, found.stateful_set, found.kubernetes_node) == ("kafka", "kafka-controller", "node-7")
    assert (found.marks, found.lease, found.cluster_id) == ("kafka-marks", "kafka-stop", kafka.cluster_id)
    assert found.voters == ",".join(kafka.voters)
    others = [address.replace(":", ".:") for address in kafka.quorum[:2]]
    assert [f"{host}:{port}" for host, port in found.controllers] == [*others, "127.0.0.1:9093"]
    assert (found.zone, found.zones, found.grace_period) == ("", ZONES, 120.0)
    assert (found.broker_port, found.health_port, found.run) == (9092, 9094, Path("/run/kafka-ha"))
    assert found.logs == Path("/var/lib/kafka/data/kraft")
    broker = Environment.read(environment(containers(kafka)["checker"]) | {"POD": "kafka-5"})
    assert (broker.node.id, broker.node.broker, broker.node.controller) == (5, True, False)
    assert (broker.controllers[:2], broker.disks) == (found.controllers[:2], found.disks)


def test_the_checkers_python_finds_its_program_and_is_small() -> None:
    checker = containers(plan())["checker"]
    values = environment(checker)
    (mount,) = (one["mountPath"] for one in checker["volumeMounts"] if one["name"] == "checker")
    assert f"{values['PYTHONPATH']}/{checker['command'][2]}" == mount, "python3 -m checker"
    assert (values["PYTHONDONTWRITEBYTECODE"], values["MALLOC_ARENA_MAX"]) == ("1", "1")


@pytest.mark.parametrize("labelled", [True, False])
def test_the_zone_is_told_where_kubernetes_labels_pods_with_it(labelled: bool) -> None:
    kafka = plan(labelled=labelled)
    for name in ("prepare", "checker"):
        told = environment(containers(kafka)[name]).get("ZONE")
        assert told == ("metadata.labels['topology.kubernetes.io/zone']" if labelled else None)
