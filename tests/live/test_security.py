"""A secured Kafka beside the plain one: who gets in, also from outside, a certificate that is renewed under load, one
that has ended.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from components.tls.authority import Pair, issue
from tests.live.cluster import Cluster, eventually
from tests.live.load import Load
from tests.live.outside import OutsideClient
from tests.live.process import CommandFailed
from tests.live.stack import CLUSTER, SINGLE, second_stack
from tests.live.test_drills import allow, drill
from tests.live.watch import Watch
from tests.secret import held
from tests.stack import Stack

NAMESPACE = "secured"
USER = {"name": "live", "writes": [SINGLE], "reads": [SINGLE]}
OUTSIDER = {"name": "outsider", "writes": ["orders"], "reads": ["orders"]}
SECURITY = {"external": {"hosts": "b{id}.kafka.example.test", "service": "NodePort", "nodePort": 31000}}
_PATIENT = {"broker.session.timeout.ms": 4000}  # six on the cores of three: one that starts makes others late
_TOOLS = "/opt/kafka/bin"
_CONFIG = "/tmp/producer.properties"  # where Load has its client's


@pytest.fixture(scope="module")
def secured(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A second stack on the live tests' cluster."""
    small = {"cpu": "50m", "memory": "768Mi", "heap": "256Mi"}
    kafka = {"security": SECURITY, "resources": small, "properties": _PATIENT}
    own = second_stack(stack, tmp_path_factory.mktemp(NAMESPACE), NAMESPACE, kafka)
    own.change(lambda config: config.update(users=[USER, OUTSIDER]))
    own.up()
    yield own
    own.destroy()


@pytest.fixture(scope="module")
def nodes(secured: Stack) -> Cluster:
    folder = secured.folder / "cluster"
    folder.mkdir()
    return Cluster(secured.outputs()["kubeconfig"], folder, NAMESPACE, "kafka")


def login(nodes: Cluster, user: dict[str, Any]) -> dict[str, str]:
    """What the user's Secret holds."""
    return held(nodes.core, f"kafka-user-{user['name']}", NAMESPACE)


def load(secured: Stack, nodes: Cluster) -> Load:
    """A producer as the user, by the file that its Secret holds."""
    properties = login(nodes, USER)["client.properties"]
    return Load(nodes, nodes.kafka_image(), secured.outputs()["bootstrap"], SINGLE, properties=properties)


def outside(secured: Stack, nodes: Cluster, properties: str) -> OutsideClient:
    """A client that comes by the control plane's node, where no broker is."""
    bootstrap = secured.outputs()["externalBootstrap"]
    return OutsideClient(f"k3d-{CLUSTER}-server-0", nodes.kafka_image(), bootstrap, properties)


def tool(nodes: Cluster, name: str, *arguments: str, bootstrap: str) -> str:
    """Standard output of one of Kafka's tools as the user, in the producer's pod. Raises CommandFailed."""
    place = ["--bootstrap-server", bootstrap, "--command-config", _CONFIG]
    return nodes.kubectl("-n", "default", "exec", "load", "--", f"{_TOOLS}/{name}", *place, *arguments)


def certificate_ends(nodes: Cluster) -> dict[str, int]:
    """Until when the certificates hold that the nodes show, as their checkers tell Prometheus."""
    found = {}
    for pod in nodes.brokers():
        text = nodes.kubectl("get", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{pod}:9094/proxy/metrics")
        found[pod] = int(re.findall(r"^kafka_certificate_end_seconds (\d+)", text, re.MULTILINE)[0])
    return found


def test_a_second_up_changes_nothing(secured: Stack, nodes: Cluster) -> None:
    assert len(nodes.ready()) == 3
    secured.up("--expect-no-changes")


def test_a_user_may_do_what_is_said_and_nothing_else(secured: Stack, nodes: Cluster) -> None:
    bootstrap = secured.outputs()["bootstrap"]
    with load(secured, nodes) as client:
        report = client.finish()
        assert not report.errors
        records = {value for _, value in report.acknowledged}
        arguments = ["--topic", SINGLE, "--from-beginning", "--timeout-ms", "20000", "--max-messages"]
        read = tool(
            nodes, "kafka-console-consumer.sh", *arguments, str(len(records)), "--group", "live-1", bootstrap=bootstrap
        )
        assert records <= set(read.split())
        assert tool(nodes, "kafka-topics.sh", "--list", bootstrap=bootstrap).split() == [SINGLE], (
            "orders is not told of"
        )
        with pytest.raises(CommandFailed, match="TopicAuthorizationException"):
            tool(nodes, "kafka-topics.sh", "--delete", "--topic", SINGLE, bootstrap=bootstrap)
        # The nodes' own listener asks for a certificate, which no user has.
        inside = bootstrap.replace(":9092", ":9091")
        with pytest.raises(CommandFailed):
            tool(nodes, "kafka-topics.sh", "--list", bootstrap=inside)


def test_a_client_outside_reaches_every_broker_at_its_own_address(secured: Stack, nodes: Cluster) -> None:
    addresses = [f"b{broker}.kafka.example.test:{31000 + broker}" for broker in range(3)]
    assert secured.outputs()["externalBootstrap"] == ",".join(addresses)
    leaders = {one.number: one.leader for one in nodes.partitions() if one.topic == "orders"}
    assert sorted(leaders.values()) == [0, 1, 2], "whoever writes to each partition comes to each broker"
    client = outside(secured, nodes, login(nodes, OUTSIDER)["client.properties"])
    sent = client.produce("orders", 30)
    assert [event for event in sent if "exception" in event] == []
    assert {event["partition"] for event in sent} == set(leaders)
    read = client.consume("orders", len(sent), "outsider-1")
    assert sorted(read) == sorted(event["value"] for event in sent)


def test_a_client_outside_without_the_right_or_the_password_is_refused(secured: Stack, nodes: Cluster) -> None:
    other = outside(secured, nodes, login(nodes, USER)["client.properties"])
    [refused] = other.produce("orders", 1)
    assert refused["exception"].endswith("TopicAuthorizationException")
    assert other.consume("orders", 1, "live-3") == []
    secret = login(nodes, OUTSIDER)
    forged = secret["client.properties"].replace(secret["password"], "wrong")
    [refused] = outside(secured, nodes, forged).produce("orders", 1)
    assert refused["exception"].endswith("SaslAuthenticationException")


def test_a_certificate_is_renewed_under_load(secured: Stack, nodes: Cluster) -> None:
    before = certificate_ends(nodes)
    bootstrap = secured.outputs()["bootstrap"]
    with load(secured, nodes) as client, Watch(nodes) as watch:
        secured.change(lambda config: config["kafka"].update(security=SECURITY | {"certificateDays": 90}))
        secured.up()
        report = client.finish()
        ends = tool(nodes, "kafka-get-offsets.sh", "--topic", SINGLE, bootstrap=bootstrap)
        count = int(ends.strip().rsplit(":", 1)[1])
        arguments = ["--topic", SINGLE, "--from-beginning", "--timeout-ms", "20000", "--max-messages", str(count)]
        read = tool(nodes, "kafka-console-consumer.sh", *arguments, "--group", "live-2", bootstrap=bootstrap)

    assert watch.most_unready == 1, "each is in sync before the next stops"
    assert watch.fewest_in_sync == 2, "no partition was under its minimum ISR"
    assert not report.errors
    assert report.longest_gap < 5
    assert {value for _, value in report.acknowledged} <= set(read.split()), "no acknowledged record is lost"
    after = certificate_ends(nodes)
    assert all(after[pod] < before[pod] - 200 * 86400 for pod in before), "90 days where there were 365"


@pytest.mark.long
def test_one_node_whose_certificate_has_ended_is_left_out_and_cured_by_a_deployment(
    secured: Stack, nodes: Cluster
) -> None:
    exported = json.loads(secured.pulumi("stack", "export", "--stack", secured.name, "--show-secrets"))
    [resource] = [one for one in exported["deployment"]["resources"] if one["urn"].endswith("::kafka-certificate")]
    authority = Pair(resource["outputs"]["authority"], _plain(resource["outputs"]["authorityKey"]))
    old = issue(authority, "kafka-node", resource["inputs"]["hosts"], 1, datetime.now(UTC) - timedelta(days=2))
    data = {"stringData": {"tls.crt": old.certificate, "tls.key": old.key}}
    nodes.core.patch_namespaced_secret("kafka-tls", NAMESPACE, data)
    with load(secured, nodes) as client:
        nodes.kubectl("-n", NAMESPACE, "delete", "pod", "kafka-2")
        eventually("the others refuse its certificate", lambda: "certificate_unknown" in _said(nodes, "kafka-2"))
        assert sorted(nodes.ready()) == ["kafka-0", "kafka-1"]
        secured.change(lambda config: config["kafka"].update(security=SECURITY | {"certificateDays": 60}))
        secured.up()  # 5 minutes: a node that was started with the old one can't tell whether it may stop
        assert len(nodes.ready()) == 3
        assert not client.settle(0).errors


def _plain(value: Any) -> str:
    text: str = json.loads(value["plaintext"]) if isinstance(value, dict) else value
    return text


def _said(nodes: Cluster, pod: str) -> str:
    """What a node says."""
    try:
        return nodes.kubectl("-n", NAMESPACE, "logs", pod, "-c", "kafka", quiet=True)
    except CommandFailed:  # between two starts
        return ""


@pytest.mark.long
def test_a_drill_passes_on_a_secured_cluster(secured: Stack, tmp_path: Path) -> None:
    allow(secured)
    code, out = drill(secured, tmp_path, "drain-leader")
    assert code == 0, out
