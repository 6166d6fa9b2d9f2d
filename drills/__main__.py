"""The command line: `python -m drills list|run|report|recover|status`.

Exit codes: 0 all drills passed or do not apply, 1 one failed, 2 refused or used wrongly, 3 one told nothing.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from drills import machines, runner, target
from drills.catalog import CATALOG, chosen
from drills.checks import expectation
from drills.drill import Options
from drills.errors import DrillError, Interrupted, Refused
from drills.interrupts import Interrupts
from drills.kubernetes import Kubernetes
from drills.load import LoadSettings
from drills.lock import ClusterLeases, Lock
from drills.model import Outcome
from drills.pods.manifests import PYTHON_IMAGE
from drills.record import load as load_record
from drills.recover import Recovery
from drills.report import compare_records, comparison_tables, write_report
from drills.runner import Cluster, Settings
from drills.status import read as read_status
from drills.status_table import tables
from drills.terminal import COLOURS, Terminal

T = TypeVar("T")

RECORDS = Path("drill-records")
"""Where records go, each in a folder of its own."""
CODES = {Outcome.PASS: 0, Outcome.NOT_APPLICABLE: 0, Outcome.FAIL: 1, Outcome.UNKNOWN: 3}
_REFUSED, _SEVEREST = 2, (1, 3, 2, 0)
_PLAIN_WIDTH = 200  # of a table that no terminal shows

app = typer.Typer(
    help="Failure drills: break a Kafka on purpose, and prove from a record of it that nothing acknowledged is lost.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console()

Stack = Annotated[str | None, typer.Option(help="The stack whose Kafka it is.")]
Context = Annotated[str | None, typer.Option(help="Or the context of a Kafka of your own, in the kubeconfig.")]
Allowed = Annotated[
    list[str] | None, typer.Option("--allow-context", help="The context's name again: drills are allowed there.")
]
Namespace = Annotated[str, typer.Option(help="Of a Kafka of your own.")]
Selector = Annotated[str, typer.Option(help="Labels of its StatefulSets.")]
Bootstrap = Annotated[str | None, typer.Option(help="Its bootstrap servers, as pods reach them.")]
FirstId = Annotated[int, typer.Option(help="Node id of its pod with ordinal 0.")]


@app.command("list")
def list_drills() -> None:
    """Show every drill, with what must hold."""
    for scenario in CATALOG.values():
        console.print(f"[bold]{scenario.name}[/bold]  {escape(scenario.statement)}")
        for text in scenario.expectations:
            console.print(f"    {escape(expectation(text).statement)}", style="dim")


@app.command()
def run(
    names: Annotated[list[str], typer.Argument(help="Names of drills, or all; see list.")],
    stack: Stack = None,
    context: Context = None,
    allow_context: Allowed = None,
    namespace: Namespace = "kafka",
    selector: Selector = "app.kubernetes.io/name=kafka",
    bootstrap: Bootstrap = None,
    first_id: FirstId = 0,
    force: Annotated[bool, typer.Option("--force", help="drain-two deletes what may not be evicted.")] = False,
    rate: Annotated[int, typer.Option(min=1, help="Records a second.")] = 500,
    partitions: Annotated[int, typer.Option(min=1, max=100, help="Of the drill's topic.")] = 6,
    client: Annotated[str, typer.Option(help="stack: the settings that it exports; default: Kafka's own.")] = "stack",
    replication_factor: Annotated[int | None, typer.Option(min=1, help="The cluster's default if not given.")] = None,
    topic_config: Annotated[list[str] | None, typer.Option(help="KEY=VALUE of the drill's topic.")] = None,
    hold: Annotated[float, typer.Option(min=1, max=3600, help="Seconds that a fault lasts.")] = 10,
    baseline: Annotated[float, typer.Option(min=0, max=3600, help="Seconds of load before it.")] = 5,
    settle: Annotated[float, typer.Option(min=10, max=7200, help="Seconds to be as before.")] = 600,
    rounds: Annotated[int | None, typer.Option(min=1, help="Of random.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of random; another one each time if not given.")] = None,
    upgrade_image: Annotated[str | None, typer.Option(help="What rolling-upgrade changes to, and back.")] = None,
    expect: Annotated[list[str] | None, typer.Option(help="Over the drill's own, such as longest-gap=1.")] = None,
    python_image: Annotated[str, typer.Option(help="The monitor's, where brokers have no checker.")] = PYTHON_IMAGE,
    records: Annotated[Path, typer.Option(help="Where a folder is made for each drill.")] = RECORDS,
) -> None:
    """Run drills, one after the other, and write a report of each."""
    scenarios = _told(lambda: chosen(names, force=force))
    asked = tuple(expect or [])
    for text in asked:
        _check_expectation(text)
    if client not in ("stack", "default"):
        _refuse(f"--client: got {client}, but allowed are stack, default.")
    cluster = _told(lambda: _cluster(_place(stack, context, allow_context, namespace, selector, bootstrap, first_id)))
    load = LoadSettings(
        partitions=partitions,
        rate=rate,
        properties=cluster.target.client_properties if client == "stack" else "",
        replication_factor=replication_factor,
        topic_config=dict(_pair("--topic-config", one) for one in topic_config or []),
        python_image=python_image,
    )
    options = Options(
        hold=hold,
        upgrade_image=upgrade_image,
        rounds=rounds,
        seed=int(time.time()) if seed is None else seed,
    )
    settings = Settings(options, load, baseline, settle, asked)
    terminal = Terminal(console)
    codes = []
    for scenario in scenarios:
        folder = records / f"{time.strftime('%Y-%m-%dT%H-%M-%S')}-{scenario.name}"
        try:
            result = runner.run(cluster, scenario, settings, folder, terminal.show)
        except Refused as refusal:
            _say(str(refusal))
            codes.append(_REFUSED)
            continue
        except (DrillError, Interrupted) as error:
            _say(f"{scenario.name}: {error}")
            codes.append(3)
            if isinstance(error, Interrupted):
                break
            continue
        terminal.findings(result.findings)
        colour = COLOURS[result.outcome]
        console.print(f"[{colour}]{scenario.name}: {result.outcome.value}[/{colour}] · {folder}/report.html\n")
        codes.append(CODES[result.outcome])
        if result.interrupted:
            break
    raise typer.Exit(next(code for code in _SEVEREST if code in codes))


@app.command()
def report(
    folder: Annotated[Path | None, typer.Argument(help="A record's folder; the latest if not given.")] = None,
    compare: Annotated[
        tuple[Path, Path] | None, typer.Option(help="Two records' folders, to be shown side by side.")
    ] = None,
    to: Annotated[Path, typer.Option(help="The page of a comparison.")] = Path("comparison.html"),
    records: Annotated[Path, typer.Option(help="Where the latest is looked for.")] = RECORDS,
) -> None:
    """Judge a record again and write its report, or compare two."""
    if compare:
        compared = _told(lambda: compare_records(*compare, to=to))
        for table in comparison_tables(compared):
            console.print(table)
        console.print(str(to))
        return
    found = folder or max((one.parent for one in records.glob("*/about.json")), default=None)
    if found is None:
        _refuse(f"there is no record in {records} yet. Run a drill, or name a record's folder.")
    outcome = _told(lambda: write_report(found))
    Terminal(console).findings(_told(lambda: load_record(found)).findings)
    console.print(f"[{COLOURS[outcome]}]{outcome.value}[/{COLOURS[outcome]}] · {found}/report.html")
    raise typer.Exit(CODES[outcome])


@app.command()
def recover(
    broker: Annotated[int, typer.Option(min=0, help="Id of the node of Kafka that is lost.")],
    stack: Stack = None,
    context: Context = None,
    allow_context: Allowed = None,
    namespace: Namespace = "kafka",
    selector: Selector = "app.kubernetes.io/name=kafka",
    bootstrap: Bootstrap = None,
    first_id: FirstId = 0,
    gone: Annotated[bool, typer.Option("--gone", help="Its node or disk does not come back: give it up.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check, and say what would be done.")] = False,
) -> None:
    """Replace a broker whose node or disk is lost for good."""
    place = _told(lambda: _place(stack, context, allow_context, namespace, selector, bootstrap, first_id, drill=False))
    cluster = _told(lambda: _cluster(place))
    recovery = Recovery(cluster.kubernetes, cluster.target, _say)
    if dry_run:
        lost = _told(lambda: recovery.check(broker, gone=gone))
        for number, step in enumerate(lost.steps, 1):
            console.print(f"{number}. {step}", markup=False)
        return
    try:
        with (
            Interrupts(_say) as interrupts,
            Lock(ClusterLeases(cluster.kubernetes), f"recover {broker}", interrupts.request),
        ):
            recovery.run(broker, gone=gone)
    except Refused as refusal:
        _refuse(str(refusal))
    except (DrillError, Interrupted) as error:
        _say(f"{error} Run the same command again to go on.")
        raise typer.Exit(1) from None


@app.command()
def status(stack: Annotated[str, typer.Option(help="The stack whose Kafka it is.")]) -> None:
    """Show brokers, partitions, voters, disks and budgets; nothing is changed."""
    place = _told(lambda: target.from_stack(stack, drill=False))
    kubernetes = _told(lambda: Kubernetes(place.configuration()))
    found = _told(lambda: target.find(place, kubernetes.stateful_sets(place.namespace, place.selector)))
    wide = Console(width=None if console.is_terminal else _PLAIN_WIDTH)
    for table in tables(_told(lambda: read_status(kubernetes, found))):
        wide.print(table, highlight=False, soft_wrap=isinstance(table, str))


def _place(
    stack: str | None,
    context: str | None,
    allowed: list[str] | None,
    namespace: str,
    selector: str,
    bootstrap: str | None,
    first_id: int,
    *,
    drill: bool = True,
) -> target.Place:
    """`drill`: whether the context must be a drill target. Raises Refused."""
    if (stack is None) == (context is None):
        raise Refused("name the Kafka: either --stack dev, or --context with --allow-context of the same name.")
    if stack:
        return target.from_stack(stack, drill=drill)
    return target.from_kubeconfig(
        target.contexts(),
        str(context),
        allowed or ([] if drill else [str(context)]),
        namespace,
        selector,
        bootstrap=bootstrap,
        first_id=first_id,
    )


def _cluster(place: target.Place) -> Cluster:
    kubernetes = Kubernetes(place.configuration())
    found = target.find(place, kubernetes.stateful_sets(place.namespace, place.selector))
    return Cluster(kubernetes, found, machines.find(kubernetes.nodes()))


def _check_expectation(text: str) -> None:
    try:
        expectation(text)
    except ValueError as error:
        _refuse(f"--expect: {error}.")


def _pair(option: str, text: str) -> tuple[str, str]:
    key, given, value = text.partition("=")
    if not key or not given:
        _refuse(f"{option}: got {text}, but KEY=VALUE is needed, such as min.insync.replicas=1.")
    return key, value


def _told(step: Callable[[], T]) -> T:
    """What a step gives; its refusal is told, without a traceback."""
    try:
        return step()
    except DrillError as refusal:
        _refuse(str(refusal))


def _say(text: str) -> None:
    Console(stderr=True).print(text, markup=False, highlight=False)


def _refuse(text: str) -> NoReturn:
    _say(text)
    raise typer.Exit(_REFUSED)


if __name__ == "__main__":
    app()
