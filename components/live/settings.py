"""The brokers' settings that Kafka changes at run time, in all brokers at once and without a restart.

They are not in server.properties but in the cluster's metadata, as the brokers' defaults (`--entity-default`). Which
ones these are: `kafka_release`. What is set there by hand is found by a refresh and reset by the next deployment.
"""

from typing import Any

from components.kafka_release import MIN_ISR, RUN_TIME
from components.live.kafka import LiveKafka
from components.live.provider import Inputs, LiveProvider, kafka_of, simulated
from components.own_resource import OwnResource
from components.scripts.kafka_tools import KafkaRefused
from components.scripts.process import Refused


class SettingsProvider(LiveProvider):
    """See the module."""

    fields = ("settings",)

    def find(self, kafka: LiveKafka, props: Inputs) -> dict[str, Any]:
        """All of them that are set, whoever set them."""
        return {"settings": {name: value for name, value in kafka.settings.items() if name in RUN_TIME | {MIN_ISR}}}

    def apply(self, kafka: LiveKafka, news: Inputs) -> None:
        """Sets and resets what differs."""
        _set(kafka, self.find(kafka, news)["settings"], news["settings"])

    def delete(self, id_: str, props: dict[str, Any]) -> None:
        """Resets what was set, but for the minimum ISR, which Kafka refuses to remove (KIP-966)."""
        if not simulated(props):
            left = {name: value for name, value in props["settings"].items() if name != MIN_ISR}
            _set(kafka_of(props), left, {})


def _set(kafka: LiveKafka, found: dict[str, str], asked: dict[str, str]) -> None:
    try:
        kafka.configure(("--entity-type", "brokers", "--entity-default"), found, asked)
    except KafkaRefused as error:
        raise Refused(
            f"kafka-ha:kafka.properties: Kafka refuses it: {error}. Nothing was changed; set another value and "
            "deploy again."
        ) from error


class SettingsResource(OwnResource, name="Settings", provider=SettingsProvider):
    """The run-time settings of one cluster."""
