"""A drill's record as files: what is written is what is read, whatever was cut off."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from drills.checks import judge
from drills.model import Event, Note, Phase
from drills.record import ABOUT, FINDINGS, FORMAT, HISTORY, Recorder, RecordError, load, save_findings
from tests.unit.drills.made_up import about, drain_leader


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a record with two events."""
    folder = tmp_path / "drill"
    with Recorder(folder, about()) as recorder:
        recorder.add(Phase(at=2, name="end"), Note(at=1, text="ä 日本"))
    return folder


def test_every_kind_of_event_comes_back(tmp_path: Path) -> None:
    events = drain_leader()
    with Recorder(tmp_path / "drill", about()) as recorder:
        recorder.extend(events)
    record = load(tmp_path / "drill")
    assert record.events == events
    assert record.about == about()


def test_events_come_back_in_time_order(folder: Path) -> None:
    assert load(folder).events == [Note(at=1, text="ä 日本"), Phase(at=2, name="end")]


def test_an_event_is_in_the_file_when_it_was_added(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, about())
    recorder.add(Note(at=1, text="now"))
    assert load(tmp_path).events == [Note(at=1, text="now")]
    recorder.close()


def test_threads_do_not_mix_their_lines(tmp_path: Path) -> None:
    with Recorder(tmp_path, about()) as recorder:

        def write(writer: int) -> None:
            for number in range(200):
                recorder.add(Note(at=number, text=f"{writer} " * 200))

        threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    events = load(tmp_path).events
    assert len(events) == 1600
    assert {event.text for event in events if isinstance(event, Note)} == {f"{writer} " * 200 for writer in range(8)}


def test_a_last_line_that_was_cut_off_is_left_out(folder: Path) -> None:
    whole = (folder / HISTORY).read_bytes()
    line = Note(at=3, text="ä").model_dump_json().encode()
    for cut in range(len(line)):
        (folder / HISTORY).write_bytes(whole + line[:cut])
        assert len(load(folder).events) == 2, cut


def test_findings_come_back(folder: Path) -> None:
    assert load(folder).findings == ()
    findings = judge(load(folder))
    save_findings(folder, findings)
    assert list(load(folder).findings) == findings


def test_a_folder_with_a_record_is_not_written_again(folder: Path) -> None:
    with pytest.raises(RecordError, match="drill: holds a record already; name another folder, or remove it"):
        Recorder(folder, about())


def test_a_place_that_can_not_be_written_is_told(folder: Path) -> None:
    with pytest.raises(RecordError, match=r"can't be written \(Not a directory\); name another folder"):
        Recorder(folder / ABOUT / "drill", about())


Change = Callable[[Path], object]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda folder: (folder / ABOUT).unlink(), "is no record of a drill: about.json: No such file or directory"),
        (lambda folder: (folder / HISTORY).unlink(), "has no history.jsonl; it is no record of a drill"),
        (lambda folder: (folder / ABOUT).write_text("{"), "about.json: is not JSON; the record is damaged"),
        (lambda folder: (folder / ABOUT).write_bytes(b"\xff"), "about.json: is not JSON; the record is damaged"),
        (lambda folder: (folder / ABOUT).write_text("[1]"), "about.json: has no format number; it was not written by"),
        (lambda folder: (folder / ABOUT).write_text("{}"), "about.json: has no format number; it was not written by"),
        (lambda folder: (folder / ABOUT).write_text('{"format": 1}'), "is no record of a drill: drill: Field required"),
        (
            lambda folder: (folder / ABOUT).write_text(json.dumps({"format": FORMAT + 1})),
            f"has format {FORMAT + 1}, and up to {FORMAT} can be read here; read it with a newer version",
        ),
        (
            lambda folder: (folder / FINDINGS).write_text(json.dumps({"format": FORMAT + 1, "findings": []})),
            f"findings.json: has format {FORMAT + 1}, and",
        ),
        (
            lambda folder: (folder / HISTORY).write_text('{"kind": "note"}\n{"kind": "note", "at": 1, "text": ""}\n'),
            "history.jsonl:1: is no event: note.at: Field required; the record is damaged or of another version",
        ),
        (
            lambda folder: (folder / HISTORY).write_text('{"kind": "meteor", "at": 1}\n'),
            "history.jsonl:1: is no event: Input tag 'meteor' found using 'kind' does not match",
        ),
    ],
)
def test_what_is_no_record_is_told_in_a_sentence(folder: Path, change: Change, told: str) -> None:
    change(folder)
    with pytest.raises(RecordError) as error:
        load(folder)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_what_comes_in_batches_is_written_so(tmp_path: Path) -> None:
    events: list[Event] = [Note(at=number, text="") for number in range(1000)]
    with Recorder(tmp_path, about()) as recorder:
        recorder.extend(iter(events))
    assert load(tmp_path).events == events
