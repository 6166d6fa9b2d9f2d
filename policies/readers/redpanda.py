"""Redpanda by its operator: Redpanda and Topic of cluster.redpanda.com.

Redpanda acknowledges by a majority of a partition's replicas, each partition its own Raft group: its minimum ISR is
that majority, and its nodes all vote.
"""

from collections.abc import Iterator

from policies.manifest import Doc, Manifest
from policies.readers import pods
from policies.readers.operators import operator_budget, total
from policies.rules.model import ClusterFacts, Fact, Listener, NodeGroup, Replicas, Spread, Start, Storage
from policies.world import World, together

_GROUP = "cluster.redpanda.com"
KINDS = ((_GROUP, "Redpanda"), (_GROUP, "Topic"))
_HOST_KEY = "kubernetes.io/hostname"
_DEFAULT_REPLICAS = 3
_DEFAULT_GRACE = 90


def read(world: World, only: Manifest | None = None) -> Iterator[ClusterFacts]:
    """The clusters, each with its topics."""
    if only is not None and only.group != _GROUP:
        return
    for one in world.of(_GROUP, "Redpanda"):
        if only is None or only is one or only.kind == "Topic":
            yield _cluster(one, world)


def _cluster(one: Manifest, world: World) -> ClusterFacts:
    spec = one.spec("clusterSpec")
    group = _nodes(one, spec)
    brokers = total((group,), world, one.path)
    factor = spec.at("config", "cluster", "default_topic_replications").integer()
    if factor.value is None and not factor.undecided:
        replicas = group.replicas.value
        # The chart asks for three as soon as there are three nodes.
        factor = Fact(factor.path, None if replicas is None else 3 if replicas >= _DEFAULT_REPLICAS else 1,
                      "" if replicas is not None else group.replicas.undecided, "the chart's default")  # fmt: skip
    topics = [
        Replicas(item.spec("kafkaTopicName").plain(item.name), count, _majority(count))
        for item in world.near(_GROUP, "Topic", one)
        if _of(item, one) and ((count := item.spec("replicationFactor").integer()).value is not None or count.undecided)
    ]
    return ClusterFacts(
        path=one.path,
        brokers=brokers,
        default=Replicas("", factor, _majority(factor)),
        others=tuple(topics),
        rack=_rack(spec),
        groups=(group,),
        listeners=_listeners(spec),
        authorizer=_sasl(spec),
        namespace=one.namespace or "",
        name=one.name,
        subjects=(one.subject,),
    )


def _of(item: Manifest, one: Manifest) -> bool:
    name = item.spec("cluster", "clusterRef", "name")
    return together(item, one) is not False and (name.absent or name.unknown or name.value == one.name)


def _majority(factor: Fact[int]) -> Fact[int] | None:
    """What an acknowledgement waits for; a single replica has no majority, which is the factor's to say."""
    if factor.value is not None and factor.value < 2:
        return None
    value = None if factor.value is None else factor.value // 2 + 1
    return Fact(factor.path, value, factor.undecided, "the majority of its replicas")


def _nodes(one: Manifest, spec: Doc) -> NodeGroup:
    stateful = spec["statefulset"]
    template = stateful.at("podTemplate", "spec")
    replicas = stateful["replicas"].integer()
    if replicas.value is None and not replicas.undecided:
        replicas = Fact(replicas.path, _DEFAULT_REPLICAS, note="the chart's default")
    labels: dict[str, object] = {
        "app.kubernetes.io/name": "redpanda",
        "app.kubernetes.io/instance": one.name,
        "app.kubernetes.io/component": "redpanda-statefulset",
    }
    grace = stateful["terminationGracePeriodSeconds"].integer()
    if grace.value is None and not grace.undecided:
        grace = Fact(grace.path, _DEFAULT_GRACE, note="the chart's default")
    maximum = stateful["budget"]["maxUnavailable"]
    return NodeGroup(
        path=one.path,
        replicas=replicas,
        broker=True,
        controller=False,
        spreads=_spreads(stateful, template, labels),
        budgets=operator_budget(one.name, maximum, replicas),
        storage=Storage(_persistent(spec)),
        start=Start(grace_period=grace, image=_image(spec)),
    )


def _spreads(stateful: Doc, template: Doc, labels: dict[str, object]) -> Fact[tuple[Spread, ...]]:
    written = template if not template["topologySpreadConstraints"].absent else stateful
    found = pods.spreads(_with_selector(written["topologySpreadConstraints"], labels), template["affinity"], labels)
    if found.value is None:
        return found
    anti = stateful["podAntiAffinity"]
    if anti["type"].plain("hard") == "hard" and not anti.unknown:
        key = anti["topologyKey"].plain(_HOST_KEY)
        return Fact(found.path, (*found.value, Spread(anti.path, key, True, 1, True, exclusive=True)))
    return found


def _with_selector(constraints: Doc, labels: dict[str, object]) -> Doc:
    """The chart adds the selector of the pods' own labels to each constraint."""
    if not isinstance(constraints.value, list):
        return constraints
    own = {"matchLabels": labels}
    added = [{"labelSelector": own, **one} if isinstance(one, dict) else one for one in constraints.value]
    return Doc(added, constraints.path)


def _persistent(spec: Doc) -> Fact[bool]:
    enabled = spec.at("storage", "persistentVolume", "enabled").flag()
    if enabled.undecided:
        return enabled
    note = "an emptyDir or hostPath" if enabled.value is False else ""
    return Fact(enabled.path, enabled.value is not False, note=note)


def _image(spec: Doc) -> Fact[str] | None:
    tag = spec.at("image", "tag")
    if tag.absent:
        return None  # the operator's own version
    text = tag.text()
    name = spec.at("image", "repository").plain("redpanda")
    return Fact(tag.path, None if text.value is None else f"{name}:{text.value}", text.undecided)


def _rack(spec: Doc) -> Fact[str]:
    enabled, key = spec.at("rackAwareness", "enabled").flag(), spec.at("rackAwareness", "nodeAnnotation")
    if enabled.undecided:
        return Fact(enabled.path, undecided=enabled.undecided)
    return Fact(enabled.path, key.plain("topology.kubernetes.io/zone") if enabled.value else None)


def _listeners(spec: Doc) -> Fact[tuple[Listener, ...]]:
    tls = spec.at("tls", "enabled").flag()
    protocol = "PLAINTEXT" if tls.value is False else "SSL"
    return Fact(tls.path, (Listener("kafka", Fact(tls.path, protocol, tls.undecided)),))


def _sasl(spec: Doc) -> Fact[bool]:
    enabled = spec.at("auth", "sasl", "enabled").flag()
    return Fact(enabled.path, bool(enabled.value), enabled.undecided)
