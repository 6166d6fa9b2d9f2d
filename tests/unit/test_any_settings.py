"""Whatever is set: it is refused in sentences, or the plan and the manifests keep to what must always hold."""

import re
from typing import Any

from hypothesis import HealthCheck, event, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from components import manifests
from components.kafka_plan import KafkaPlan, plan_kafka
from components.refusal import UnsafeSettings
from components.settings import Settings, read_settings

ZONES = ["zone-a", "zone-b", "zone-c", "zone-d"]
LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
VOTER = re.compile(r"(\d+)@([a-z0-9-]+(?:\.[a-z0-9-]+)+):(\d+):([A-Za-z0-9_-]{22})")
STORAGE = st.fixed_dictionaries({}, optional={"size": st.sampled_from(["1Gi", "500G"]), "storageClass": st.just("a")})
RESOURCES = st.fixed_dictionaries({}, optional={"memory": st.just("8Gi"), "heap": st.sampled_from(["1Gi", "700Mi"])})
PROPERTIES = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9._-]{0,20}", fullmatch=True)
    | st.sampled_from(["node.id", " node.id", "num.io.threads", "replica.lag.time.max.ms", "log.dirs", "a=b", "#a"]),
    st.integers() | st.booleans() | st.text(max_size=10) | st.sampled_from(["a\\", "a\nnode.id=1", " a "]),
    max_size=1,
)
KAFKA = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["k", "events", "e" * 40]),
        "namespace": st.sampled_from(["n", "n" * 63]),
        "faultTolerance": st.sampled_from([1, 2]),
        "dedicatedControllers": st.none() | st.fixed_dictionaries({"storage": STORAGE, "resources": RESOURCES}),
        "brokers": st.sampled_from([5, 7, 9, 6, 20]),
        "controllers": st.sampled_from([3, 5, 7]),
        "replicationFactor": st.sampled_from([4, 5, 3]),
        "minInsyncReplicas": st.sampled_from([2, 2, 3]),
        "maxUnavailable": st.sampled_from([1, 1, 2]),
        "storage": st.builds(lambda one, volumes: {**one, "volumes": volumes}, STORAGE, st.integers(1, 3)),
        "resources": RESOURCES,
        "nodePool": st.just({"nodeSelector": {"pool": "kafka"}, "tolerations": [{"key": "kafka"}]}),
        "jvmOptions": st.sampled_from(["", "-XX:+UseZGC"]),
        "properties": PROPERTIES,
        "terminationGracePeriod": st.sampled_from(["1m", "90s", "2h"]),
        "startupTimeout": st.sampled_from(["1m", "61s"]),
    },
)


@hypothesis_settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(KAFKA, st.sampled_from([3, 4, 2]), st.booleans())
def test_any_settings_are_refused_or_give_a_cluster_that_holds(kafka: Any, zones: int, labelled: bool) -> None:
    config = {"cluster": {"kind": "kwok", "zones": ZONES[:zones]}, "kafka": kafka}
    settings, errors = read(config)
    event("refused" if errors else "deployed")
    assert all(re.match(r"kafka-ha:[\w.\[\]]+: \S", error) for error in errors)
    if settings is None:
        assert errors
        return
    plan = plan_kafka(settings.kafka, settings.cluster.zones, "test", pods_know_their_zone=labelled)
    budgets_are_tolerated(plan)
    every_node_is_told_apart(plan)
    for nodes in plan.groups:
        properties_are_one_file(plan.files(nodes)["server.properties"])
        kubernetes_takes(manifests.stateful_set(plan, nodes), manifests.service(plan, nodes))


def read(config: dict[str, Any]) -> tuple[Settings | None, tuple[str, ...]]:
    try:
        return read_settings(config), ()
    except UnsafeSettings as refusal:
        return None, refusal.errors


def budgets_are_tolerated(plan: KafkaPlan) -> None:
    """Writes and the quorum outlive what evictions may take at once."""
    settings = plan.settings
    voters = plan.controllers.replicas
    assert voters == len(plan.voters) == settings.controllers
    assert voters % 2
    assert 2 * (voters - plan.controllers.max_unavailable) > voters
    assert settings.replication_factor - plan.brokers.max_unavailable >= settings.min_insync_replicas >= 2
    assert plan.brokers.replicas >= settings.replication_factor
    assert min(nodes.max_unavailable for nodes in plan.groups) >= 1


def every_node_is_told_apart(plan: KafkaPlan) -> None:
    """By its id, its name and its directory; the voters are the controllers, at their own addresses."""
    ids = [nodes.first_id + ordinal for nodes in plan.groups for ordinal in range(nodes.replicas)]
    assert len(set(ids)) == len(ids)
    assert len({pod for nodes in plan.groups for pod in nodes.pods}) == len(ids)
    voters = [VOTER.fullmatch(voter) for voter in plan.voters]
    addresses = plan.quorum
    assert [voter and f"{voter[2]}:{voter[3]}" for voter in voters] == list(addresses)
    assert {voter and int(voter[1]) for voter in voters} <= set(ids)
    assert len({voter and voter[4] for voter in voters}) == len(voters)


def properties_are_one_file(text: str) -> None:
    """Each line a property, as Java reads it: no key twice, no line that goes on."""
    lines = text.split("\n")
    assert lines.pop() == ""
    keys = [re.fullmatch(r"([A-Za-z0-9._-]+)=[ -~]*", line) for line in lines]
    assert all(keys), text
    assert len({key and key[1] for key in keys}) == len(keys)
    assert not [line for line in lines if re.search(r"(?<!\\)(\\\\)*\\$", line)]


def kubernetes_takes(stateful_set: Any, service: Any) -> None:
    """Names that are labels together with what Kubernetes appends, and numbers that it allows."""
    assert LABEL.fullmatch(service["metadata"]["name"])
    assert LABEL.fullmatch(f"{stateful_set['metadata']['name']}-{'a' * 10}"), "with a revision's hash"
    pod = stateful_set["spec"]["template"]["spec"]
    (kafka,) = pod["containers"]
    assert kafka["startupProbe"]["failureThreshold"] >= 1
    assert pod["terminationGracePeriodSeconds"] >= 60
    for container in (*pod["initContainers"], *pod["containers"]):
        assert all(isinstance(one.get("value", ""), str) for one in container["env"])
        mounted = {one["name"] for one in container["volumeMounts"]}
        claims = {one["metadata"]["name"] for one in stateful_set["spec"]["volumeClaimTemplates"]}
        assert mounted <= {one["name"] for one in pod["volumes"]} | claims
