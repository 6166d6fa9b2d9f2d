"""Dynamic resources through the real engine on a simulated cluster: what rolls and what does not, what is refused.

The tests share one stack and stand in the order of its life; each deploys what it needs itself.
"""

from tests.engine.conftest import Api, set_kafka, set_topics
from tests.stack import Stack


def restarts(api: Api) -> dict[str, str]:
    """What a restart of a broker changes."""
    return {name: pod.metadata.uid for name, pod in api.pods().items()}


def test_what_is_deployed_stays_as_it_is(sim: Stack) -> None:
    set_kafka(sim, metadataVersion="4.2", properties={"num.io.threads": 16})
    sim.up()
    sim.up("--expect-no-changes")
    sim.pulumi("refresh", "--stack", sim.name, "--yes", "--skip-preview", "--expect-no-changes")
    sim.up("--expect-no-changes")


def test_the_kubeconfig_is_a_secret(sim: Stack) -> None:
    key = next(line.split()[-1] for line in sim.outputs()["kubeconfig"].splitlines() if "client-key-data" in line)
    states = [file.read_text() for file in (sim.folder / "state").rglob(f"{sim.name}.json")]
    assert any("orders-topic" in state for state in states)
    assert not any(key in state for state in states)
    assert key not in sim.pulumi("preview", "--stack", sim.name, "--diff", "--show-sames")


def test_run_time_settings_change_without_a_restart(sim: Stack, api: Api) -> None:
    before = restarts(api)
    set_kafka(sim, metadataVersion="4.2", properties={"num.io.threads": 12, "log.retention.ms": 1000})
    assert sim.preview() == {"kafka": "update", "kafka-settings": "update"}
    out = sim.pulumi("preview", "--stack", sim.name, "--diff")
    assert '~ num.io.threads  : "16" => "12"' in out
    sim.up()
    set_kafka(sim, metadataVersion="4.2")
    assert sim.preview() == {"kafka": "update", "kafka-settings": "update"}
    sim.up()
    assert restarts(api) == before


def test_the_metadata_version_is_raised_without_a_restart_and_not_lowered(sim: Stack, api: Api) -> None:
    before = restarts(api)
    set_kafka(sim, metadataVersion="4.3")
    assert sim.preview() == {"kafka": "update", "kafka-config": "update", "kafka-metadata-version": "update"}
    sim.up()
    assert restarts(api) == before
    set_kafka(sim, metadataVersion="4.2")
    message = sim.refusal("preview")
    assert "kafka-ha:kafka.metadataVersion: got 4.2, but the cluster's metadata version is 4.3" in message
    set_kafka(sim, metadataVersion="4.3", image="apache/kafka:4.2.0")
    assert "the image apache/kafka:4.2.0 does not know it" in sim.refusal("preview")


def test_a_new_image_rolls_and_the_version_stays(sim: Stack, api: Api) -> None:
    before = restarts(api)
    set_kafka(sim, metadataVersion="4.3", image="apache/kafka:4.3.2")
    assert sim.preview() == {"kafka": "update", "kafka-image": "update", "kafka-brokers": "update"}
    sim.up()
    assert not set(restarts(api).values()) & set(before.values())


def test_lost_records_are_refused_in_the_preview(sim: Stack) -> None:
    set_topics(sim, {"name": "orders", "partitions": 3})
    assert "kafka-ha:topics[orders].partitions: got 3, but the topic has 6" in sim.refusal("preview")
    set_topics(sim, {"name": "orders", "partitions": 9, "config": {"retention.ms": 1000}})
    assert sim.preview() == {"orders": "update", "orders-topic": "update"}
    sim.up()


def test_a_guarded_topic_stays(sim: Stack) -> None:
    set_topics(sim)
    assert "set allowDeletion: true on it" in sim.refusal("up", "--yes", "--skip-preview")


def test_topics_go_with_a_replaced_cluster(sim: Stack) -> None:
    """All that is on the cluster is replaced, guarded topics too, and nothing is left for a second deployment."""
    set_topics(sim, {"name": "orders", "partitions": 9}, {"name": "payments"})
    sim.change(lambda config: config["cluster"].update(zones=["zone-a", "zone-b", "zone-d"]))
    steps = sim.preview()
    assert (steps["orders-topic"], steps["kafka-settings"]) == ("replace", "replace")
    sim.up()
    assert sorted(sim.outputs()["topics"]) == ["orders", "payments"]
    sim.up("--expect-no-changes")
