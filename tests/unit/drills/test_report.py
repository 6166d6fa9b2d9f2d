"""The page of a drill, and of two: whole, alone, safe, small."""

import json
import re
import time
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.console import Console

from drills.checks import judge
from drills.figures import figures
from drills.model import (
    About,
    BudgetState,
    Event,
    EvictionAnswer,
    Finding,
    NodeState,
    Note,
    Outcome,
    PartitionState,
    Phase,
    PodState,
    ReadEnd,
    SendFailed,
)
from drills.record import Recorder, RecordError, load
from drills.report import PAGE, SUMMARY, compare_records, comparison_tables, write_report
from drills.report.compare import Side, compare, comparison_page
from drills.report.page import drill_page
from drills.report.scale import Scale
from drills.report.states import nodes
from tests.unit.drills.made_up import BEGAN, EXPECTATIONS, Plan, about, drain_leader, drain_two, record, state

VOID = {"meta", "link", "br", "hr", "img", "input"}
HOSTILE = """</title></svg><script>alert(1)</script><img src=x onerror="alert(1)">'"&{{ 7 * 7 }}"""


class Page(HTMLParser):
    """Its elements, balanced or refused; its text; what it would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.handlers: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "srcset", "data", "action", "poster", "xlink:href"):
                self.links.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.names.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text += data


def page_of(events: Sequence[Event], expectations: Sequence[str] = EXPECTATIONS) -> str:
    made = record(events, expectations)
    return drill_page(made, figures(made), judge(made))


def written(folder: Path, events: Sequence[Event], head: About | None = None) -> Path:
    with Recorder(folder, head or about()) as recorder:
        recorder.extend(events)
    return folder


def rounds(number: int, rate: int) -> list[Event]:
    """A long drill: every round breaks a broker, with all that goes with it."""
    events: list[Event] = [Phase(at=BEGAN, name="load")]
    events += [event for event in drain_leader(Plan(rate=rate, audit=number * 20.0)) if not isinstance(event, Phase)]
    for one in range(number):
        at = BEGAN + 5 + one * 18
        victim = one % 3
        events += [Phase(at=at, name="fault", detail=f"round {one}"), Phase(at=at + 5, name="heal")]
        for partition in range(50):
            rest = tuple(broker for broker in range(3) if broker != victim)
            events += [state(partition, rest[0], rest, at + 0.1), state(partition, rest[0], (0, 1, 2), at + 8)]
        events += [Note(at=at, text="a step in words " * 20), SendFailed(at=at + 1, value=one, error=f"Error{one}")]
        events += [EvictionAnswer(at=at, pod=f"kafka-{victim}", granted=bool(one % 2), message="no " * 100)]
    return [*events, Phase(at=BEGAN + number * 20, name="audit"), Phase(at=BEGAN + number * 20 + 9, name="end")]


PAGES = {
    "drain-leader": drain_leader(),
    "drain-two": drain_two(),
    "nothing": [],
    "only a phase": [Phase(at=BEGAN, name="load")],
    "broken off": [event for event in drain_leader() if event.at < BEGAN + 8],
}


@pytest.mark.parametrize("events", PAGES.values(), ids=PAGES)
class TestAnyPage:
    def test_it_is_whole(self, events: list[Event]) -> None:
        page = Page(page_of(events))
        assert {"html", "head", "title", "body", "main", "h1"} <= set(page.names)

    def test_it_loads_nothing(self, events: list[Event]) -> None:
        html = page_of(events)
        assert Page(html).links == ["data:,"]
        assert not re.findall(r"https?:|//[a-z]|@import|url\(", html.replace("// A hair line", ""))
        assert "default-src 'none'" in html

    def test_every_drawing_has_words(self, events: list[Event]) -> None:
        drawings = re.findall(r"<svg.*?</svg>", page_of(events), re.DOTALL)
        assert bool(drawings) == bool(events)
        assert all(re.search(r'role="img"><title>[^<]+</title><desc>', drawing) for drawing in drawings)

    def test_every_finding_is_on_it(self, events: list[Event]) -> None:
        text = Page(page_of(events)).text
        for finding in judge(record(events)):
            assert finding.check in text
            assert finding.detail in text

    def test_drawings_hold_numbers_only(self, events: list[Event]) -> None:
        assert not re.search(r'(d|style)="[^"]*(nan|inf|None)', page_of(events))


def test_the_page_tells_the_figures() -> None:
    text = Page(page_of(drain_leader())).text
    assert "1,800 records were acknowledged, none was lost" in text
    for told in ("420 ms gap", "partition 0; 30 ms before the fault", "eviction of kafka-2 refused: it would violate"):
        assert told in text
    assert "zone-a" in text


def test_failures_come_first() -> None:
    text = Page(page_of(drain_two())).text
    assert text.index("no partition falls under its minimum ISR") < text.index("no acknowledged record is lost")
    assert "3 of 12 expectations did not hold" in text


def test_the_gap_is_where_it_was() -> None:
    """From 4.05 to 4.45 of 18 seconds."""
    left, width = re.findall(r'class="gap after" style="left:([\d.]+)%;width:([\d.]+)%', page_of(drain_leader()))[0]
    assert float(left) == pytest.approx(4.04 / 18 * 100, abs=0.2)
    assert float(width) == pytest.approx(0.42 / 18 * 100, abs=0.2)


def test_a_short_gap_is_shown_close_up_and_a_long_one_is_not() -> None:
    assert "close up" in page_of(drain_leader())
    assert "close up" not in page_of(drain_two())


def test_hostile_words_stay_words() -> None:
    events = [
        *drain_leader(),
        Note(at=BEGAN + 1, text=HOSTILE),
        SendFailed(at=BEGAN + 1, value=10**6, error=HOSTILE),
        EvictionAnswer(at=BEGAN + 1, pod=HOSTILE, granted=False, message=HOSTILE),
        NodeState(at=BEGAN + 1, name=HOSTILE, zone=HOSTILE, ready=True, schedulable=True),
        NodeState(at=BEGAN + 2, name=HOSTILE, zone=HOSTILE, ready=False, schedulable=True),
        PodState(at=BEGAN + 1, name=HOSTILE, broker=9, node=HOSTILE, phase="Running", ready=True, terminating=False),
        BudgetState(at=BEGAN + 1, name=HOSTILE, allowed=1),
        Phase(at=BEGAN + 3, name="load", detail=HOSTILE),
    ]
    made = record(events)
    hostile = dict.fromkeys(("drill", "statement", "context", "namespace", "image", "kubernetes", "topic"), HOSTILE)
    head = made.about.model_copy(update={**hostile, "client": HOSTILE, "zones": {0: HOSTILE}})
    finding = Finding(check=HOSTILE, outcome=Outcome.FAIL, detail=HOSTILE)
    made = type(made)(head, made.events)
    side = Side(made, figures(made), [finding])
    for html in (drill_page(made, figures(made), [finding]), comparison_page(compare(side, side))):
        page = Page(html)
        assert (page.names.count("script"), page.names.count("img"), page.handlers) == (1, 0, [])
        assert HOSTILE in page.text
        assert "49" not in re.findall(r"&amp;([^<]{0,4})", html)


def test_a_long_drill_is_a_small_page() -> None:
    made = record(sorted(rounds(100, 20), key=lambda event: event.at))
    made = type(made)(made.about.model_copy(update={"partitions": 50}), made.events)
    assert sum(isinstance(event, PartitionState) for event in made.events) > 10_000
    html = drill_page(made, figures(made), judge(made))
    assert len(html.encode()) < 500_000
    Page(html)


def test_200_000_events_take_seconds(tmp_path: Path) -> None:
    """Read, judged and drawn; measured in the processor's time, as machines are busy."""
    folder = written(tmp_path / "drill", drain_leader(Plan(rate=5500)))
    began = time.process_time()
    assert write_report(folder) is Outcome.PASS
    assert time.process_time() - began < 30
    assert len(load(folder).events) > 198_000
    assert (folder / PAGE).stat().st_size < 500_000


class TestWriting:
    def test_it_writes_all_there_is(self, tmp_path: Path) -> None:
        folder = written(tmp_path / "drill", drain_leader())
        assert write_report(folder) is Outcome.PASS
        summary = json.loads((folder / SUMMARY).read_text())
        assert (summary["outcome"], summary["figures"]["lost"], summary["about"]["drill"]) == (
            "pass",
            0,
            "drain-leader",
        )
        assert summary["figures"]["longest_gap"]["seconds"] == pytest.approx(0.42, abs=0.01)
        assert [one["expectation"] for one in summary["findings"]] == list(EXPECTATIONS)
        assert [one.expectation for one in load(folder).findings] == list(EXPECTATIONS)

    def test_it_can_be_written_again(self, tmp_path: Path) -> None:
        folder = written(tmp_path / "drill", drain_leader())
        write_report(folder)
        before = (folder / PAGE).read_text()
        write_report(folder)
        assert (folder / PAGE).read_text() == before

    def test_what_is_no_record_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(RecordError, match="is no record of a drill"):
            write_report(tmp_path)


class TestComparing:
    @pytest.fixture
    def folders(self, tmp_path: Path) -> tuple[Path, Path]:
        other = about(["longest-gap=0.1", "no-loss", "writes-refused"])
        return written(tmp_path / "a", drain_leader()), written(tmp_path / "b", drain_two(Plan(gap=0.2)), other)

    def test_the_figures_and_their_change(self, folders: tuple[Path, Path]) -> None:
        rows = {row.name: row for row in compare_records(*folders).rows}
        lost, gap = rows["acknowledged records lost"], rows["longest gap of a partition"]
        assert (lost.a, lost.b, lost.change, lost.verdict) == ("0", "0", "same", "")
        assert (gap.a, gap.b, gap.change, gap.verdict) == ("420 ms", "5.04 s", "+4.62 s (12 times)", "worse")
        back = {row.name: row for row in compare_records(*reversed(folders)).rows}
        assert back["longest gap of a partition"].change == "−4.62 s (−92%)"  # noqa: RUF001 (a minus)
        assert back["longest gap of a partition"].verdict == "better"

    def test_what_flipped(self, folders: tuple[Path, Path]) -> None:
        """Another limit is the same expectation; what only one of them asked for did not flip."""
        compared = compare_records(*folders)
        assert [(one.check, one.a, one.b) for one in compared.expected if one.flipped] == [
            (
                "no partition waits longer than 1 s for an acknowledgement / "
                "no partition waits longer than 0.1 s for an acknowledgement",
                Outcome.PASS,
                Outcome.FAIL,
            )
        ]
        assert len(compared.expected) == len(EXPECTATIONS) + 1

    def test_the_page(self, folders: tuple[Path, Path], tmp_path: Path) -> None:
        compared = compare_records(*folders, tmp_path / "page.html")
        page = Page((tmp_path / "page.html").read_text())
        assert page.links == ["data:,"]
        assert all(row.name in page.text and row.change in page.text for row in compared.rows)
        assert all(one.check in page.text for one in compared.expected)
        assert page.names.count("svg") == 3  # the acknowledgements of both, and B's failed sends

    def test_the_terminal(self, folders: tuple[Path, Path]) -> None:
        console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
        for table in comparison_tables(compare_records(*folders)):
            console.print(table)
        text = console.export_text()
        assert "+4.62 s (12 times) worse" in text
        assert "flipped" in text
        assert max(map(len, text.splitlines())) <= 100

    def test_a_drill_with_itself_is_the_same(self, folders: tuple[Path, Path]) -> None:
        compared = compare_records(folders[0], folders[0])
        assert {row.change for row in compared.rows} == {"same"}
        assert not any(one.flipped for one in compared.expected)

    def test_with_one_of_which_nothing_is_known(self, folders: tuple[Path, Path], tmp_path: Path) -> None:
        nothing = written(tmp_path / "nothing", [])
        compared = compare_records(folders[0], nothing, tmp_path / "page.html")
        assert {one.b for one in compared.expected} == {Outcome.UNKNOWN}
        Page((tmp_path / "page.html").read_text())


@pytest.mark.parametrize(
    ("expectations", "told"),
    [
        (
            ("leader-moved",),
            "1,800 records were acknowledged, and no partition waited longer than 420 ms for the next one.",
        ),
        ((), "0 of 0 expectations could not be judged: this proves nothing yet."),
    ],
)
def test_no_more_is_claimed_than_was_found(expectations: Sequence[str], told: str) -> None:
    """Without a final read nothing is said of losses, even where no check asked for them."""
    unread = [event for event in drain_leader() if not isinstance(event, ReadEnd)]
    assert told in Page(page_of(unread, expectations)).text


def test_long_names_of_nodes_keep_what_tells_them_apart() -> None:
    names = ("k3d-kafka-ha-agent-0", "k3d-kafka-ha-agent-1", "k3d-kafka-ha-server-0")
    seen = [NodeState(at=BEGAN, name=name, zone="zone-a", ready=True, schedulable=True) for name in names]
    lanes = nodes(record([*seen]), Scale(BEGAN, BEGAN + 10, BEGAN))
    assert [lane.label for lane in lanes] == ["…agent-0", "…agent-1", "…server-0"]
