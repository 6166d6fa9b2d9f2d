"""Which components the plugin offers, and what each takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.kafka_cluster import KafkaCluster
from components.kafka_settings import KafkaSettings, TopicSettings
from components.kafka_topic import KafkaTopic
from components.kafka_user import KafkaUser
from components.kinds import KINDS
from components.settings_model import SettingsModel
from components.user_settings import UserSettings
from components.zoned_cluster import ZonedCluster

PACKAGE = "kafka-ha"
TEXT: Mapping[str, Any] = {"type": "string"}
LIST: Mapping[str, Any] = {"type": "array", "items": TEXT}
ANY: Mapping[str, Any] = {"$ref": "pulumi.json#/Any"}


@dataclass(frozen=True)
class Offered:
    """A component of the package."""

    component: type[Any]  # a ComponentResource; what it is called with differs
    settings: tuple[type[SettingsModel], ...]
    """Its inputs; where there are several, `kind` says which."""
    outputs: Mapping[str, Mapping[str, Any]]
    """Attributes of it, with their types in a schema."""
    optional: frozenset[str] = frozenset()
    """Outputs that may be missing."""
    on: str = ""
    """Input that holds the component it stands on."""
    on_type: str = ""
    """Name of that one's type."""

    @property
    def name(self) -> str:
        """Name of its type."""
        return self.component.__name__

    def model(self, given: Mapping[str, Any]) -> type[SettingsModel]:
        """What to read the inputs with. Raises KeyError for a kind that there is not."""
        return self.settings[0] if len(self.settings) == 1 else KINDS[given.get("kind", "")].settings


_KAFKA_OUTPUTS = ("bootstrap", "external_bootstrap", "cluster_id", "client_command", "client_properties", "authority")
OFFERED = {
    one.name: one
    for one in (
        Offered(ZonedCluster, tuple(kind.settings for kind in KINDS.values()), {"kubeconfig": TEXT, "zones": LIST}),
        Offered(
            KafkaCluster,
            (KafkaSettings,),
            {**dict.fromkeys(_KAFKA_OUTPUTS, TEXT), "disruption_budget": ANY},
            on="cluster",
            on_type="ZonedCluster",
            optional=frozenset({"authority"}),
        ),
        Offered(KafkaTopic, (TopicSettings,), {"topic": TEXT}, on="kafka", on_type="KafkaCluster"),
        Offered(KafkaUser, (UserSettings,), {"secret": TEXT}, on="kafka", on_type="KafkaCluster"),
    )
}
"""By the names of their types."""
