"""What the dynamic resources share: how Kafka is reached, what counts as a change, errors in a sentence."""

import sys
import traceback
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

from components.live.kafka import LiveKafka
from components.scripts.process import Refused

Inputs = Mapping[str, Any]

_REACH = ("connection", "kubeconfig")
_STATE = "__provider"  # the SDK's own input: the name of the class


class LiveProvider(ResourceProvider):
    """A resource with the inputs `connection` and `kubeconfig` (see `KafkaCluster.reach`), `cluster`, which names the
    cluster, and `fields`, which Kafka holds.

    Where the cluster is simulated no Kafka is asked: the state remembers. A connection that has changed is only
    remembered: the state must hold one that works, for refreshes and deletions are told nothing else.
    """

    serialize_as_secret_always = False  # nothing is captured but the name of the class
    fields: ClassVar[tuple[str, ...]]
    identity: ClassVar[tuple[str, ...]] = ("cluster",)
    """With other values of these it is another resource."""

    @abstractmethod
    def apply(self, kafka: LiveKafka, news: Inputs) -> None:
        """Makes Kafka hold the fields. Raises Refused."""

    @abstractmethod
    def find(self, kafka: LiveKafka, props: Inputs) -> dict[str, Any] | None:
        """The fields as Kafka holds them; None where it holds no such thing. Raises Refused."""

    def refusals(self, olds: Inputs, news: Inputs) -> Iterator[tuple[str, str]]:
        """Field and sentence of each change that can't be made, as far as the inputs tell."""
        yield from ()

    def configure(self, req: ConfigureRequest) -> None:
        """Called once in the plugin's process, before anything else."""
        tell_refusals_in_a_sentence()

    def check(self, olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Refuses in the preview already what the inputs tell."""
        same = bool(olds) and not self._changed(self.identity, olds, news)
        return CheckResult(news, [CheckFailure(*found) for found in self.refusals(olds, news)] if same else [])

    def diff(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """`olds` is what was read last: what drifted is a change."""
        replaces = self._changed(self.identity, olds, news)
        return DiffResult(bool(replaces or self._changed((*self.fields, *_REACH), olds, news)), replaces)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Takes what is there already, and makes it what is asked for."""
        self._apply(props)
        return CreateResult("/".join(str(props[name]) for name in self.identity), own(props))

    def update(self, id_: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Touches Kafka only where a field has changed."""
        if self._changed(self.fields, olds, news):
            self._apply(news)
        return UpdateResult(own(news))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """What Kafka holds now; as inputs, too, so that the next preview names what has drifted."""
        if simulated(props):
            return ReadResult(id_, own(props), own(props))
        found = self.find(kafka_of(props), props)
        if found is None:
            return ReadResult("", {})
        now = own(props) | found
        return ReadResult(id_, now, dict(now))

    def _apply(self, news: Inputs) -> None:
        if not simulated(news):
            self.apply(kafka_of(news), news)

    @staticmethod
    def _changed(names: tuple[str, ...], olds: Inputs, news: Inputs) -> list[str]:
        return [name for name in names if olds.get(name) != news.get(name)]


def kafka_of(props: Inputs) -> LiveKafka:
    """The Kafka that a resource is on."""
    return LiveKafka({**props["connection"], "KUBECONFIG_CONTENT": props["kubeconfig"]})


def simulated(props: Inputs) -> bool:
    """Whether no Kafka answers."""
    return bool(props["connection"]["SIMULATED"])


def own(props: Inputs) -> dict[str, Any]:
    """The properties without the SDK's own."""
    return {name: value for name, value in props.items() if name != _STATE}


def tell_refusals_in_a_sentence() -> None:
    """The SDK's process answers an exception with its traceback, in place of which a refusal is its message."""
    told = traceback.format_exc
    if told.__module__ != traceback.__name__:  # done already
        return

    def format_exc(*arguments: Any, **options: Any) -> str:
        error = sys.exc_info()[1]
        return str(error) if isinstance(error, Refused) else told(*arguments, **options)

    traceback.format_exc = format_exc
