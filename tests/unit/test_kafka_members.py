"""The commands around the StatefulSets: what they are told, and what waits for what."""

import pytest

from components.kafka_cluster import KafkaCluster
from components.kafka_settings import Controllers, KafkaSettings, Reassignment
from components.kinds.kwok import KwokSettings
from components.quantities import parse_quantity
from components.refusal import UnsafeSettings
from components.scripts.kwok_cluster import Kwok
from components.scripts.members import Members
from components.settings import read_settings
from components.zoned_cluster import ZonedCluster
from tests.unit.mocks import Recorder, registered

DEDICATED = KafkaSettings(fault_tolerance=2, dedicated_controllers=Controllers())


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    monkeypatch.setattr(Kwok, "find", lambda self: None)
    return Recorder.installed()


def deploy(recorder: Recorder, settings: KafkaSettings) -> None:
    registered(recorder, lambda: KafkaCluster("kafka", settings, ZonedCluster("cluster", KwokSettings(kind="kwok"))))


def needed(recorder: Recorder, name: str) -> set[str]:
    """What a resource waits for, of what this is about."""
    found = {urn.rpartition("::")[2] for urn in recorder.requests[name].dependencies}
    return found & {"kafka-evacuation", "kafka-controllers", "kafka-brokers", "kafka-members", "kafka-rebalance"}


@pytest.mark.parametrize(
    ("settings", "order"),
    [
        (KafkaSettings(), {"kafka-brokers": {"kafka-evacuation"}, "kafka-members": {"kafka-brokers"}}),
        (
            DEDICATED,
            {
                "kafka-controllers": {"kafka-evacuation"},
                "kafka-brokers": {"kafka-evacuation", "kafka-controllers"},
                "kafka-members": {"kafka-controllers", "kafka-brokers"},
            },
        ),
    ],
)
def test_brokers_are_empty_before_they_go_and_full_after_they_came(
    recorder: Recorder, settings: KafkaSettings, order: dict[str, set[str]]
) -> None:
    deploy(recorder, settings)
    order = {"kafka-evacuation": set(), **order, "kafka-rebalance": {"kafka-members"}}
    assert {name: needed(recorder, name) for name in order} == order


@pytest.mark.parametrize(
    ("settings", "members"),
    [
        (
            KafkaSettings(brokers=5, name="events"),
            Members(5, "events", 5, 0, "events", throttle=50 * 2**20, automatic=True),
        ),
        (
            DEDICATED.model_copy(
                update={"reassignment": Reassignment(throttle=parse_quantity("2Mi"), automatic=False)}
            ),
            Members(4, "kafka", 5, 1000, "kafka-controller", throttle=2 * 2**20, automatic=False),
        ),
    ],
)
def test_each_command_is_told_what_is_asked_for(recorder: Recorder, settings: KafkaSettings, members: Members) -> None:
    deploy(recorder, settings)
    for suffix, action in {"evacuation": "evacuate", "members": "settle", "rebalance": "rebalance"}.items():
        inputs = recorder.registered[f"kafka-{suffix}"].inputs
        assert inputs["create"] == f"python3 -m components.scripts.members {action}"
        assert (inputs["logging"], "delete" in inputs) == ("stderr", False)
        environment = inputs["environment"]["value"]  # secret as a whole, with the kubeconfig in it
        assert Members.from_environment(environment) == members
        assert environment["SIMULATED"] == "yes"


@pytest.mark.parametrize("throttle", ["1Ki", 1048575])
def test_a_throttle_that_never_ends_is_refused(throttle: object) -> None:
    with pytest.raises(UnsafeSettings) as refusal:
        read_settings({"cluster": {"kind": "kwok"}, "kafka": {"reassignment": {"throttle": throttle}}})
    [error] = refusal.value.errors
    assert f"kafka-ha:kafka.reassignment.throttle: got {throttle!r}, but a throttle is at least 1Mi" in error
