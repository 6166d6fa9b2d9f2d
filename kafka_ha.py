"""What a program of yours uses of this one: `from kafka_ha import KafkaCluster, KafkaSettings, ZonedCluster`.

Settings are the models of docs/settings.md, by Python's names (`min_insync_replicas`) or as they stand in a stack's
file (`KafkaSettings.model_validate({"minInsyncReplicas": 2})`). What is unsafe raises `UnsafeSettings` before anything
is registered. All else in the packages may change with any version.
"""

from components.kafka_cluster import KafkaCluster
from components.kafka_settings import (
    Controllers,
    KafkaSettings,
    NodePool,
    Reassignment,
    Resources,
    Storage,
    Toleration,
    TopicSettings,
)
from components.kafka_topic import KafkaTopic
from components.kafka_user import KafkaUser
from components.kinds import KINDS
from components.kinds.kind import ClusterSettings, Connection, Kind
from components.metrics_settings import Metrics
from components.quantities import parse_duration, parse_quantity
from components.refusal import UnsafeSettings
from components.security_settings import Issuer, Security
from components.settings import Settings, load_settings, read_settings
from components.user_settings import Allowance, UserSettings
from components.zoned_cluster import ZonedCluster

__version__ = "0.1.0"

__all__ = [
    "KINDS",
    "Allowance",
    "ClusterSettings",
    "Connection",
    "Controllers",
    "Issuer",
    "KafkaCluster",
    "KafkaSettings",
    "KafkaTopic",
    "KafkaUser",
    "Kind",
    "Metrics",
    "NodePool",
    "Reassignment",
    "Resources",
    "Security",
    "Settings",
    "Storage",
    "Toleration",
    "TopicSettings",
    "UnsafeSettings",
    "UserSettings",
    "ZonedCluster",
    "cluster_settings",
    "load_settings",
    "parse_duration",
    "parse_quantity",
    "read_settings",
]


def cluster_settings(kind: str, **settings: object) -> ClusterSettings:
    """Settings of a cluster of one of `KINDS`. Raises KeyError for another kind, pydantic's ValidationError for wrong
    settings.
    """
    found: ClusterSettings = KINDS[kind].settings.model_validate({"kind": kind, **settings})
    return found
