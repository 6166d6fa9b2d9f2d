"""What a node sees of its broker and of the quorum, from servers on the loopback."""

from collections.abc import Iterator
from contextlib import ExitStack
from math import inf
from pathlib import Path

import pytest

from components.checker import watch
from components.checker.environment import Environment
from components.checker.watch import Watch, usage
from components.checker.wire import DESCRIBE_CONFIGS, DESCRIBE_QUORUM, METADATA, Metadata, Partition, Replica
from tests.unit.checker import kafka
from tests.unit.checker.environment import environment
from tests.unit.checker.kafka import FakeKafka, closing, directory, running
from tests.unit.clock import Clock

VOTERS = tuple(Replica(node, directory(node), 1000) for node in range(3))
PLACES = (Partition("t", 0, 0, (0, 1, 2), (0, 1, 2)),)


class Net:
    """A broker and three controllers, of which number 1 leads."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.broker, *self.controllers = (stack.enter_context(running(FakeKafka())) for _ in range(4))
        self.broker.is_told(range(3), PLACES, {"t": "2"}, VOTERS, leader=1)
        for controller in self.controllers:
            controller.answers[DESCRIBE_QUORUM] = kafka.quorum(-1, [], topic_error=6)  # NOT_LEADER_OR_FOLLOWER
        self.leads(1)
        self.pod = environment(folder)._replace(
            broker_port=self.broker.port,
            controllers=tuple(("127.0.0.1", controller.port) for controller in self.controllers),
        )

    def leads(self, number: int) -> None:
        self.controllers[number].answers[DESCRIBE_QUORUM] = kafka.quorum(number, VOTERS)

    def having(self, broker: bool, controller: bool) -> Environment:
        return self.pod._replace(node=self.pod.node._replace(broker=broker, controller=controller))


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Net]:
    with ExitStack() as stack:
        yield Net(stack, tmp_path)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(watch, "time", clock)
    return clock


def test_a_combined_node_asks_its_broker_and_the_controllers(net: Net, clock: Clock) -> None:
    seen = Watch(net.pod).look()
    assert (seen.metadata, seen.min_isrs) == (Metadata(frozenset({0, 1, 2}), PLACES), {"t": 2})
    assert seen.quorum
    assert (seen.quorum.leader, seen.quorum.voters) == (1, VOTERS)
    assert (seen.metadata_age, seen.quorum_age, seen.trouble) == (0, 0, "")
    assert DESCRIBE_QUORUM not in net.broker.asked


def test_a_broker_asks_the_quorum_through_itself(net: Net, clock: Clock) -> None:
    seen = Watch(net.having(broker=True, controller=False)).look()
    assert seen.quorum
    assert seen.quorum.leader == 1
    assert not any(controller.asked for controller in net.controllers)


def test_a_controller_asks_no_broker(net: Net, clock: Clock) -> None:
    seen = Watch(net.having(broker=False, controller=True)).look()
    assert seen.quorum
    assert (seen.metadata, seen.trouble, net.broker.asked) == (None, "", [])


def test_the_leader_is_asked_first_the_next_time(net: Net, clock: Clock) -> None:
    watching = Watch(net.pod)
    watching.look()
    for controller in net.controllers:
        controller.asked.clear()
    watching.look()
    assert [len(controller.asked) for controller in net.controllers] == [0, 1, 0]
    net.controllers[1].behave = [closing]
    net.leads(2)
    seen = watching.look()
    assert seen.quorum
    assert (seen.quorum.leader, seen.quorum_age) == (2, 0)


def test_what_was_seen_stays_and_ages(net: Net, clock: Clock) -> None:
    watching = Watch(net.pod)
    before = watching.look()
    net.broker.behave = [closing]
    net.controllers[1].answers[DESCRIBE_QUORUM] = kafka.quorum(-1, [])
    clock.now += 7
    after = watching.look()
    assert (after.metadata, after.quorum) == (before.metadata, before.quorum)
    assert (after.metadata_age, after.quorum_age) == (7, 7)
    assert "the connection was closed" in after.trouble
    again = watching.look()
    assert (again.metadata_age, again.trouble) == (0, "")


def test_silence_is_counted_from_the_beginning(net: Net, clock: Clock) -> None:
    watching = Watch(net.pod)
    net.broker.behave = [closing]
    clock.now += 5
    seen = watching.look()
    assert (seen.metadata, seen.metadata_age) == (None, 5)
    assert Watch(net.pod._replace(controllers=())).look().quorum_age == inf


def test_an_answer_that_can_not_be_used_is_no_silence(net: Net, clock: Clock) -> None:
    watching = Watch(net.pod)
    net.broker.answers[METADATA] = kafka.metadata([0], PLACES, topic_error=29)
    clock.now += 40
    seen = watching.look()
    assert (seen.trouble, seen.metadata_age) == ("topic t has error 29", 0)


def test_minimum_isrs_are_asked_for_when_topics_come_and_now_and_then(net: Net, clock: Clock) -> None:
    watching, asked = Watch(net.pod), net.broker.asked

    def looks(min_isr_age: float = 30.0) -> int:
        asked.clear()
        watching.look(min_isr_age)
        return asked.count(DESCRIBE_CONFIGS)

    assert (looks(), looks()) == (1, 0)
    clock.now += 6
    assert (looks(), looks(5.0), looks(5.0)) == (0, 1, 0)
    clock.now += 31
    assert (looks(), looks()) == (1, 0)
    # A topic whose configuration is not told is not asked for at every look.
    net.broker.is_told(range(3), [*PLACES, Partition("u", 0, 0, (0,), (0,))], {"t": "2", "u": None}, VOTERS)
    assert (looks(), looks()) == (1, 0)
    net.broker.is_told(range(3), [], {})
    assert (looks(), looks()) == (0, 0)
    assert watching.look().min_isrs == {}


def test_the_disk_is_known_once_it_is_formatted(net: Net) -> None:
    watching = Watch(net.pod)
    assert watching.node.directory == ""
    net.pod.logs.mkdir()
    properties = net.pod.logs / "meta.properties"
    properties.write_bytes(b"#\n#Tue Nov 24 22:02:06 UTC 2026\nnode.id=0\ndirectory.id=BBBB\ncluster.id=AAAA\n\xff")
    assert watching.node.directory == "BBBB"
    properties.unlink()
    properties.mkdir()  # what can't be read
    assert watching.node.directory == ""


def test_how_full_disks_are(tmp_path: Path) -> None:
    used = usage([tmp_path, tmp_path / "gone"])
    assert list(used) == [str(tmp_path)]
    assert 0 <= used[str(tmp_path)] <= 1
