"""Users: their settings, the rights that follow, the bytes in which Kafka is told, and what is registered."""

import io
import json
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.checker import users
from components.checker.environment import Environment
from components.checker.operations import OPERATIONS
from components.checker.users import acl_of
from components.checker.wire import Connection, Reader, WireError
from components.kafka_cluster import KafkaCluster
from components.kafka_settings import KafkaSettings
from components.kafka_user import KafkaUser
from components.kinds.kwok import KwokSettings
from components.live.user import UserProvider
from components.refusal import UnsafeSettings
from components.settings import read_settings
from components.user_settings import UserSettings, rights
from components.zoned_cluster import ZonedCluster
from tests.unit.checker.environment import environment
from tests.unit.live.conftest import SIMULATED
from tests.unit.mocks import Recorder, registered
from tests.unit.test_checker_live import Answers, compact, string

SECURED: dict[str, Any] = {"cluster": {"kind": "kwok"}, "kafka": {"security": {}}}


def refusal(*given: Any, **config: Any) -> str:
    with pytest.raises(UnsafeSettings) as refused:
        read_settings(SECURED | {"users": list(given)} | config)
    return str(refused.value)


def test_who_writes_and_reads_gets_what_that_takes() -> None:
    user = UserSettings.model_validate({"name": "shop", "writes": ["orders"], "reads": ["payments-*"]})
    assert rights(user) == [
        "describe topic orders",
        "describe topic payments-*",
        "describe transactional-id shop",
        "describe transactional-id shop-*",
        "read group shop",
        "read group shop-*",
        "read topic payments-*",
        "write topic orders",
        "write transactional-id shop",
        "write transactional-id shop-*",
    ]


def test_what_else_may_be_done_is_said_as_kafka_says_it() -> None:
    allowed = [
        {"resource": "cluster", "operations": ["describe"]},
        {"resource": "topic", "name": "*", "operations": ["describe-configs"]},
    ]
    user = UserSettings.model_validate({"name": "audit", "reads": ["a"], "groups": ["g"], "allow": allowed})
    assert set(rights(user)) == {
        "read topic a",
        "describe topic a",
        "read group g",
        "describe cluster kafka-cluster",
        "describe-configs topic *",
    }
    assert rights(UserSettings(name="nothing")) == []


@pytest.mark.parametrize(
    ("user", "says"),
    [
        ({"name": "CN=kafka-node"}, "kafka-ha:users[0].name: got 'CN=kafka-node'"),
        ({"name": "shop", "writes": ["a b"]}, "kafka-ha:users[0].writes[0]: got 'a b'"),
        ({"name": "shop", "writes": ["a*b"]}, "kafka-ha:users[0].writes[0]: got 'a*b'"),
        ({"name": "shop", "topics": ["a"]}, "kafka-ha:users[0].topics: unknown key; allowed are"),
        ({"name": "shop", "allow": [{"resource": "topic", "operations": []}]}, "kafka-ha:users[0].allow[0].operations"),
        ({"name": "shop", "allow": [{"resource": "topic", "operations": ["fly"]}]}, "got 'fly'"),
        ({"name": "shop", "passwordVersion": 0}, "kafka-ha:users[0].passwordVersion: got 0"),
    ],
)
def test_a_wrong_user_is_refused_in_a_sentence(user: dict[str, Any], says: str) -> None:
    assert says in refusal(user)


def test_users_are_a_list_with_a_name_each_and_need_security() -> None:
    assert "kafka-ha:users: got 'shop', but a list of users is needed" in refusal(users="shop")
    assert "kafka-ha:users[1].name: got 'shop', but kafka-ha:users[0] has that name" in refusal(
        {"name": "shop"}, {"name": "shop"}
    )
    assert "kafka-ha:users: got ['shop'], but without security nobody logs in" in refusal({"name": "shop"}, kafka={})


NAMES = st.from_regex(r"\A[A-Za-z0-9._-]{1,20}\*?\Z") | st.just("*")
RIGHTS = st.tuples(st.sampled_from(OPERATIONS), st.sampled_from(["topic", "group", "transactional-id"]), NAMES)


@given(RIGHTS)
def test_a_right_is_read_back_as_it_was_written(parts: tuple[str, str, str]) -> None:
    assert acl_of("User:shop", " ".join(parts)).right == " ".join(parts)


def test_a_right_that_this_program_would_not_make_is_told_as_such() -> None:
    denied = acl_of("User:shop", "read topic orders")._replace(permission=2)
    assert denied.right == "read topic orders (denied from *)"
    assert (
        denied._replace(permission=3, host="10.0.0.1", operation=77).right == "77 topic orders (allowed from 10.0.0.1)"
    )


def scram(**mechanisms: list[int]) -> bytes:
    """A DescribeUserScramCredentials response of version 0."""
    results = b""
    for name, found in mechanisms.items():
        infos = b"".join(struct.pack(">bi", one, 8192) + b"\0" for one in found)
        results += compact(name) + struct.pack(">h", 0) + b"\0" + bytes([len(found) + 1]) + infos + b"\0"
    return b"\0" + struct.pack(">ih", 0, 0) + b"\0" + bytes([len(mechanisms) + 1]) + results + b"\0"


def altered(code: int = 0, message: str = "") -> bytes:
    """An AlterUserScramCredentials response of version 0."""
    return b"\0" + struct.pack(">i", 0) + b"\2" + compact("shop") + struct.pack(">h", code) + compact(message) + b"\0\0"


def acls(*rights: str, principal: str = "User:shop") -> bytes:
    """A DescribeAcls response of version 1."""
    told = b""
    for acl in (acl_of(principal, right) for right in rights):
        told += struct.pack(">b", acl.resource) + string(acl.name) + struct.pack(">bi", acl.pattern, 1)
        told += string(acl.principal) + string(acl.host) + struct.pack(">bb", acl.operation, acl.permission)
    return struct.pack(">ih", 0, 0) + string(None) + struct.pack(">i", len(rights)) + told


def done(code: int = 0, message: str | None = None) -> bytes:
    """A CreateAcls response of version 1; of DeleteAcls, with one match."""
    return struct.pack(">iih", 0, 1, code) + string(message)


def test_who_logs_in_and_who_has_rights_is_told_together() -> None:
    node = Answers(scram(shop=[2], old=[1]), acls("read topic a", "write topic a"))
    found = users.users(Connection("127.0.0.1", node.port, 5))
    assert found == {"shop": {"logsIn": True, "rights": ["read topic a", "write topic a"]}}


def test_only_what_differs_is_changed_and_new_rights_come_first() -> None:
    node = Answers(acls("read topic a", "write topic a"), done(), done() + struct.pack(">i", 0))
    users.permit(Connection("127.0.0.1", node.port, 5), "shop", ["read topic a", "read topic b*"])
    described, created, deleted = (question[:2] for question in node.questions)
    assert [struct.unpack(">h", one)[0] for one in (described, created, deleted)] == [29, 30, 31]
    assert b"b" in node.questions[1][-30:]
    assert node.questions[2].endswith(string("User:shop") + string("*") + struct.pack(">bb", 4, 3))


def test_a_password_is_sent_salted_and_never_as_it_is() -> None:
    node = Answers(altered())
    users.let_in(Connection("127.0.0.1", node.port, 5), "shop", "my password")
    assert b"my password" not in node.questions[0]
    assert compact("shop") + struct.pack(">bi", 2, 8192) in node.questions[0]


def test_who_has_no_password_need_not_be_kept_out() -> None:
    node = Answers(altered(91, "no such user"))
    users.keep_out(Connection("127.0.0.1", node.port, 5), "shop")


@pytest.mark.parametrize(
    ("parse", "answer"),
    [
        (users.parse_altered, altered(44, "too few")),
        (users.parse_created, done(31, "too few")),
        (users.parse_deleted, done(31, "too few")),
        (users.parse_acls, struct.pack(">ih", 0, 54) + string("too few")),
    ],
)
def test_kafkas_refusal_is_told_in_its_words(parse: Any, answer: bytes) -> None:
    with pytest.raises(WireError, match=r"Kafka answers with error \d\d \(too few\)"):
        parse(Reader(answer))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"rights": ["read topic a"], "password": "p"}, ["let_in p", "permit read topic a"]),
        ({"rights": ["read topic a"], "password": None}, ["permit read topic a"]),
        ({}, ["keep_out", "permit "]),
    ],
)
def test_the_program_does_what_is_asked_and_no_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, asked: dict[str, Any], expected: list[str]
) -> None:
    told: list[str] = []
    found = environment(tmp_path)
    monkeypatch.setattr(Environment, "read", lambda: found)
    monkeypatch.setattr(Environment, "own_connection", lambda self, seconds: None)
    monkeypatch.setattr(users, "let_in", lambda _, user, password: told.append(f"let_in {password}"))
    monkeypatch.setattr(users, "keep_out", lambda _, user: told.append("keep_out"))
    monkeypatch.setattr(users, "permit", lambda _, user, rights: told.append(f"permit {' '.join(rights)}"))
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps({"user": "shop", **asked})))
    users.main()
    assert told == expected


def test_on_a_simulated_cluster_the_state_remembers_with_the_password_kept() -> None:
    provider, asked = UserProvider(), SIMULATED | {"name": "shop", "rights": ["a"], "passwordVersion": 1.0}
    made = provider.create(asked).outs or {}
    assert len(made["password"]) >= 40
    kept = provider.update("id", made, asked | {"rights": ["b"]}).outs or {}
    assert (kept["password"], kept["rights"]) == (made["password"], ["b"])
    renewed = provider.update("id", kept, asked | {"passwordVersion": 2.0}).outs or {}
    assert renewed["password"] != made["password"]
    read = provider.read("id", renewed)
    assert "password" not in (read.inputs or {})
    assert (read.outs or {})["password"] == renewed["password"]
    provider.delete("id", renewed)


def test_a_user_and_its_secret_hold_nothing_in_plain_sight() -> None:
    recorder = Recorder.installed()

    def program() -> None:
        kafka = KafkaCluster(
            "kafka", KafkaSettings.model_validate({"security": {}}), ZonedCluster("cluster", KwokSettings(kind="kwok"))
        )
        KafkaUser("shop", UserSettings(name="shop", writes=("orders",)), kafka)

    found = registered(recorder, program)
    secret = found["shop-secret"].inputs
    assert secret["metadata"]["name"] == "kafka-user-shop"
    held = secret["stringData"]["value"]
    assert held["password"] == "its password"
    lines = held["client.properties"].splitlines()
    assert lines[-1] == "ssl.truststore.certificates=its authority"
    assert 'required username="shop" password="its password";' in lines[-3]
    assert held["ca.crt"] == "its authority"
    assert "password" in recorder.requests["shop-user"].additionalSecretOutputs
    others = json.dumps([args.inputs for name, args in found.items() if name != "shop-secret"], default=str)
    assert "its password" not in others
