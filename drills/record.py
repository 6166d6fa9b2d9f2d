"""The record of a drill: a folder with `about.json`, `history.jsonl` (an event a line, in the order of arrival) and,
once it was judged, `findings.json`.
"""

import gc
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from drills.errors import DrillError
from drills.history import Record
from drills.model import About, Event, Finding

FORMAT = 1
"""Of the files; raised when an older reader would misunderstand them."""
ABOUT, HISTORY, FINDINGS = "about.json", "history.jsonl", "findings.json"

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
_FINDINGS: TypeAdapter[tuple[Finding, ...]] = TypeAdapter(tuple[Finding, ...])


class RecordError(DrillError):
    """A folder that can't be read or written as a drill's record; its text is for the user."""


class Recorder:
    """Writes a record while the drill runs; threads may share it. `with Recorder(folder, about) as record: …`"""

    def __init__(self, folder: Path, about: About) -> None:
        """Makes the folder. Raises RecordError when it holds a record, or can't be written."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._history = (folder / HISTORY).open("x", encoding="utf-8")
        except FileExistsError:
            raise RecordError(f"{folder}: holds a record already; name another folder, or remove it") from None
        except OSError as error:
            raise RecordError(f"{folder}: can't be written ({error.strerror}); name another folder") from None
        self._lock = threading.Lock()
        _write(folder / ABOUT, {"format": FORMAT, **about.model_dump(mode="json")})

    def add(self, *events: Event) -> None:
        """Appends them. They are in the file when it returns."""
        self.extend(events)

    def extend(self, events: Iterable[Event]) -> None:
        """Appends many with one flush, for what comes in batches."""
        lines = "".join(event.model_dump_json() + "\n" for event in events)
        with self._lock:
            self._history.write(lines)
            self._history.flush()

    def close(self) -> None:
        """Nothing can be added from here on."""
        with self._lock:
            self._history.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def load(folder: Path) -> Record:
    """The record in that folder. A last line that was cut off, as by a kill, is left out.

    Raises RecordError when it is none, is damaged, or was written by a newer version.
    """
    about = _read(folder / ABOUT)
    if not (folder / HISTORY).is_file():
        raise RecordError(f"{folder}: has no {HISTORY}; it is no record of a drill, or was moved without it")
    try:
        return Record(About.model_validate(about), _events(folder / HISTORY), _findings(folder / FINDINGS))
    except ValidationError as error:
        raise RecordError(f"{folder}: is no record of a drill: {_first(error)}") from None


def save_findings(folder: Path, findings: Sequence[Finding]) -> None:
    """Writes what the checks concluded, in place of an earlier judgement."""
    _write(folder / FINDINGS, {"format": FORMAT, "findings": [one.model_dump(mode="json") for one in findings]})


def _events(path: Path) -> Sequence[Event]:
    events: list[Event] = []
    with path.open("rb") as lines, _collector_paused():
        for number, line in enumerate(lines, 1):
            try:
                events.append(_EVENT.validate_json(line))
            except ValidationError as error:
                if not line.endswith(b"\n"):
                    break
                raise RecordError(
                    f"{path}:{number}: is no event: {_first(error)}; the record is damaged or of another version"
                ) from None
    events.sort(key=attrgetter("at"))
    return events


def _findings(path: Path) -> tuple[Finding, ...]:
    return _FINDINGS.validate_python(_read(path).get("findings")) if path.is_file() else ()


def _read(path: Path) -> dict[str, Any]:
    """A JSON file of ours, its format checked."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordError(
            f"{path.parent}: is no record of a drill: {path.name}: {error.strerror}; name a folder that a drill wrote"
        ) from None
    except ValueError:
        raise RecordError(f"{path}: is not JSON; the record is damaged") from None
    version = content.get("format") if isinstance(content, dict) else None
    if not isinstance(version, int):
        raise RecordError(f"{path}: has no format number; it was not written by a drill")
    if version > FORMAT:
        raise RecordError(
            f"{path}: has format {version}, and up to {FORMAT} can be read here; read it with a newer version"
        )
    return dict(content)


def _write(path: Path, content: dict[str, Any]) -> None:
    """Whole or not at all."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    beside.replace(path)


def _first(error: ValidationError) -> str:
    found = error.errors()[0]
    place = ".".join(str(part) for part in found["loc"])
    return f"{place}: {found['msg']}" if place else found["msg"]


@contextmanager
def _collector_paused() -> Iterator[None]:
    """A million new objects that all stay make Python's garbage collector run over them again and again: three
    times as long.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
