"""Kubernetes objects as plain data that may hold unknown values, and questions to them that never crash.

A `Doc` is a value and its path. Whatever is asked of it, a wrong type or an unknown value is answered by a fact that
is undecided, never by an exception.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cached_property
from typing import Final

from policies.rules.model import Fact


class _Unknown(Enum):
    VALUE = "unknown"


UNKNOWN: Final = _Unknown.VALUE
"""Stands for a value that is computed only when it is deployed."""

_COMPUTED = "its value is computed by the deployment"
_FACTORS: Final = {
    "": 1,
    "k": 1000,
    "M": 1000**2,
    "G": 1000**3,
    "T": 1000**4,
    "Ki": 1024,
    "Mi": 1024**2,
    "Gi": 1024**3,
    "Ti": 1024**4,
}


class Doc:
    """A value of a manifest and where it stands. The path is put together only when a message needs it."""

    __slots__ = ("_key", "_parent", "value")

    def __init__(self, value: object, path: str = "", parent: "Doc | None" = None) -> None:
        self.value = value
        self._key = path
        self._parent = parent

    @property
    def path(self) -> str:
        """Where the value stands: keys with dots, entries of lists in brackets."""
        if self._parent is not None:
            above = self._parent.path
            self._key = f"{above}{'' if self._key[:1] == '[' or not above else '.'}{self._key}"
            self._parent = None  # the path is whole now, and is not put together again
        return self._key

    def __getitem__(self, key: str) -> "Doc":
        value = self.value
        if type(value) is dict or isinstance(value, Mapping):
            return Doc(value.get(key), key, self)
        return Doc(UNKNOWN if value is not None else None, key, self)

    def at(self, *keys: str) -> "Doc":
        """The value below, key by key."""
        doc = self
        for key in keys:
            doc = doc[key]
        return doc

    @property
    def absent(self) -> bool:
        """Nothing is set here."""
        return self.value is None

    @property
    def unknown(self) -> bool:
        """What is set here can't be read."""
        return self.value is UNKNOWN

    def each(self) -> Iterator["Doc"]:
        """The entries of a list; an entry with a name is told by it."""
        if isinstance(self.value, list):
            for index, entry in enumerate(self.value):
                name = entry.get("name") if isinstance(entry, Mapping) else None
                yield Doc(entry, f"[{name if isinstance(name, str) else index}]", self)
        elif self.value is not None:
            yield Doc(UNKNOWN, self.path)

    def items(self) -> Iterator[tuple[str, "Doc"]]:
        """Keys and values of a mapping."""
        if isinstance(self.value, Mapping):
            for key in self.value:
                yield str(key), self[key] if isinstance(key, str) else Doc(self.value[key], self.path)

    @property
    def whole(self) -> bool:
        """Whether every entry of this list or mapping is known to be there or not to be there."""
        if isinstance(self.value, list):
            return UNKNOWN not in self.value
        return self.value is None or isinstance(self.value, Mapping)

    def text(self) -> Fact[str]:
        """Text; numbers and booleans as Kafka writes them."""
        if isinstance(self.value, bool):
            return Fact(self.path, str(self.value).lower())
        if self.value is None or isinstance(self.value, str):
            return Fact(self.path, self.value)
        if isinstance(self.value, int | float):
            return Fact(self.path, str(self.value))
        return Fact(self.path, undecided=_COMPUTED if self.unknown else "it is not text")

    def plain(self, default: str = "") -> str:
        """Known text, else `default`."""
        return self.value if isinstance(self.value, str) else default

    def integer(self) -> Fact[int]:
        """A whole number, also where it is written as text. A value that is none is not shown."""
        if isinstance(self.value, int) and not isinstance(self.value, bool):
            return Fact(self.path, self.value)
        if isinstance(self.value, float) and self.value.is_integer():
            return Fact(self.path, int(self.value))
        if self.value is None:
            return Fact(self.path)
        if isinstance(self.value, str):
            return whole_number(self.path, self.value)
        return Fact(self.path, undecided=_COMPUTED if self.unknown else "it is not a whole number")

    def flag(self) -> Fact[bool]:
        """True or false, also where it is written as text."""
        if isinstance(self.value, bool):
            return Fact(self.path, self.value)
        text = self.plain().strip().lower()
        if text in ("true", "false"):
            return Fact(self.path, text == "true")
        if self.value is None:
            return Fact(self.path)
        return Fact(self.path, undecided=_COMPUTED if self.unknown else "it is neither true nor false")

    def quantity(self) -> Fact[int]:
        """A Kubernetes quantity of memory, in bytes."""
        text = self.text()
        if text.value is None:
            return Fact(self.path, undecided=text.undecided)
        number = text.value.rstrip("kMGTi")
        try:
            return Fact(self.path, int(Decimal(number) * _FACTORS[text.value[len(number) :]]))
        except (InvalidOperation, KeyError, ValueError, OverflowError):
            return Fact(self.path, undecided="it is not a quantity")


def whole_number(path: str, text: str) -> Fact[int]:
    """The number that `text` is; the text itself is not shown, it may be anything."""
    stripped = text.strip()
    if stripped.lstrip("-").isascii() and stripped.lstrip("-").isdigit() and len(stripped) < 19:
        return Fact(path, int(stripped))
    return Fact(path, undecided="it is not a whole number in plain text")


@dataclass(frozen=True)
class Manifest:
    """An object of Kubernetes: what it is, and its content. `subject` is the id of its resource."""

    group: str
    kind: str
    doc: Doc
    subject: str = ""
    fallback: str = field(default="", compare=False)

    @cached_property
    def name(self) -> str:
        """Its name; where it gets one only when it is deployed, its resource's."""
        return self.doc.at("metadata", "name").plain(self.fallback)

    @property
    def named(self) -> bool:
        """Whether the name is known."""
        return isinstance(self.doc.at("metadata", "name").value, str)

    @cached_property
    def namespace(self) -> str | None:
        """Its namespace, `default` where none is set; None while it is not known."""
        namespace = self.doc.at("metadata", "namespace")
        return None if namespace.unknown else namespace.plain("default")

    @cached_property
    def path(self) -> str:
        """How messages call it."""
        return f"{self.kind} {self.namespace or '?'}/{self.name}"

    def spec(self, *keys: str) -> Doc:
        """What stands below its spec; the path begins with the object's own."""
        return Doc(self.doc["spec"].value, f"{self.path}: spec").at(*keys)


def manifest(value: Mapping[str, object], subject: str = "") -> Manifest:
    """The object that a document describes."""
    version, kind = value.get("apiVersion"), value.get("kind")
    group = version.rpartition("/")[0] if isinstance(version, str) else ""
    return Manifest(group, kind if isinstance(kind, str) else "", Doc(value), subject)


def selects(selector: Doc, labels: Mapping[str, object] | None) -> bool | None:
    """Whether a label selector selects a pod with `labels`; None while it can't be told."""
    if selector.unknown or labels is None or selector.value is None:
        return None if selector.unknown or labels is None else False
    if not isinstance(selector.value, Mapping):
        return None
    answers = [_equal(labels, key, wanted.value) for key, wanted in selector["matchLabels"].items()]
    if not selector["matchLabels"].whole or not selector["matchExpressions"].whole:
        answers.append(None)
    answers += [_expression(expression, labels) for expression in selector["matchExpressions"].each()]
    return False if False in answers else None if None in answers else True


def _equal(labels: Mapping[str, object], key: str, wanted: object) -> bool | None:
    if key not in labels:
        return False
    return None if UNKNOWN in (wanted, labels[key]) else labels[key] == wanted


def _expression(expression: Doc, labels: Mapping[str, object]) -> bool | None:
    key, operator = expression["key"].value, expression["operator"].value
    if not isinstance(key, str) or not isinstance(operator, str):
        return None
    if operator in ("Exists", "DoesNotExist"):
        return (key in labels) is (operator == "Exists")
    answers = [_equal(labels, key, wanted.value) for wanted in expression["values"].each()]
    chosen = True if True in answers else None if None in answers else False
    if operator == "In":
        return chosen
    return (None if chosen is None else not chosen) if operator == "NotIn" else None
