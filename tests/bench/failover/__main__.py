"""The command line: `python -m tests.bench.failover` (as `make bench-live` calls it)."""

import datetime
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from components.failover import CLIENT
from components.kafka_plan import render_properties
from tests.bench.failover.costs import costs, restart, throughput
from tests.bench.failover.figures import Figure, Round, Row, dates, figure_rows, recorded, rows
from tests.bench.failover.subjects import PODS, TOPIC, Subject, components, plain
from tests.bench.machine import load, machine
from tests.live.cluster import eventually
from tests.live.load import Load
from tests.live.process import run
from tests.stack import ROOT

_PAGE = ROOT / "docs/failover.md"
_RESULTS = _PAGE.with_suffix(".jsonl")
_DEAD = 16.0  # seconds that a killed node stays away; a client with Kafka's defaults may be silent for all of it
_SETTLE = 5.0  # seconds that writes go on after an event
_FEW = 3  # rounds of what is no pause
_WARM = 2  # runs at full speed until the JVMs have compiled what is hot: the first has half the throughput
_SOAK = 600.0  # seconds of full load
_FENCED = "because its session has timed out"  # as the active controller's log says it
_ATTEMPTS = 40  # of having the leaders where an event needs them

console = Console(stderr=True)


def drain(subject: Subject) -> float:
    """The node of the topic's leader is drained, with the DNS server that is on it."""
    node, began = subject.node(subject.leader()), time.time()
    subject.cluster.kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=180s")
    return began


def kill(subject: Subject, pod: str) -> float:
    """The pod's node loses its power, as far as containers can."""
    node, began = subject.node(pod), time.time()
    run("docker", "kill", node)
    time.sleep(_DEAD)
    return began


def kill_leader(subject: Subject) -> float:
    """Of the topic, not of the quorum."""
    return kill(subject, _apart(subject)[0])


def kill_quorum(subject: Subject) -> float:
    """Of the quorum, not of the topic."""
    return kill(subject, _apart(subject)[1])


def kill_follower(subject: Subject) -> float:
    """Of neither the topic nor the quorum the leader."""
    return kill(subject, subject.follower())


def kill_both(subject: Subject) -> float:
    """The node that leads the topic and the quorum."""
    quorum = subject.quorum_leader()
    _move_leader(subject, lambda leader: leader == quorum)
    return kill(subject, quorum)


def roll(subject: Subject) -> float:
    """Every broker is restarted, as a changed setting does."""
    began = time.time()
    subject.cluster.kubectl("-n", "kafka", "rollout", "restart", "statefulset/kafka")
    subject.cluster.kubectl("-n", "kafka", "rollout", "status", "statefulset/kafka", "--timeout=600s")
    return began


EVENTS: dict[str, Callable[[Subject], float]] = {
    "drain": drain,
    "kill-leader": kill_leader,
    "kill-follower": kill_follower,
    "kill-quorum": kill_quorum,
    "kill-both": kill_both,
    "roll": roll,
}


def full_speed(subject: Subject) -> float:
    """MB/s of one producer, with nothing else on the cluster."""
    return throughput(subject.client, subject.bootstrap)


def replace_broker(subject: Subject) -> float:
    """Seconds from the loss of a broker's disk until it is back, a voter, and every replica in sync."""
    broker = subject.follower()
    began = time.monotonic()
    subject.cluster.replace_disk(broker)
    eventually("the broker is gone", lambda: broker not in subject.cluster.ready())
    subject.heal()
    return time.monotonic() - began


def false_alarms(subject: Subject) -> tuple[int, int]:
    """Brokers that were fenced, and elections of the quorum, in ten minutes of full load."""
    epoch, began = subject.quorum_epoch(), time.monotonic()
    while (seconds := time.monotonic() - began) < _SOAK:
        full_speed(subject)
    logs = (
        subject.cluster.kubectl("-n", "kafka", "logs", pod, "-c", "kafka", f"--since={seconds:.0f}s") for pod in PODS
    )
    return sum(log.count(_FENCED) for log in logs), subject.quorum_epoch() - epoch


def _apart(subject: Subject) -> tuple[str, str]:
    """The leaders of topic and quorum, on two nodes."""
    quorum = subject.quorum_leader()
    return _move_leader(subject, lambda leader: leader != quorum), quorum


def _move_leader(subject: Subject, fits: Callable[[str], bool]) -> str:
    """Moves the topic's leader, by its preferred replica, until it `fits`."""
    for order in itertools.islice(itertools.cycle(itertools.permutations((0, 1, 2))), _ATTEMPTS):
        if fits(leader := subject.leader()):
            return leader
        plan = {"version": 1, "partitions": [{"topic": TOPIC, "partition": 0, "replicas": list(order)}]}
        pod = ["-n", "default", "exec", "live-client", "--", "bash", "-c"]
        tool = f"/opt/kafka/bin/kafka-reassign-partitions.sh --bootstrap-server {subject.bootstrap}"
        script = f"echo '{json.dumps(plan)}' >/tmp/plan; {tool} --reassignment-json-file /tmp/plan --execute"
        subject.cluster.kubectl(*pod, script)
        election = ["--election-type", "preferred", "--topic", TOPIC, "--partition", "0"]
        subject.client.tool("kafka-leader-election.sh", *election)
    raise AssertionError("the topic's leader can't be moved where it is wanted")


@contextmanager
def _undone(subject: Subject) -> Iterator[None]:
    """Whatever an event has done to the nodes is undone."""
    try:
        yield
    finally:
        for node in json.loads(subject.cluster.kubectl("get", "nodes", "-o", "json"))["items"]:
            name = node["metadata"]["name"]
            if node["spec"].get("unschedulable"):
                subject.cluster.kubectl("uncordon", name)
            run("docker", "start", name)


@contextmanager
def _producers(subject: Subject) -> Iterator[dict[str, Load]]:
    """Of each client, one that writes all the time."""
    clients = {"default": "", "exported": render_properties(CLIENT)}
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(
                Load(
                    subject.cluster, subject.image, subject.bootstrap, TOPIC, properties=properties, name=f"load-{name}"
                )
            )
            for name, properties in clients.items()
        }


def measure(subject: Subject, event: str, loads: dict[str, Load]) -> Round:
    """One round: what the producers were told while it happened."""
    subject.heal()
    eventually("all clients write", lambda: all(one.report(time.time() - 2).acknowledged for one in loads.values()))
    with _undone(subject):
        began = EVENTS[event](subject)
        seconds = time.time() - began
        time.sleep(_SETTLE)
        reports = {client: one.report(began) for client, one in loads.items()}
    gaps = {client: report.longest_gap for client, report in reports.items()}
    errors = {client: sum(report.errors.values()) for client, report in reports.items()}
    return Round(subject.name, event, gaps, errors, seconds)


def _soak(subject: Subject) -> Iterator[Figure]:
    if subject.stack:  # The plain manifest's timeouts are Kafka's.
        subject.heal()
        fenced, elections = false_alarms(subject)
        yield Figure(subject.name, "brokers fenced in 10 min of full load", fenced)
        yield Figure(subject.name, "elections of the quorum in 10 min of full load", elections)


def _speeds(subject: Subject) -> Iterator[Figure]:
    if stack := subject.stack:
        own = stack.config["kafka"]["jvmOptions"]
        yield from _speed(subject, "dev's")
        restart(stack, subject.cluster, {"jvmOptions": ""})
        yield from _speed(subject, "Kafka's")
        restart(stack, subject.cluster, {"jvmOptions": own})
    else:
        yield from _speed(subject, "Kafka's")


def _speed(subject: Subject, options: str) -> Iterator[Figure]:
    subject.heal()
    for _ in range(_WARM):
        full_speed(subject)
    for _ in range(_FEW):
        what = f"throughput, acks=all, 1 KiB, {options} JVM options (MB/s)"
        yield Figure(subject.name, what, full_speed(subject))


def _disks(subject: Subject) -> Iterator[Figure]:
    for _ in range(_FEW):
        subject.heal()
        yield Figure(subject.name, "a broker's lost disk replaced (s)", replace_broker(subject))


def _costs(subject: Subject) -> Iterator[Figure]:
    return costs(subject, subject.stack) if subject.stack else iter(())


def _pauses(subject: Subject, events: Iterable[str], rounds: int) -> Iterator[Round]:
    for event in events:
        with _producers(subject) as loads:
            for _ in range(rounds):
                yield measure(subject, event, loads)
            subject.heal()


SUBJECTS = {"components": components, "plain": plain}


class Part(StrEnum):
    """What can be measured by itself."""

    SOAK = "soak"
    SPEED = "speed"
    DISK = "disk"
    COSTS = "costs"
    PAUSES = "pauses"


def bench(
    rounds: Annotated[int, typer.Option(help="Rounds of each event.")] = 10,
    plain_rounds: Annotated[int, typer.Option(help="The same for the plain manifest.")] = 10,
    only: Annotated[list[str] | None, typer.Option(help="Events; all when not given.")] = None,
    parts: Annotated[
        list[Part] | None,
        typer.Option(
            help="soak: false alarms under full load; speed: throughput; disk: a lost one replaced; costs: of TLS and "
            "of the exporter; pauses. All when not given; soak and costs are the components' alone."
        ),
    ] = None,
    subjects: Annotated[str, typer.Option(help="components, plain, or both.")] = "both",
    results: Annotated[
        Path, typer.Option(help="Where each round is added as it ends; the page has all of it.")
    ] = _RESULTS,
) -> None:
    """Measure the pauses of writes; exit code 1 when a bound is missed."""
    before, today = load(), datetime.date.today().isoformat()
    with tempfile.TemporaryDirectory() as folder:
        for name in SUBJECTS if subjects == "both" else (subjects,):
            own = Path(folder) / name
            own.mkdir()
            with SUBJECTS[name](own) as subject, results.open("a") as file:
                found_by: dict[Part, Iterator[Round | Figure]] = {
                    Part.SOAK: _soak(subject),
                    Part.SPEED: _speeds(subject),
                    Part.DISK: _disks(subject),
                    Part.COSTS: _costs(subject),
                    Part.PAUSES: _pauses(subject, only or EVENTS, rounds if name == "components" else plain_rounds),
                }
                chosen = (found for part, found in found_by.items() if part in (parts or Part))
                for found in itertools.chain.from_iterable(chosen):
                    print(json.dumps({"date": today, **asdict(found)}), file=file, flush=True)
                    console.print(found.shown)
    lines = results.read_text().splitlines()
    done, figures = recorded(lines)
    figures += [
        Figure(one.subject, "rolling restart under load (s)", one.seconds) for one in done if one.event == "roll"
    ]
    table = rows(done)
    where = f"{machine()}; load {before} before the run, {load()} after it"
    _PAGE.write_text(page(table, figures, dates(lines), where))
    for sentence in filter(None, (row.missed for row in table)):
        console.print(f"[red]missed:[/red] {sentence}")
    raise typer.Exit(1 if any(row.missed for row in table) else 0)


def page(table: list[Row], figures: list[Figure], date: str, where: str) -> str:
    """The page, in Markdown."""
    header = ("event", "client", "Kafka", "rounds", "p50 (s)", "p95 (s)", "max (s)", "errors", "bound of p95")
    others = ("measured", "Kafka", "rounds", "median", "lowest", "highest")
    verdict = "; ".join(filter(None, (row.missed for row in table))) or "every bound is kept"
    return f"""\
# Failover

Written by `make bench-live`; don't edit. Each round: [failover.jsonl](failover.jsonl).

- Date: {date}
- Machine of the last run: {where}
- Verdict: {verdict}.

How long writes pause: the longest time between two acknowledgements that an idempotent producer (acks=all, 50 records
a second, one partition) gets while something happens to the nodes, on a k3d cluster with three zones whose nodes share
this machine. `components` is the stack `dev` of this program, `plain` a careful manifest with Kafka's defaults
(`tests/bench/failover/plain.yaml`) on a k3d cluster of its own. The client `exported` has the stack's output
`clientProperties`, `default` has none: what it waits for when a node is killed, and that no server can help it, is
shown in [kafka.md](kafka.md#failover). `errors` are those that reached the client's caller, of all rounds together.

`dev` has its JVMs compile less than Kafka's own options do (`-XX:TieredStopAtLevel=1`): where three brokers share two
cores, compiling takes the time of what is measured. That makes pauses shorter and throughput lower, so throughput is
measured with either; the plain manifest has Kafka's own. Each has two runs before it that don't count.

What TLS and the exporter cost is measured with a second Kafka of the same size beside that of the components, with
`security: {{}}`: each is written to in turns while the other is idle. There the replicas go by TLS, too. A broker's
memory is what its process holds and what is of no file (RssAnon), after the same load, and with the exporter after some
scrapes; the heap, which is all there from the start, is in it.

{_table(header, [row.cells for row in table])}

{_table(others, figure_rows(figures)) if figures else ""}
"""


def _table(header: tuple[str, ...], body: list[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    typer.run(bench)
