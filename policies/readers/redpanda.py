"""Redpanda by its operator: Redpanda, NodePool and Topic of cluster.redpanda.com.

Redpanda acknowledges by a majority of a partition's replicas, each partition its own Raft group: its minimum ISR is
that majority, and its nodes all vote.

Defaults are those of redpanda-data/redpanda-operator's charts/redpanda (values.yaml, statefulset.go, configmap.tpl.go),
to which the operator brings a resource (operator/api/redpanda/v1alpha2/conversion); read at chart 26.2.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from policies.manifest import UNKNOWN, Doc, Manifest
from policies.readers import pods
from policies.readers.operators import operator_budget, total
from policies.readers.untold import untold
from policies.readers.volumes import binding_mode, retained
from policies.rules.model import ClusterFacts, Fact, Listener, NodeGroup, Replicas, Spread, Start, Storage
from policies.world import World, together

_GROUP = "cluster.redpanda.com"
KINDS = ((_GROUP, "Redpanda"), (_GROUP, "NodePool"), (_GROUP, "Topic"))
_HOST_KEY = "kubernetes.io/hostname"
_DEFAULT_REPLICAS = 3
_DEFAULT_GRACE = 90


def read(world: World, only: Manifest | None = None) -> Iterator[ClusterFacts]:
    """The clusters, each with its topics."""
    if only is not None and only.group != _GROUP:
        return
    for one in world.of(_GROUP, "Redpanda"):
        if only is None or only is one or only.kind != "Redpanda":
            yield _cluster(one, world)
    if only is None:
        yield from _orphans(world)


def _orphans(world: World) -> Iterator[ClusterFacts]:
    """Topics and pools of a cluster that is not among these resources: the topics are judged by themselves."""
    clusters = world.of(_GROUP, "Redpanda")
    for one in (*world.of(_GROUP, "Topic"), *world.of(_GROUP, "NodePool")):
        if not any(_of(one, cluster) for cluster in clusters):
            facts = untold(one, "its Redpanda is not among these resources")
            yield replace(facts, others=tuple(_topics([one])))


def _cluster(one: Manifest, world: World) -> ClusterFacts:
    spec = one.spec("clusterSpec")
    groups = _groups(one, spec, world)
    brokers = total(groups, world, one.path)
    factor = spec.at("config", "cluster", "default_topic_replications").integer()
    if factor.value is None and not factor.undecided:
        # The chart asks for three as soon as the StatefulSet has three nodes; those of pools do not count.
        nodes = groups[0].replicas
        default = None if nodes.value is None else 3 if nodes.value >= _DEFAULT_REPLICAS else 1
        factor = Fact(factor.path, default, nodes.undecided, "the chart's default")
    return ClusterFacts(
        path=one.path,
        brokers=brokers,
        default=Replicas("", factor, _majority(factor)),
        others=tuple(_topics(item for item in world.near(_GROUP, "Topic", one) if _of(item, one))),
        rack=_rack(spec),
        groups=tuple(group for group in groups if group.replicas.value != 0),
        listeners=_listeners(spec),
        authorizer=_sasl(spec),
        namespace=one.namespace or "",
        name=one.name,
        subjects=(one.subject,),
    )


def _topics(items: Iterable[Manifest]) -> Iterator[Replicas]:
    """The topics that say how many replicas they have."""
    for item in items:
        count = item.spec("replicationFactor").integer()
        if item.kind == "Topic" and (count.known or count.undecided):
            yield Replicas(item.spec("kafkaTopicName").plain(item.name), count, _majority(count))


def _of(item: Manifest, one: Manifest) -> bool:
    name = item.spec(*(("clusterRef",) if item.kind == "NodePool" else ("cluster", "clusterRef")), "name")
    return together(item, one) is not False and (name.absent or name.unknown or name.value == one.name)


def _majority(factor: Fact[int]) -> Fact[int] | None:
    """What an acknowledgement waits for; a single replica has no majority, which is the factor's to say."""
    if factor.value is not None and factor.value < 2:
        return None
    value = None if factor.value is None else factor.value // 2 + 1
    return Fact(factor.path, value, factor.undecided, "the majority of its replicas")


def _groups(one: Manifest, spec: Doc, world: World) -> list[NodeGroup]:
    """The cluster's own StatefulSet first, then one for each node pool."""
    pools = [pool for pool in world.near(_GROUP, "NodePool", one) if _of(pool, one)]
    stateful = spec["statefulset"]
    labels = {one.path: _labels(one, stateful, "")} | {
        pool.path: _labels(one, pool.spec(), f"-{pool.name}") for pool in pools
    }
    replicas = stateful["replicas"].integer()
    if replicas.value is None and not replicas.undecided:
        replicas = Fact(replicas.path, _DEFAULT_REPLICAS, note="the chart's default")
    counts = [replicas, *(pool.spec("replicas").integer() for pool in pools)]
    budgets = operator_budget(one.name, stateful["budget"]["maxUnavailable"], _sum(counts))  # one for all of them
    groups: list[NodeGroup] = []
    for at, own, count in zip(labels, (stateful, *(pool.spec() for pool in pools)), counts, strict=True):
        peers = {path: of for path, of in labels.items() if path != at}
        template = own.at("podTemplate", "spec")
        older = Doc(None) if groups else stateful  # pools have no such fields
        grace = template["terminationGracePeriodSeconds"]
        before = older["terminationGracePeriodSeconds"]
        seconds = (grace if before.absent else before).integer()
        if seconds.value is None and not seconds.undecided:
            seconds = Fact(grace.path, _DEFAULT_GRACE, note="the chart's default")
        policy = own["persistentVolumeClaimRetentionPolicy"]
        retention = stateful["persistentVolumeClaimRetentionPolicy"] if policy.absent else policy
        class_name = spec.at("storage", "persistentVolume", "storageClass")
        groups.append(
            NodeGroup(
                path=at,
                replicas=count,
                broker=True,
                controller=False,
                spreads=_spreads(older, template, labels[at], peers, one.namespace),
                budgets=budgets,
                storage=Storage(
                    _persistent(spec),
                    keep_on_delete=tuple(retained(retention)),
                    binding_mode=binding_mode(class_name, world),
                ),
                start=Start(grace_period=seconds, image=_image(spec if own["image"].absent else own)),
            )
        )
    return groups


def _sum(counts: list[Fact[int]]) -> Fact[int]:
    values = [count.value for count in counts]
    unknown = next(
        (count.undecided or "the number of replicas is not set" for count in counts if count.value is None), ""
    )
    return Fact(counts[0].path, None if unknown else sum(value or 0 for value in values), unknown)


def _labels(one: Manifest, own: Doc, suffix: str) -> dict[str, object]:
    """The labels of the pods of a StatefulSet (StatefulSetPodLabels)."""
    return {
        "helm.sh/chart": UNKNOWN,
        "app.kubernetes.io/managed-by": "Helm",
        "app.kubernetes.io/name": "redpanda",
        "app.kubernetes.io/instance": one.name,
        "app.kubernetes.io/component": f"redpanda{suffix}-statefulset",
        "cluster.redpanda.com/broker": "true",
        "redpanda.com/poddisruptionbudget": one.name,
        **{key: value.value for key, value in own["additionalSelectorLabels"].items()},
        **{key: value.value for key, value in own.at("podTemplate", "labels").items()},
    }


def _spreads(
    older: Doc, template: Doc, labels: pods.Labels, peers: Mapping[str, pods.Labels], namespace: str | None
) -> Fact[tuple[Spread, ...]]:
    """What the pod template holds, over the chart's anti-affinity; `older` are the fields that came before it."""
    anti = older["podAntiAffinity"]
    kind = anti["type"].text()
    affinity = template["affinity"]
    if kind.undecided:
        return Fact(kind.path, undecided=kind.undecided)
    if kind.value == "custom" and not anti["custom"].absent:
        affinity = Doc({"podAntiAffinity": anti["custom"].value}, anti.path)
    elif kind.value in ("hard", "soft"):
        affinity = Doc(None, anti.path)
    found = pods.spreads(template["topologySpreadConstraints"], affinity, labels, peers, namespace=namespace)
    bare = pods.spreads(_without_selector(older["topologySpreadConstraints"]), Doc(None), labels, peers)
    if found.value is None or bare.value is None:
        return found if found.value is None else bare
    spreads = (*found.value, *bare.value)
    unset = kind.value not in ("hard", "soft", "custom") and affinity.at("podAntiAffinity", pods.REQUIRED).absent
    if kind.value == "hard" or unset:
        key = anti["topologyKey"].plain(_HOST_KEY) if kind.value == "hard" else _HOST_KEY
        spreads = (*spreads, Spread(anti.path, key, True, 1, True, exclusive=True))
    written = older["topologySpreadConstraints"] if bare.value else template["topologySpreadConstraints"]
    return Fact(written.path, spreads)


def _without_selector(constraints: Doc) -> Doc:
    """The resource's older constraints have no selector, and without one a constraint selects no pod."""
    if not isinstance(constraints.value, list):
        return constraints
    kept = [{key: one[key] for key in one if key != "labelSelector"} if isinstance(one, dict) else one
            for one in constraints.value]  # fmt: skip
    return Doc(kept, constraints.path)


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
    """The listener inside and those outside, each by its own setting, else by the one above it, else with TLS."""
    inside, everywhere = spec.at("listeners", "kafka"), spec.at("tls", "enabled")
    found = [Listener("kafka", _protocol(inside["tls"]["enabled"], everywhere))]
    if spec.at("external", "enabled").flag().value is not False:
        found += (
            Listener(name, _protocol(one["tls"]["enabled"], inside["tls"]["enabled"], everywhere), outside=True)
            for name, one in inside["external"].items()
            if one["enabled"].flag().value is not False
        )
    return Fact(everywhere.path, tuple(found))


def _protocol(*settings: Doc) -> Fact[str]:
    chosen = next((one for one in settings if not one.absent), settings[-1]).flag()
    return Fact(chosen.path, "PLAINTEXT" if chosen.value is False else "SSL", chosen.undecided)


def _sasl(spec: Doc) -> Fact[bool]:
    enabled = spec.at("auth", "sasl", "enabled").flag()
    return Fact(enabled.path, bool(enabled.value), enabled.undecided)
