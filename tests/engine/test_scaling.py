"""Brokers that come and go, through the real engine: what runs before the StatefulSet changes, and what after it."""

from tests.engine.conftest import Api
from tests.stack import Stack

COMMANDS = ("kafka-evacuation", "kafka-members", "kafka-rebalance")


def scale(stack: Stack, brokers: int) -> str:
    """Previews and deploys so many brokers; what was printed."""
    stack.change(lambda config: config.update(kafka={"brokers": brokers}))
    steps = stack.preview()
    assert {steps[name] for name in (*COMMANDS, "kafka-brokers")} == {"update"}
    assert "replace" not in steps.values()
    return stack.up()


def test_brokers_come_and_go(sim: Stack) -> None:
    sim.up()
    scale(sim, 5)
    printed = scale(sim, 3)
    ended = [printed.index(f"{name} updated") for name in ("kafka-evacuation", "kafka-brokers", *COMMANDS[1:])]
    assert ended == sorted(ended), "emptied before they go, and settled when they are gone"
    assert "simulated cluster: no Kafka answers" in printed
    assert sorted(sim.outputs()["brokers"]) == ["kafka-0", "kafka-1", "kafka-2"]
    api = Api(sim.outputs()["kubeconfig"])
    assert len(api.core.list_namespaced_persistent_volume_claim("kafka").items) == 5, "what was scaled down is kept"
    sim.up("--expect-no-changes")
