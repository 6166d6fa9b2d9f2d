"""Security on a real Kafka of one node: who is let in, what he may do, and what becomes of it by hand.

The tests share one node and stand in the order of its life.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from components.checker.wire import Connection, Silent
from components.kafka_user import _client_properties
from components.live import kafka as live_kafka
from components.live.topic import TopicProvider
from components.live.user import UserProvider
from components.scripts.process import Refused
from components.user_settings import UserSettings, rights
from tests.local_kafka import LocalKafka, secured_kafka

RECOMMENDED = "security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\nacks=all\n"
SHOP = UserSettings(name="shop", writes=("orders",), reads=("orders",))


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    with secured_kafka(tmp_path_factory.mktemp("secured")) as running:
        yield running


@pytest.fixture(autouse=True)
def reach(node: LocalKafka, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What every resource is given; each test asks Kafka anew."""
    monkeypatch.setenv("PATH", f"{node.bin}{os.pathsep}{os.environ['PATH']}")
    live_kafka.forget()
    return {"cluster": "local", "connection": node.connection, "kubeconfig": ""}


@pytest.fixture(scope="module")
def passwords() -> dict[str, str]:
    """Of the users that the tests made."""
    return {}


def user(reach: dict[str, Any], settings: UserSettings = SHOP, version: int = 1) -> dict[str, Any]:
    return {"name": settings.name, "rights": rights(settings), "passwordVersion": float(version), **reach}


class Client:
    """Kafka's console tools, as a user has them."""

    def __init__(self, node: LocalKafka, password: str, name: str = "shop") -> None:
        self._node, self._file = node, node.folder / "client.properties"
        assert node.authority
        at = f"127.0.0.1:{node.port}"
        text = _client_properties(name, at, RECOMMENDED, password, node.authority.certificate)
        self._file.write_text(f"{text}delivery.timeout.ms=10000\nrequest.timeout.ms=5000\nlinger.ms=0\n")

    def produce(self, topic: str, *records: str) -> str:
        return self._run("kafka-console-producer.sh", "--topic", topic, stdin="".join(f"{one}\n" for one in records))

    def consume(self, topic: str, count: int, group: str = "shop") -> str:
        more = ["--from-beginning", "--max-messages", str(count), "--timeout-ms", "15000", "--group", group]
        return self._run("kafka-console-consumer.sh", "--topic", topic, *more)

    def _run(self, tool: str, *arguments: str, stdin: str = "") -> str:
        """Standard output and error."""
        place = ["--bootstrap-server", f"127.0.0.1:{self._node.port}", "--command-config", str(self._file)]
        command = [
            "kubectl",
            "exec",
            "-i",
            "kafka-0",
            "-c",
            "kafka",
            "--",
            f"/opt/kafka/bin/{tool}",
            *place,
            *arguments,
        ]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, check=False)
        return done.stdout + done.stderr


def test_topics_are_made_through_the_nodes_own_listener(reach: dict[str, Any]) -> None:
    for name in ("orders", "secrets"):
        config = {"min.insync.replicas": "1"}
        asked = {"name": name, "partitions": 1.0, "replicationFactor": 1.0, "config": config, "allowDeletion": True}
        TopicProvider().create({**asked, "throttle": 50.0 * 2**20, **reach})


def test_a_user_is_let_in_and_may_do_what_is_said(
    reach: dict[str, Any], node: LocalKafka, passwords: dict[str, str]
) -> None:
    made = UserProvider().create(user(reach)).outs
    assert made is not None
    passwords["shop"] = made["password"]
    client = Client(node, made["password"])
    assert client.produce("orders", "one", "two") == ""
    assert client.consume("orders", 2).splitlines()[:2] == ["one", "two"]


def test_what_no_right_allows_is_refused(node: LocalKafka, passwords: dict[str, str]) -> None:
    client = Client(node, passwords["shop"])
    assert "TopicAuthorizationException" in client.produce("secrets", "three")
    assert "GroupAuthorizationException" in client.consume("orders", 1, group="another")


@pytest.mark.parametrize(("name", "password"), [("shop", "wrong"), ("nobody", "x")])
def test_a_wrong_password_is_refused(node: LocalKafka, name: str, password: str) -> None:
    assert "SaslAuthenticationException" in Client(node, password, name).produce("orders", "four")


def test_the_password_is_in_no_file_and_no_argument(
    reach: dict[str, Any], node: LocalKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[str, ...]] = []
    told = live_kafka.LiveKafka.kubectl

    def kubectl(self: Any, *arguments: str, stdin: str | None = None) -> str:
        calls.append(arguments)
        return told(self, *arguments, stdin=stdin)

    monkeypatch.setattr(live_kafka.LiveKafka, "kubectl", kubectl)
    made = UserProvider().create(user(reach, UserSettings(name="quiet", writes=("orders",)))).outs
    assert made is not None
    assert calls
    assert made["password"] not in json.dumps(calls)
    written = (file.read_bytes() for file in node.folder.rglob("*") if file.is_file())
    assert not any(made["password"].encode() in content for content in written), "Kafka keeps its salted hash alone"


def test_what_was_changed_by_hand_is_found_and_repaired(reach: dict[str, Any]) -> None:
    provider, asked = UserProvider(), user(reach)
    entity = ["--allow-principal", "User:shop", "--operation", "All", "--topic", "secrets"]
    live_kafka.LiveKafka({**reach["connection"], "KUBECONFIG_CONTENT": ""}).run(
        "kafka-acls.sh", "--add", *entity, "--force"
    )
    olds = {**asked, "password": "kept"}
    found = provider.read("id", olds)
    assert found.outs is not None
    assert found.inputs is not None
    assert set(found.outs["rights"]) - set(asked["rights"]) == {"all topic secrets"}
    assert found.outs["password"] == "kept"
    assert "password" not in found.inputs
    assert provider.diff("id", found.outs, asked).changes
    assert provider.update("id", found.outs, asked).outs == olds
    live_kafka.forget()
    assert provider.read("id", olds).outs == olds


def test_another_version_of_the_password_ends_the_old_one(
    reach: dict[str, Any], node: LocalKafka, passwords: dict[str, str]
) -> None:
    olds = {**user(reach), "password": passwords["shop"]}
    made = UserProvider().update("id", olds, user(reach, version=2)).outs
    assert made is not None
    assert made["password"] != passwords["shop"]
    assert Client(node, made["password"]).produce("orders", "five") == ""
    assert "SaslAuthenticationException" in Client(node, passwords["shop"]).produce("orders", "six")


def test_all_kinds_of_rights_are_read_as_they_were_asked_for(reach: dict[str, Any]) -> None:
    settings = UserSettings.model_validate(
        {
            "name": "many",
            "writes": ["payments-*", "orders"],
            "reads": ["*"],
            "groups": ["audit"],
            "allow": [
                {"resource": "cluster", "operations": ["describe", "idempotent-write"]},
                {"resource": "topic", "name": "tmp-*", "operations": ["create", "delete", "describe-configs"]},
            ],
        }
    )
    asked = user(reach, settings)
    UserProvider().create(asked)
    found = UserProvider().read("id", asked).outs
    assert found is not None
    assert found["rights"] == asked["rights"]


def test_a_user_that_is_removed_is_no_more(reach: dict[str, Any], node: LocalKafka, passwords: dict[str, str]) -> None:
    provider, asked = UserProvider(), user(reach)
    provider.delete("id", asked)
    assert provider.read("id", asked).id == ""
    assert "shop" not in live_kafka.LiveKafka({**reach["connection"], "KUBECONFIG_CONTENT": ""}).users
    assert "SaslAuthenticationException" in Client(node, passwords["shop"]).produce("orders", "seven")
    provider.delete("id", asked)  # again


def test_what_kafka_refuses_is_told_with_the_users_path(reach: dict[str, Any]) -> None:
    asked = user(reach) | {"connection": {**reach["connection"], "BROKER_PODS": ""}}
    with pytest.raises(Refused, match=r"kafka-ha:users\[shop\]: no broker's pod is given"):
        UserProvider().create(asked)


def test_plaintext_gets_no_answer(node: LocalKafka) -> None:
    for port in (node.port, node.internal, node.controller):
        with pytest.raises(Silent):
            Connection("127.0.0.1", port, 3).metadata()
