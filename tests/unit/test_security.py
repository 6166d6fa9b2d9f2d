"""A secured cluster: its listeners, its settings, its manifests, and what is made of them."""

from typing import Any

import pytest

from components import manifests
from components.kafka_cluster import KafkaCluster
from components.kafka_plan import KafkaPlan, plan_kafka
from components.kafka_security import switched
from components.kafka_settings import KafkaSettings
from components.kinds.kwok import KwokSettings
from components.prerequisites import rights
from components.refusal import UnsafeSettings
from components.settings import read_settings
from components.zoned_cluster import ZonedCluster
from drills.pods.manifests import LABELS
from tests.unit.mocks import Recorder, registered

ZONES = ("a", "b", "c")
BROKER = "kafka-0.kafka.svc.cluster.local"


def plan(**settings: Any) -> KafkaPlan:
    return plan_kafka(KafkaSettings.model_validate({"security": {}} | settings), ZONES, "test")


def properties(kafka: KafkaPlan, file: str = "server.properties") -> dict[str, str]:
    return dict(line.split("=", 1) for line in kafka.files(kafka.brokers)[file].splitlines())


def refusal(**kafka: Any) -> str:
    cluster = {"kind": "kwok", "zones": list(ZONES)}
    with pytest.raises(UnsafeSettings) as refused:
        read_settings({"cluster": cluster, "kafka": kafka})
    return str(refused.value)


def test_nodes_know_each_other_by_certificate_and_clients_log_in() -> None:
    found = properties(plan())
    assert found["listeners"] == "CLIENTS://:9092,INTERNAL://:9091,CONTROLLER://:9093"
    assert found["listener.security.protocol.map"] == "CLIENTS:SASL_SSL,CONTROLLER:SSL,INTERNAL:SSL"
    assert (found["inter.broker.listener.name"], found["controller.listener.names"]) == ("INTERNAL", "CONTROLLER")
    assert found["listener.name.internal.ssl.client.auth"] == "required"
    assert found["listener.name.controller.ssl.client.auth"] == "required"
    assert found["listener.name.clients.sasl.enabled.mechanisms"] == "SCRAM-SHA-512"
    assert found["authorizer.class.name"] == "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
    assert found["super.users"] == "User:CN=kafka-node"
    assert "allow.everyone.if.no.acl.found" not in found, "by default nobody may do what no ACL allows"
    assert "PLAINTEXT" not in "".join(found.values())


def test_without_security_no_file_says_a_word_of_it() -> None:
    kafka = plan(security=None)
    assert "tools.properties" not in kafka.files(kafka.brokers)
    assert not {key for key in properties(kafka) if key.startswith(("ssl.", "sasl.", "listener.name."))}
    assert "sasl" not in kafka.client_properties
    assert not manifests.is_secured(_pod(kafka)["volumes"])


def test_clients_get_their_addresses_and_tools_the_nodes_own() -> None:
    kafka = plan()
    assert kafka.bootstrap.startswith(f"{BROKER}:9092,")
    assert kafka.tools_bootstrap.startswith(f"{BROKER}:9091,")
    assert "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n" in kafka.client_properties
    assert properties(kafka, "tools.properties")["ssl.keystore.location"] == "/run/kafka-ha/node.pem"


def _pod(kafka: KafkaPlan) -> Any:
    return manifests.stateful_set(kafka, kafka.brokers)["spec"]["template"]["spec"]


def test_kafka_and_its_checker_have_the_certificate_and_prepare_has_not() -> None:
    pod = _pod(plan())
    assert {"name": "tls", "secret": {"secretName": "kafka-tls", "defaultMode": 0o440}} in pod["volumes"]
    mounts = {one["name"]: one["volumeMounts"] for one in (*pod["initContainers"], *pod["containers"])}
    having = {name for name, found in mounts.items() if any(one["mountPath"] == "/etc/kafka-tls" for one in found)}
    assert having == {"kafka", "checker"}
    ports = [(port["name"], port["containerPort"]) for port in pod["containers"][0]["ports"]]
    assert ports == [("client", 9092), ("internal", 9091), ("controller", 9093)]
    assert pod["containers"][0]["startupProbe"]["tcpSocket"]["port"] == 9093


def test_only_kafkas_own_pods_come_to_the_listeners_of_brokers_and_controllers() -> None:
    spec = manifests.network_policy(plan())["spec"]
    assert spec["policyTypes"] == ["Ingress"]
    open_to_all, inside = spec["ingress"]
    assert [port["port"] for port in open_to_all["ports"]] == [9092, 9094, 9404]
    assert "from" not in open_to_all
    assert [port["port"] for port in inside["ports"]] == [9091, 9093]
    assert inside["from"] == [{"podSelector": spec["podSelector"]}, {"podSelector": {"matchLabels": dict(LABELS)}}]


OUTSIDE = {"external": {"hosts": "kafka-{id}.example.com", "annotations": {"dns": "kafka-{id}.example.com"}}}
PORTS = {"external": {"hosts": "b{id}.example.com", "service": "NodePort", "nodePort": 31000}}


def test_clients_outside_have_a_listener_of_brokers_with_an_address_for_each() -> None:
    kafka = plan(security=OUTSIDE, dedicatedControllers={})
    found = properties(kafka)
    assert found["listeners"] == "CLIENTS://:9092,INTERNAL://:9091,EXTERNAL://:9095"
    assert "EXTERNAL:SASL_SSL" in found["listener.security.protocol.map"]
    assert found["listener.name.external.sasl.enabled.mechanisms"] == "SCRAM-SHA-512"
    controllers = dict(line.split("=", 1) for line in kafka.files(kafka.controllers)["server.properties"].splitlines())
    assert controllers["listeners"] == "CONTROLLER://:9093"
    assert list(kafka.external.values()) == [f"kafka-{broker}.example.com:9095" for broker in range(3)]
    service = manifests.external_service(kafka, "kafka-1")
    assert service["metadata"]["name"] == "kafka-1-external"
    assert service["metadata"]["annotations"] == {"dns": "kafka-1.example.com"}
    assert service["spec"]["type"] == "LoadBalancer"
    assert service["spec"]["externalTrafficPolicy"] == "Local"
    assert service["spec"]["ports"] == [{"name": "external", "port": 9095, "targetPort": 9095}]
    assert service["spec"]["selector"]["statefulset.kubernetes.io/pod-name"] == "kafka-1"
    inside = manifests.node_service(kafka, kafka.brokers, "kafka-1")["spec"]["ports"]
    assert [port["port"] for port in inside] == [9092, 9091]
    assert {"port": 9095} in manifests.network_policy(kafka)["spec"]["ingress"][0]["ports"]


def test_node_ports_count_up_with_the_brokers() -> None:
    kafka = plan(security=PORTS)
    assert list(kafka.external.values()) == [f"b{broker}.example.com:{31000 + broker}" for broker in range(3)]
    service = manifests.external_service(kafka, "kafka-2")["spec"]
    assert [port["nodePort"] for port in service["ports"]] == [31002]
    assert service["externalTrafficPolicy"] == "Cluster", "every node passes clients on to a broker that is elsewhere"


@pytest.mark.parametrize("outside", [OUTSIDE, PORTS])
def test_a_broker_that_is_out_of_sync_with_one_partition_serves_clients_outside_those_that_it_leads(
    outside: dict[str, Any],
) -> None:
    assert manifests.external_service(plan(security=outside), "kafka-0")["spec"]["publishNotReadyAddresses"]


def test_a_renewed_certificate_rolls_the_nodes() -> None:
    kafka = plan()
    templates = [
        manifests.stateful_set(kafka, kafka.brokers, {"kafka-ha/certificate": one})["spec"]["template"] for one in "ab"
    ]
    assert templates[0] != templates[1]
    assert set(templates[0]["metadata"]["annotations"]) == {"kafka-ha/config-checksum", "kafka-ha/certificate"}


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"security": {"certificateDays": 0}}, "kafka.security.certificateDays: got 0"),
        ({"security": {}, "image": "apache/kafka:4.1.0"}, "it needs Kafka 4.2 or later, and kafka.image is apache"),
        ({"protect": True}, "kafka.security: got None, but it is needed with protect: true"),
        ({"properties": {"authorizer.class.name": "X"}}, "authorizer.class.name is not set here: set kafka.security"),
        ({"properties": {"listener.name.x.ssl.keystore.type": "PEM"}}, "the listeners follow kafka.security"),
        ({"properties": {"ssl.keystore.location": "/x"}}, "the nodes' certificate follows kafka.security"),
        ({"security": {"external": {"hosts": "kafka.example.com"}}}, "kafka.security.external.hosts: got 'kafka.exam"),
        (
            {"security": {"external": {"hosts": "kafka-{id}.lan"}}},
            "kafka.security.external.hosts: got 'kafka-{id}.lan'",
        ),
        (
            {"security": {"external": {"hosts": "{id}.example.com", "service": "NodePort"}}},
            "nodePort goes with service",
        ),
        ({"security": {"external": {"hosts": "{id}.example.com", "nodePort": 31000}}}, "nodePort goes with service"),
        ({"security": {"external": PORTS["external"] | {"nodePort": 32766}}}, "must be at most 32765 with 3 brokers"),
        ({"security": {"issuer": {}}}, "kafka.security.issuer.name: got nothing, but it is needed"),
    ],
)
def test_what_can_not_be_secure_is_refused(settings: dict[str, Any], says: str) -> None:
    assert says in refusal(**settings)


@pytest.mark.parametrize("settings", [{"protect": True, "allowPlaintext": True}, {"protect": True, "security": {}}])
def test_a_protected_cluster_is_secured_or_says_that_it_is_not(settings: dict[str, Any]) -> None:
    KafkaSettings.model_validate(settings)


def test_a_running_cluster_is_not_switched() -> None:
    on, off = plan(), plan(security=None)
    there_on, there_off = (
        {**manifests.stateful_set(kafka, kafka.brokers), "kind": "StatefulSet"} for kafka in (on, off)
    )
    assert switched(on, []) == switched(off, []) == []
    assert switched(on, [there_on]) == switched(off, [there_off]) == []
    assert switched(on, [there_off | {"metadata": {"name": "other"}}]) == []
    assert "kafka-ha:kafka.security: got security, but this cluster has none" in switched(on, [there_off])[0]
    assert "got nothing, but this cluster has it" in switched(off, [there_on])[0]


def made(recorder: Recorder, **settings: Any) -> dict[str, str]:
    """The types of what a secured KafkaCluster registers beside an unsecured one, by name."""

    def program() -> None:
        KafkaCluster(
            "kafka", KafkaSettings.model_validate(settings), ZonedCluster("cluster", KwokSettings(kind="kwok"))
        )

    return {name: args.typ for name, args in registered(recorder, program).items()}


SECURED = {"kafka-certificate", "kafka-tls", "kafka-network"}


def test_a_certificate_its_secret_and_a_policy_come_before_the_nodes() -> None:
    recorder = Recorder.installed()
    assert set(made(recorder, security={})) >= SECURED
    secret = recorder.registered["kafka-tls"].inputs  # what it holds is kept secret as a whole
    assert secret["type"] == "kubernetes.io/tls"
    assert set(secret["stringData"]["value"]) == {"tls.crt", "tls.key", "ca.crt"}
    waited = {urn.rpartition("::")[2] for urn in recorder.requests["kafka-brokers"].dependencies}
    assert waited >= {"kafka-tls", "kafka-network"}
    brokers = recorder.registered["kafka-brokers"].inputs["spec"]["template"]
    assert brokers["metadata"]["annotations"]["kafka-ha/certificate"] == "its fingerprint"
    certificate = recorder.registered["kafka-certificate"].inputs
    assert certificate["hosts"] == ["*.kafka.svc.cluster.local", "localhost", "127.0.0.1"]
    assert set(recorder.requests["kafka-certificate"].additionalSecretOutputs) >= {"key", "authorityKey"}
    image = recorder.registered["kafka-image"].inputs["connection"]
    assert image["COMMAND_CONFIG"] == "/etc/kafka-ha/tools.properties"
    assert image["BOOTSTRAP"].startswith(f"{BROKER}:9091")


def test_each_broker_has_its_service_for_outside_and_the_certificate_covers_their_names() -> None:
    recorder = Recorder.installed()
    types = made(recorder, security=OUTSIDE)
    assert {name for name in types if name.endswith("-external")} == {f"kafka-{one}-external" for one in range(3)}
    assert "*.example.com" in recorder.registered["kafka-certificate"].inputs["hosts"]


def test_cert_manager_is_asked_for_the_certificate_where_an_issuer_is_named() -> None:
    recorder = Recorder.installed()
    issuer = {"name": "kafka-ca", "kind": "Issuer"}
    types = made(recorder, security={"issuer": issuer, "networkPolicy": False, "certificateDays": 90})
    assert types["kafka-certificate"] == "kubernetes:cert-manager.io/v1:Certificate"
    assert not {"kafka-tls", "kafka-network"} & set(types)
    spec = recorder.registered["kafka-certificate"].inputs["spec"]
    assert spec["issuerRef"] == {"name": "kafka-ca", "kind": "Issuer", "group": "cert-manager.io"}
    assert (spec["secretName"], spec["commonName"]) == ("kafka-tls", "kafka-node")
    assert (spec["duration"], spec["renewBefore"]) == ("2160h", "720h")
    assert (spec["dnsNames"], spec["ipAddresses"]) == (["*.kafka.svc.cluster.local", "localhost"], ["127.0.0.1"])
    assert spec["privateKey"]["encoding"] == "PKCS8"


def test_nothing_of_it_is_made_without_security() -> None:
    assert not SECURED & set(made(Recorder.installed()))


def test_the_rights_that_it_needs_are_asked_for() -> None:
    resources = {
        right.resource for right in rights(KafkaSettings.model_validate({"security": {}}), pods_know_their_zone=True)
    }
    assert resources >= {"secrets", "networkpolicies"}
    assert "certificates" not in resources
