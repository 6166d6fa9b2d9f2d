"""Brokers and voters that come and go: what Kafka is asked for, in which order, and what is refused."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.scripts.kafka_state import Partition, Voter, parse_brokers, parse_moving, parse_partitions, parse_voters
from components.scripts.kafka_tools import KafkaTools
from components.scripts.members import Cluster, Members, parse_cordoned
from components.scripts.moves import reassign_topic
from components.scripts.process import Refused
from tests.stack import ROOT
from tests.unit.fake_kafka import FakeKafka, Standing

THREE = {("orders", index): tuple((index + shift) % 3 for shift in range(3)) for index in range(6)}
FIVE = {
    ("orders", 0): (0, 1, 2),
    ("orders", 1): (3, 4, 2),
    ("orders", 2): (4, 0, 2),
    ("orders", 3): (2, 3, 1),
    ("audit", 0): (0, 4, 2),
}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A time that only sleeping moves."""
    slept = [0.0]
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic", lambda: sum(slept))


def members(brokers: int, **changes: Any) -> Members:
    combined = Members(brokers, "kafka", brokers, first_voter=0, voters_set="kafka", throttle=1000, automatic=True)
    return replace(combined, **changes)


def refusal(kafka: FakeKafka, brokers: int = 3) -> str:
    with pytest.raises(Refused) as refused:
        Cluster(members(brokers), kafka).evacuate()
    assert kafka.done == [], "refused before anything is changed"
    return str(refused.value)


@pytest.mark.parametrize("there", [None, 0, 2, 3])
def test_nothing_is_asked_where_no_broker_leaves(there: int | None) -> None:
    kafka = FakeKafka(3, THREE)
    kafka.stateful_set = there
    Cluster(members(3), kafka).evacuate()
    assert kafka.asked == 0


def test_all_replicas_are_moved_off_the_brokers_that_leave(capsys: pytest.CaptureFixture[str]) -> None:
    kafka = FakeKafka(5, FIVE)
    kafka.looks = 3
    Cluster(members(3), kafka).evacuate()
    assert all(set(found.replicas) == {0, 1, 2} for found in kafka.partitions.values())
    assert kafka.partitions["orders", 0].replicas == (0, 1, 2)
    assert kafka.done == ["cordon 3", "cordon 4", "move 4 at 1000", "unthrottle", "elect 4"]
    assert kafka.throttled == set()
    assert capsys.readouterr().err.splitlines() == [
        "evacuation of broker 3, 4: 4 partitions change, 5 MiB to copy.",
        "evacuation of broker 3, 4: 4 of 4 partitions left (5 MiB).",
        "evacuation of broker 3, 4: 4 of 4 partitions left (5 MiB).",
    ]


def test_a_topic_that_is_made_meanwhile_is_moved_too() -> None:
    kafka, late = FakeKafka(5, FIVE), {("late", 0): Standing((3, 4, 2))}
    kafka.meanwhile = lambda: kafka.partitions.update(late if ("late", 0) not in kafka.partitions else {})
    Cluster(members(3), kafka).evacuate()
    assert set(kafka.partitions["late", 0].replicas) == {0, 1, 2}


def test_topics_that_are_made_all_the_time_are_not_moved_for_ever() -> None:
    kafka = FakeKafka(5, FIVE)
    kafka.meanwhile = lambda: kafka.partitions.update({("late", len(kafka.partitions)): Standing((3, 4, 2))})
    with pytest.raises(Refused, match="new partitions kept coming, for 5 rounds"):
        Cluster(members(3), kafka).evacuate()


def test_an_interrupted_evacuation_is_gone_on_with() -> None:
    kafka = FakeKafka(5, FIVE)
    kafka.partitions["orders", 1].to = (0, 1, 2)
    kafka.partitions["orders", 1].out = {3}
    kafka.throttled = {"orders", "audit"}
    Cluster(members(3, throttle=2000), kafka).evacuate()
    assert all(set(found.replicas) == {0, 1, 2} for found in kafka.partitions.values())
    assert "move 4 at 2000" in kafka.done
    assert kafka.throttled == set()


def test_an_evacuation_that_was_interrupted_at_its_end_leaves_no_throttle() -> None:
    kafka = FakeKafka(5, THREE | {("audit", 0): (0, 1, 2)})
    kafka.throttled = {"audit"}
    Cluster(members(3), kafka).evacuate()
    assert kafka.throttled == set()
    assert kafka.done == ["cordon 3", "cordon 4", "unthrottle"]


def test_an_older_kafka_knows_no_cordon(capsys: pytest.CaptureFixture[str]) -> None:
    kafka = FakeKafka(5, FIVE)
    kafka.refuses = {"kafka-configs.sh"}
    Cluster(members(3), kafka).evacuate()
    assert kafka.done[0].startswith("move")
    assert "may still be put on broker 3, 4" in capsys.readouterr().err


def test_leaders_that_are_not_elected_fail_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    kafka = FakeKafka(5, FIVE)
    kafka.refuses = {"kafka-leader-election.sh"}
    Cluster(members(3), kafka).evacuate()
    assert "the leaders were not all moved yet" in capsys.readouterr().err


def test_a_throttle_below_the_writers_is_suspected(capsys: pytest.CaptureFixture[str]) -> None:
    kafka = FakeKafka(5, FIVE)
    kafka.looks = 60
    Cluster(members(3), kafka).evacuate()
    assert "raise kafka-ha:kafka.reassignment.throttle" in capsys.readouterr().err


def test_an_evacuation_is_refused_with_more_replicas_than_brokers() -> None:
    message = refusal(FakeKafka(5, FIVE | {("wide", 0): (0, 1, 2, 3)}))
    assert "kafka-ha:kafka.brokers: got 3, but wide would have 4 replicas, and 3 brokers can hold" in message


def test_an_evacuation_is_refused_with_a_broker_that_stays_down() -> None:
    kafka = FakeKafka(5, FIVE)
    kafka.alive[1] = False
    assert "got 3, but not alive: broker 1. Records could be lost." in refusal(kafka)


def test_an_evacuation_is_refused_with_a_replica_out_of_sync_that_stays() -> None:
    kafka = FakeKafka(5, FIVE)
    kafka.partitions["orders", 2].out = {0}
    assert "not in sync on the brokers that are to keep them: partition orders-2" in refusal(kafka)


def test_an_evacuation_is_refused_where_only_a_broker_that_leaves_is_in_sync() -> None:
    kafka = FakeKafka(5, FIVE | {("narrow", 0): (3, 4)})
    kafka.alive[4] = False
    kafka.partitions["narrow", 0].out = {4}
    assert "in sync only on brokers that leave or are gone, and not on all of those: partition narrow-0" in refusal(
        kafka
    )


def test_a_dead_broker_may_leave() -> None:
    kafka = FakeKafka(5, FIVE)
    kafka.alive[4] = False
    for found in kafka.partitions.values():
        found.out = {4} & set(found.replicas)
    Cluster(members(3), kafka).evacuate()
    assert all(set(found.replicas) == {0, 1, 2} for found in kafka.partitions.values())


def test_nothing_is_settled_where_all_are_as_asked() -> None:
    kafka = FakeKafka(3, THREE)
    Cluster(members(3), kafka).settle()
    assert kafka.done == []


def test_voters_and_brokers_that_are_gone_are_removed() -> None:
    kafka = FakeKafka(5, THREE)
    kafka.pods -= {"kafka-3", "kafka-4"}
    kafka.alive |= {3: False, 4: False}
    Cluster(members(3), kafka).settle()
    assert kafka.done == ["remove voter 3", "remove voter 4", "unregister 3", "unregister 4"]


def test_a_voter_is_not_removed_while_it_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kafka = FakeKafka(4, THREE)

    def stop(seconds: float) -> None:
        kafka.pods.discard("kafka-3")
        kafka.alive[3] = False
        assert kafka.done == []

    monkeypatch.setattr(time, "sleep", stop)
    Cluster(members(3), kafka).settle()
    assert kafka.done == ["remove voter 3", "unregister 3"]
    assert "waiting: kafka-3 stops" in capsys.readouterr().err


def test_dedicated_controllers_are_settled_by_their_own_ids() -> None:
    kafka = FakeKafka(3, THREE)
    kafka.voters = [1000, 1001, 1002, 1003]
    kafka.pods |= {f"kafka-controller-{ordinal}" for ordinal in range(3)}
    Cluster(members(3, voters=3, first_voter=1000, voters_set="kafka-controller"), kafka).settle()
    assert kafka.done == ["remove voter 1003"]


def test_new_voters_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = FakeKafka(5, THREE)
    kafka.voters = [0, 1, 2]
    monkeypatch.setattr(time, "sleep", lambda seconds: kafka.voters.append(len(kafka.voters)))
    Cluster(members(5), kafka).settle()
    assert kafka.voters == [0, 1, 2, 3, 4]


def test_a_removal_that_the_quorum_refuses_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = FakeKafka(4, THREE)
    kafka.pods.discard("kafka-3")
    kafka.alive[3] = False
    run = kafka.run

    def refuse_once(tool: str, *arguments: str, file: str | None = None) -> str:
        if arguments[0] == "remove-controller" and not refused:
            refused.append(tool)
            raise Refused("another change is under way")
        return run(tool, *arguments, file=file)

    refused: list[str] = []
    monkeypatch.setattr(kafka, "run", refuse_once)
    Cluster(members(3), kafka).settle()
    assert refused
    assert kafka.voters == [0, 1, 2]


def test_a_voter_that_never_joins_is_told() -> None:
    kafka = FakeKafka(5, THREE)
    kafka.voters = [0, 1, 2, 3]
    with pytest.raises(Refused, match=r"after 30 minutes still not so: voter 4 joins. Run it again"):
        Cluster(members(5), kafka).settle()


def test_what_was_put_on_a_broker_since_its_evacuation_is_moved() -> None:
    kafka = FakeKafka(4, THREE | {("late", 0): (3, 1, 2)})
    kafka.partitions["late", 0].out = {3}
    kafka.pods.discard("kafka-3")
    kafka.alive[3] = False
    Cluster(members(3), kafka).settle()
    assert set(kafka.partitions["late", 0].replicas) == {0, 1, 2}
    assert kafka.done == ["remove voter 3", "move 1 at 1000", "unthrottle", "elect 1", "unregister 3"]


def test_a_broker_that_took_the_only_replicas_along_stays_registered() -> None:
    kafka = FakeKafka(4, THREE | {("narrow", 0): (3,)})
    kafka.partitions["narrow", 0].out = {3}
    kafka.pods.discard("kafka-3")
    kafka.alive[3] = False
    with pytest.raises(Refused, match=r"in sync only on brokers that leave or are gone.*narrow-0"):
        Cluster(members(3), kafka).settle()
    assert "unregister 3" not in kafka.done


def test_new_brokers_get_their_share_of_replicas_and_leaders() -> None:
    kafka = FakeKafka(5, THREE)
    kafka.cordoned = {4}
    Cluster(members(5), kafka).rebalance()
    replicas = [found.replicas for found in kafka.partitions.values()]
    assert Counter(broker for one in replicas for broker in one) == {0: 3, 1: 3, 2: 6, 3: 3, 4: 3}
    leaders = Counter(one[0] for one in replicas).values()
    assert max(leaders) - min(leaders) <= 1
    moved = sum(one != THREE[key] for key, one in zip(kafka.partitions, replicas, strict=True))
    assert kafka.done == ["uncordon 4", f"move {moved} at 1000", "unthrottle", f"elect {moved}"]


def test_brokers_with_their_share_are_left_alone() -> None:
    kafka = FakeKafka(5, FIVE)
    Cluster(members(5), kafka).rebalance()
    assert kafka.done == []


def test_a_reassignment_that_was_interrupted_is_ended() -> None:
    kafka = FakeKafka(5, FIVE)
    kafka.partitions["orders", 0].to = (3, 1, 2)
    kafka.throttled = {"orders"}
    Cluster(members(5), kafka).rebalance()
    assert kafka.partitions["orders", 0].replicas == (3, 1, 2)
    assert kafka.throttled == set()


def test_rebalancing_is_only_told_where_it_is_not_automatic(capsys: pytest.CaptureFixture[str]) -> None:
    kafka = FakeKafka(5, THREE)
    Cluster(members(5, automatic=False), kafka).rebalance()
    assert kafka.done == []
    told = capsys.readouterr().err
    assert "broker 3, 4 holds less than half of its share" in told
    assert "kafka-reassign-partitions.sh --execute --throttle 1000" in told
    plan = json.loads(told[told.index("{") :])
    assert {broker for one in plan["partitions"] for broker in one["replicas"]} == {0, 1, 2, 3, 4}


def test_a_replication_factor_is_raised_for_one_topic() -> None:
    kafka = FakeKafka(5, FIVE)
    reassign_topic(kafka, "orders", 4, 1000)
    assert {len(replicas) for replicas in kafka.replicas("orders").values()} == {4}
    assert kafka.replicas("audit") == {0: (0, 4, 2)}
    assert kafka.done == ["move 4 at 1000", "unthrottle", "elect 4"]


def test_a_replication_factor_is_changed_while_another_topic_is_moved() -> None:
    kafka = FakeKafka(5, FIVE)
    kafka.partitions["audit", 0].to = (0, 1, 2)
    reassign_topic(kafka, "orders", 4, 1000)
    assert {len(replicas) for replicas in kafka.replicas("orders").values()} == {4}
    assert kafka.partitions["audit", 0].to == (0, 1, 2)
    assert kafka.done == ["move 4 at 1000", "elect 4"], "the last to end removes the throttle"


def test_a_raised_replication_factor_that_was_interrupted_is_gone_on_with() -> None:
    """Kafka tells of the new replicas as soon as they are being added."""
    kafka = FakeKafka(5, {("orders", 0): (0, 1, 2)})
    kafka.partitions["orders", 0].to = (0, 1, 2, 3)
    kafka.throttled = {"orders"}
    reassign_topic(kafka, "orders", 4, 2000)
    assert kafka.replicas("orders") == {0: (0, 1, 2, 3)}
    assert (kafka.throttled, kafka.done) == (set(), ["move 1 at 2000", "unthrottle", "elect 1"])


def test_a_replication_factor_is_lowered() -> None:
    kafka = FakeKafka(5, {("orders", 0): (0, 1, 2, 3)})
    reassign_topic(kafka, "orders", 3, 1000)
    assert kafka.replicas("orders") == {0: (0, 1, 2)}


def test_no_topic_has_more_replicas_than_there_are_brokers() -> None:
    kafka = FakeKafka(3, THREE)
    with pytest.raises(Refused, match="orders would have 4 replicas, and 3 brokers can hold one each"):
        reassign_topic(kafka, "orders", 4, 1000)


def test_a_replication_factor_is_not_changed_while_a_replica_is_out_of_sync() -> None:
    kafka = FakeKafka(3, THREE)
    kafka.partitions["orders", 1].out = {2}
    with pytest.raises(Refused, match=r"not in sync .*orders-1"):
        reassign_topic(kafka, "orders", 2, 1000)
    assert kafka.done == []


def test_brokers_are_read() -> None:
    text = (
        "ID         HOST      PORT       RACK   STATE      ENDPOINT_TYPE  \n"
        "0          kafka-0.x 9092       zone-a unfenced   broker         \n"
        "4          kafka-4.x 9092       zone-b fenced     broker         \n"
    )
    found = parse_brokers(text)
    assert {broker: (one.rack, one.alive) for broker, one in found.items()} == {
        0: ("zone-a", True),
        4: ("zone-b", False),
    }


def test_partitions_are_read() -> None:
    text = (
        "Topic: big\tTopicId: gJk\tPartitionCount: 2\tReplicationFactor: 3\tConfigs: min.insync.replicas=2\n"
        "\tTopic: big\tPartition: 0\tLeader: 2\tReplicas: 3,1,2,0\tIsr: 2,0,1\tAdding Replicas: 3\t"
        "Removing Replicas: 0\tElr: \tLastKnownElr: \n"
        "\tTopic: big\tPartition: 1\tLeader: none\tReplicas: 0,1,2\tIsr: \tElr: 1\tLastKnownElr: 0\n"
    )
    found = parse_partitions(text)
    moving = Partition((3, 1, 2, 0), frozenset({0, 1, 2}), adding=frozenset({3}), removing=frozenset({0}))
    assert found == {("big", 0): moving, ("big", 1): Partition((0, 1, 2), frozenset())}
    assert moving.target == (3, 1, 2)


def test_voters_are_read() -> None:
    text = (
        "NodeId\tDirectoryId           \tLogEndOffset\tLag\tLastFetchTimestamp\tLastCaughtUpTimestamp\tStatus  \t\n"
        "1     \tAAAAAAAAAAAAAAAAAAAA1A\t488         \t0  \t1795557946428     \t1795557946428        \tLeader  \t\n"
        "0     \tAAAAAAAAAAAAAAAAAAAA0A\t488         \t0  \t1795557946286     \t1795557946286        \tFollower\t\n"
        "4     \tCxCWQjjumu7LIlwV-CfLZw\t460         \t28 \t1795557933764     \t1795557933273        \tObserver\t\n"
    )
    assert parse_voters(text) == [Voter(1, "AAAAAAAAAAAAAAAAAAAA1A"), Voter(0, "AAAAAAAAAAAAAAAAAAAA0A")]


def test_what_still_moves_is_read() -> None:
    text = (
        "Status of partition reassignment:\n"
        "Reassignment of partition my-topic-0 is still in progress.\n"
        "Reassignment of partition orders-1 is completed.\n"
    )
    assert parse_moving(text) == [("my-topic", 0)]


def test_cordons_are_read() -> None:
    text = (
        "Dynamic configs for broker 2 are:\n"
        "Dynamic configs for broker 3 are:\n"
        "  cordoned.log.dirs=* sensitive=false synonyms={DYNAMIC_BROKER_CONFIG:cordoned.log.dirs=*}\n"
        "Default configs for brokers in the cluster are:\n"
    )
    assert parse_cordoned(text) == {3}


def test_a_tool_reads_a_file_that_it_is_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a kubectl that runs what follows `--` here, and a tool that shows its arguments and its file."""
    (tmp_path / "tool.sh").write_text('#!/bin/bash\necho "${@:1:$#-1}"\ncat "${@: -1}"\n')
    (tmp_path / "kubectl").write_text(
        '#!/bin/bash\nwhile [ "$1" != -- ]; do echo -n "$1 "; shift; done\n'
        f'shift\nbin=/opt/kafka/bin\nexec "${{@/$bin/{tmp_path}}}"\n'
    )
    for program in tmp_path.iterdir():
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    place = {"KUBECONFIG_CONTENT": "", "NAMESPACE": "streams", "BROKER_PODS": "kafka-0", "BOOTSTRAP": "b:9092"}
    out = KafkaTools(place).run("tool.sh change", "--file", file="its content\n")
    assert "exec -i kafka-0 -c kafka change --bootstrap-server b:9092 --file\nits content\n" in out


@pytest.mark.parametrize("action", ["evacuate", "settle", "rebalance"])
def test_a_simulated_cluster_has_nothing_to_move(action: str) -> None:
    environment = {"PATH": os.environ["PATH"], "SIMULATED": "yes", "MEMBERS": members(3).to_json()}
    command = [sys.executable, "-m", "components.scripts.members", action]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert (ran.stdout, "simulated cluster" in ran.stderr) == ("", True)


def test_members_are_read_from_the_environment() -> None:
    asked = members(5, throttle=52428800)
    assert Members.from_environment({"MEMBERS": asked.to_json()}) == asked
