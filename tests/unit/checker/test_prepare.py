"""Before the start: the zone, and that no disk is ever formatted for a second quorum."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from components.checker import prepare
from components.checker.environment import Environment
from components.checker.kubernetes import ApiError
from components.checker.prepare import SEALED, VOTERS, Decision, Refused, decide, token_of, zone_of
from tests.unit.checker.api import FakeApi, unreachable
from tests.unit.checker.environment import environment

Marks = frozenset[tuple[str, str]]

THREE = "0@kafka-0:9093:A,1@kafka-1:9093:B,2@kafka-2:9093:C"
FIVE = f"{THREE},3@kafka-3:9093:D,4@kafka-4:9093:E"
FIRST = {VOTERS: THREE, "node-0": "mine"}


@pytest.mark.parametrize(
    ("node", "controller", "formatted", "marks", "decision"),
    [
        (0, True, False, {}, Decision("initial", THREE, FIRST)),
        (0, True, False, FIRST, Decision("initial", THREE)),  # it was killed before it formatted
        (0, True, False, FIRST | {"node-0": "other"}, Decision("join", marks={"node-0": SEALED})),
        (0, True, False, FIRST | {"node-0": SEALED}, Decision("join")),
        (0, True, True, FIRST, Decision("none", marks={"node-0": SEALED})),
        (0, True, True, FIRST | {"node-0": SEALED}, Decision("none")),
        (0, True, True, {}, Decision("none", marks={"node-0": SEALED})),
        (1, True, False, FIRST, Decision("initial", THREE, {VOTERS: THREE, "node-1": "mine"})),
        (1, True, False, {VOTERS: FIVE}, Decision("initial", FIVE, {VOTERS: FIVE, "node-1": "mine"})),  # marks win
        (3, True, False, {}, Decision("join")),
        (3, True, False, {VOTERS: FIVE}, Decision("initial", FIVE, {VOTERS: FIVE, "node-3": "mine"})),
        (10, True, False, {}, Decision("join")),  # not node 1, nor 0
        (0, False, False, {}, Decision("join")),
        (0, False, True, {}, Decision("none")),
    ],
)
def test_decision(node: int, controller: bool, formatted: bool, marks: dict[str, str], decision: Decision) -> None:
    assert decide(node, controller, formatted, "mine", marks, THREE) == decision


# A model of all that can happen to nodes, step by step, each with two disks, of which one is mounted.


class Disk(NamedTuple):
    """`tokens` counts those that were ever made on it: each is another."""

    tokens: int = 0
    has_token: bool = False
    formatted: bool = False


class Pod(NamedTuple):
    """A node, and how far its start has come: `down`, `token`, `read`, `marked`, `running`."""

    disks: tuple[Disk, Disk] = (Disk(), Disk())
    mounted: int = 0
    step: str = "down"
    given: str = ""
    """The voters that its settings name at this start."""
    read: Marks = frozenset()
    decided: str = ""
    ran: frozenset[tuple[int, int]] = frozenset()
    """Every content of a disk that Kafka may have run on, by disk and token."""


class World(NamedTuple):
    marks: Marks
    pods: tuple[Pod, ...]
    voters: frozenset[str] = frozenset()
    """Those that first quorums were formatted with."""
    mishaps: int = 0


def after_a_step(world: World, node: int, given: str) -> World:
    """The next step of a node's start, as `prepare` and start.sh go."""
    pod = world.pods[node]
    disk, marks, voters = pod.disks[pod.mounted], world.marks, world.voters
    if pod.step == "down":
        if not disk.formatted and not disk.has_token:
            disk = disk._replace(tokens=disk.tokens + 1, has_token=True)
        pod = pod._replace(step="token", given=given)
    elif pod.step == "token":
        pod = pod._replace(step="read", read=marks)
    elif pod.step == "read":
        token = f"{pod.mounted}.{disk.tokens}"
        decision = decide(node, True, disk.formatted, token, dict(pod.read), pod.given)
        if decision.marks and pod.read != marks:
            pod = pod._replace(step="token")  # 409: it reads again
        else:
            marks = frozenset((dict(marks) | dict(decision.marks)).items())
            pod = pod._replace(step="marked", decided=decision.format, read=frozenset())
            if decision.format == "initial":
                voters = voters | {decision.voters}
    elif pod.step == "marked":
        content = (pod.mounted, disk.tokens)
        if pod.decided == "initial":
            assert not pod.ran, f"node {node}: formatted for a first quorum, though Kafka may have run on another disk"
        disk = disk._replace(formatted=True)
        pod = pod._replace(step="running", ran=pod.ran | {content})
    return replaced(world, node, mounting(pod, disk))._replace(marks=marks, voters=voters)


def mounting(pod: Pod, disk: Disk) -> Pod:
    return pod._replace(disks=(disk, pod.disks[1]) if pod.mounted == 0 else (pod.disks[0], disk))


def replaced(world: World, node: int, pod: Pod) -> World:
    return world._replace(pods=(*world.pods[:node], pod, *world.pods[node + 1 :]))


def after_mishaps(world: World, node: int) -> Iterator[World]:
    """A crash at any time; between two starts the other disk, new or back from a repair, or Kafka's folder emptied."""
    pod, world = world.pods[node], world._replace(mishaps=world.mishaps + 1)
    if pod.step != "down":
        yield replaced(world, node, pod._replace(step="down", decided="", given="", read=frozenset()))
        return
    yield replaced(world, node, pod._replace(mounted=1 - pod.mounted))
    emptied = mounting(pod, pod.disks[pod.mounted]._replace(has_token=False, formatted=False))
    yield replaced(world, node, emptied)


def explore(nodes: int, mishaps: int) -> set[World]:
    """Every world that can be reached."""
    reached: set[World] = set()
    open_ = [World(frozenset(), (Pod(),) * nodes)]
    while open_:
        world = open_.pop()
        if world in reached:
            continue
        reached.add(world)
        assert len(world.voters) <= 1, "two first quorums"
        for node, pod in enumerate(world.pods):
            if pod.step != "running":
                for given in (THREE, FIVE) if pod.step == "down" else ("",):
                    open_.append(after_a_step(world, node, given))
            if world.mishaps < mishaps:
                open_.extend(after_mishaps(world, node))
    return reached


@pytest.mark.parametrize(("nodes", "mishaps"), [(1, 8), (2, 3), (3, 1)])
def test_no_history_leads_to_a_second_quorum_or_a_voter_that_forgot(nodes: int, mishaps: int) -> None:
    """Whatever crashes and is replaced, in whatever order: asserted at each step of every world."""
    assert len(explore(nodes, mishaps)) > 20_000


def test_without_mishap_the_first_quorum_forms() -> None:
    ends = [world for world in explore(3, 0) if all(pod.step == "running" for pod in world.pods)]
    assert {pod.decided for world in ends for pod in world.pods} == {"initial"}
    assert {world.voters for world in ends} == {frozenset({THREE}), frozenset({FIVE})}


MARKS = "/api/v1/namespaces/kafka/configmaps/kafka-marks"
PROPERTIES = "#\n#Tue Nov 24 22:02:06 UTC 2026\nnode.id=0\ndirectory.id=BBBB\nversion=1\ncluster.id={}\n"


@pytest.fixture
def api() -> FakeApi:
    api = FakeApi()
    api.put(MARKS, {"metadata": {"name": "kafka-marks"}})
    return api


def is_formatted(pod: Environment, cluster_id: str = "") -> None:
    pod.logs.mkdir(exist_ok=True)
    (pod.logs / "meta.properties").write_text(PROPERTIES.format(cluster_id or pod.cluster_id))


def test_a_first_start_is_marked_before_it_is_told(tmp_path: Path, api: FakeApi) -> None:
    pod = environment(tmp_path)
    assert prepare.prepare(pod, api).format == "initial"
    assert api.objects[MARKS]["data"] == {VOTERS: pod.voters, "node-0": token_of(pod.logs)}
    assert pod.start.read_text() == f"zone=zone-a\nformat=initial\nnode_id=0\nvoters={pod.voters}\n"
    # Killed before it formatted, it goes on; formatted, it is sealed.
    assert prepare.prepare(pod, api).format == "initial"
    is_formatted(pod)
    assert prepare.prepare(pod, api) == Decision("none", marks={"node-0": SEALED})
    assert pod.start.read_text() == "zone=zone-a\nformat=none\nnode_id=0\nvoters=\n"
    assert api.objects[MARKS]["data"] == {VOTERS: pod.voters, "node-0": SEALED}


class Killed(BaseException):
    pass


@pytest.mark.parametrize("killed_at", range(4))
@pytest.mark.parametrize("replaced", [False, True])
def test_killed_at_any_request(tmp_path: Path, api: FakeApi, killed_at: int, replaced: bool) -> None:
    """Before and after the reading and the writing of the marks, on a disk that is there or another the next time."""
    pod, moments = environment(tmp_path), itertools.count()

    def killed() -> None:
        if next(moments) == killed_at:
            raise Killed

    api.before = api.after = killed
    with pytest.raises(Killed):
        prepare.prepare(pod, api)
    assert not pod.start.exists()
    if replaced:
        (pod.logs / "kafka-ha-token").unlink()
        pod.logs.rmdir()
    is_marked = killed_at == 3
    assert prepare.prepare(pod, api).format == ("join" if replaced and is_marked else "initial")


def test_another_node_that_marks_at_the_same_time(tmp_path: Path, api: FakeApi) -> None:
    pod = environment(tmp_path)

    def other_marks() -> None:
        api.after = lambda: None
        api.put(MARKS, {"metadata": {"name": "kafka-marks"}, "data": {VOTERS: FIVE, "node-1": "x"}})

    api.after = other_marks
    assert prepare.prepare(pod, api).voters == FIVE
    assert api.objects[MARKS]["data"] == {VOTERS: FIVE, "node-1": "x", "node-0": token_of(pod.logs)}
    assert [method for method, _ in api.requests] == ["GET", "PATCH", "GET", "PATCH"]


def test_without_an_answer_only_a_formatted_disk_starts(tmp_path: Path, api: FakeApi) -> None:
    pod = environment(tmp_path)
    api.before = unreachable
    with pytest.raises(ApiError, match="does not answer"):
        prepare.prepare(pod, api)
    assert not pod.start.exists()
    is_formatted(pod)
    assert prepare.prepare(pod, api) == Decision("none")
    assert "format=none" in pod.start.read_text()


def test_without_marks_it_waits(tmp_path: Path) -> None:
    with pytest.raises(ApiError, match="not found"):
        prepare.prepare(environment(tmp_path), FakeApi())


def test_a_foreign_disk_is_refused(tmp_path: Path, api: FakeApi) -> None:
    pod = environment(tmp_path)
    is_formatted(pod, "another")
    with pytest.raises(Refused, match=f"belongs to the Kafka cluster another, not to {pod.cluster_id}"):
        prepare.prepare(pod, api)
    assert not pod.start.exists()


def test_the_token_stays_with_what_is_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "kraft"
    token = token_of(folder)
    assert token_of(folder) == token
    (folder / "kafka-ha-token").write_text("")  # a power loss in between
    assert token_of(folder) not in ("", token)


NODE = "/api/v1/nodes/agent-0"


@pytest.mark.parametrize(
    ("label", "node_labels", "zone"),
    [
        ("zone-b", None, "zone-b"),
        ("", {prepare.ZONE_LABEL: "zone-c"}, "zone-c"),
        ("zone-x", None, Refused("node agent-0 is in zone zone-x, but the cluster's zones are zone-a, zone-b, zone-c")),
        ("", {prepare.ZONE_LABEL: "zone-x"}, Refused("in zone zone-x")),
        ("", {}, Refused("node agent-0 is in no zone")),
        ("", None, Refused("node agent-0 is in no zone")),
    ],
)
def test_the_zone(tmp_path: Path, label: str, node_labels: dict[str, str] | None, zone: str | Refused) -> None:
    pod, api = environment(tmp_path)._replace(zone=label), FakeApi()
    api.put(NODE, {"metadata": {} if node_labels is None else {"labels": node_labels}})
    if isinstance(zone, str):
        assert zone_of(pod, api) == zone
        assert bool(api.requests) == (not label)  # a label of the pod's own needs no right to read nodes
    else:
        with pytest.raises(Refused, match=str(zone)):
            zone_of(pod, api)


def test_main_waits_for_the_api_and_says_so_once(
    tmp_path: Path, api: FakeApi, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tries = itertools.count(1)

    def at_last() -> None:
        if next(tries) < 4:
            unreachable()

    api.before = at_last
    pod = environment(tmp_path)
    monkeypatch.setattr(Environment, "read", lambda: pod)
    monkeypatch.setattr(prepare, "Api", lambda: api)
    monkeypatch.setattr(prepare, "_AGAIN", 0)
    prepare.main()
    waiting = "waiting: the Kubernetes API does not answer: timed out\n"
    assert capsys.readouterr().out == waiting + "node 0: an empty disk, to be formatted for the first quorum\n"


def test_main_ends_where_the_node_must_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pod = environment(tmp_path)._replace(zone="zone-x")
    monkeypatch.setattr(Environment, "read", lambda: pod)
    with pytest.raises(SystemExit, match="refused: node agent-0 is in zone zone-x"):
        prepare.main()
