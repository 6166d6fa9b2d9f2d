"""The quorum of a cluster that is there already: it stays with the nodes that formed it."""

from collections.abc import Sequence
from typing import Any

from components.kafka_plan import KafkaPlan
from components.manifests import marks_name


def moved(plan: KafkaPlan, objects: Sequence[dict[str, Any]]) -> list[str]:
    """Why the settings can't be deployed: they would move the quorum from brokers to controllers of their own, or back.
    `objects` hold the ConfigMap of marks, which tells the voters of the first quorum (`checker.prepare`).

    A broker that gives up its role of a controller by a restart is a voter that does not answer: the second of three
    would take the majority along.
    """
    data = next((item.get("data") for item in objects if _is_of_marks(item, plan)), None) or {}
    first, _, _ = data.get("voters", "").partition("@")
    if not first or int(first) == plan.controllers.first_id:
        return []
    if plan.settings.dedicated_controllers:
        given, formed, way_out = "controllers of their own", "the brokers", "Unset it"
    else:
        given, formed, way_out = "nothing", "controllers of their own", "Set it as it was, such as {}"
    return [
        f"kafka-ha:kafka.dedicatedControllers: got {given}, but the quorum of this cluster was formed by {formed}, and "
        f"a running quorum can't be moved. {way_out}, or make another cluster and move the topics to it."
    ]


def _is_of_marks(item: dict[str, Any], plan: KafkaPlan) -> bool:
    return bool(item["kind"] == "ConfigMap" and item["metadata"]["name"] == marks_name(plan))
