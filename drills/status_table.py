"""The tables of `python -m drills status`. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from components.checker.verdict import CAUGHT_UP
from drills.status import Budget, NodeStatus, Status

_FULL, _FILLING = 0.9, 0.8  # of a disk
_KINDS = {"offline": "offline", "underMinIsr": "under their minimum ISR", "underReplicated": "under-replicated"}


def tables(status: Status) -> Iterator[RenderableType]:
    """Nodes and what ails them, partitions, budgets, and what could not be asked."""
    yield _nodes(status)
    for node in status.nodes:
        if node.trouble:
            yield f"[red]{node.pod}[/]: {escape(node.trouble)}"
    yield ""
    if status.partitions is not None:
        yield _partitions(status.partitions)
        yield ""
    yield _budgets(status.budgets)
    for trouble in status.troubles:
        yield f"[red]{escape(trouble)}[/]"


def _nodes(status: Status) -> Table:
    table = _table("pod", "id", "zone", "node", "state", "leads", "in sync", "voter", "disk")
    for node in status.nodes:
        state = "[green]Ready[/]" if node.ready else "[red]not ready[/]"
        table.add_row(
            node.pod,
            str(node.id),
            node.zone or "-",
            node.place or "-",
            state,
            *_replicas(node, (status.partitions or {}).get("brokers", {})),
            _voter(node, status.quorum),
            " ".join(_disk(used) for used in node.disks) or "?",
        )
    return table


def _replicas(node: NodeStatus, brokers: Mapping[str, Any]) -> tuple[str, str]:
    found = brokers.get(str(node.id))
    if not node.broker:
        return "-", "-"
    if found is None:
        return "?", "?"
    whole = found["inSync"] == found["holds"]
    return str(found["leads"]), _coloured(f"{found['inSync']} of {found['holds']}", "green" if whole else "red")


def _voter(node: NodeStatus, quorum: Mapping[str, Any] | None) -> str:
    if not node.controller:
        return "-"
    if quorum is None:
        return "?"
    if node.id == quorum["leader"]:
        return "[green]leader[/]"
    if str(node.id) not in quorum["lags"]:
        return "[red]not in the quorum[/]"
    lag = quorum["lags"][str(node.id)]
    if lag is None:
        return "[red]never caught up[/]"
    return _coloured(f"{lag / 1000:.1f} s behind", "green" if lag <= CAUGHT_UP else "red")


def _disk(used: float) -> str:
    return _coloured(f"{used:.0%}", "red" if used >= _FULL else "yellow" if used >= _FILLING else "green")


def _partitions(partitions: Mapping[str, Any]) -> str:
    lacking = {kind: found for kind, found in partitions["lacking"].items() if found["count"]}
    if not lacking:
        return f"partitions: {partitions['count']}, [green]all in sync[/]"
    told = (
        f"[red]{found['count']} {_KINDS[kind]}[/] ({escape(', '.join(found['first']))}"
        f"{', …' if found['count'] > len(found['first']) else ''})"
        for kind, found in lacking.items()
    )
    return f"partitions: {partitions['count']}, {'; '.join(told)}"


def _budgets(budgets: tuple[Budget, ...]) -> Table:
    table = _table("disruption budget", "evictions allowed", "healthy")
    for budget in budgets:
        allowed = _coloured(str(budget.allowed), "green" if budget.allowed else "yellow")
        table.add_row(budget.name, allowed, f"{budget.healthy} of {budget.expected}")
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _coloured(text: str, colour: str) -> str:
    return f"[{colour}]{text}[/]"
