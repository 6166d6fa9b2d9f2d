"""Kafka by the Strimzi operator: Kafka, KafkaNodePool and KafkaTopic. What the operator does by itself (Services,
probes, identities, one budget for all nodes) is not judged.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from policies.manifest import UNKNOWN, Doc, Manifest
from policies.readers import pods
from policies.readers.operators import config_of, operator_budget, topic, total, with_default
from policies.readers.untold import untold
from policies.readers.versions import parse_version
from policies.readers.volumes import binding_mode
from policies.rules.model import (
    UNCLEAN,
    Budget,
    ClusterFacts,
    Fact,
    Listener,
    NodeGroup,
    PodSecurity,
    Replicas,
    Spread,
    Start,
    Storage,
)
from policies.world import World, together

_GROUP = "kafka.strimzi.io"
KINDS = ((_GROUP, "Kafka"), (_GROUP, "KafkaNodePool"), (_GROUP, "KafkaTopic"))
_CLUSTER = "strimzi.io/cluster"
_DEFAULT_GRACE = 30
_DRAIN_CLEANER = "drain-cleaner"


def read(world: World, only: Manifest | None = None) -> Iterator[ClusterFacts]:
    """The clusters, each with its pools and topics."""
    if only is not None and only.group != _GROUP:
        return
    kafkas = world.of(_GROUP, "Kafka")
    for kafka in kafkas:
        if only is None or only is kafka or _belongs(only, kafka):
            yield _cluster(kafka, world)
    if only is None:
        yield from _orphans(world, kafkas)


def _belongs(part: Manifest, kafka: Manifest) -> bool:
    label = part.doc.at("metadata", "labels")[_CLUSTER]
    return label.value == kafka.name and together(part, kafka) is not False


def _orphans(world: World, kafkas: tuple[Manifest, ...]) -> Iterator[ClusterFacts]:
    """Topics and pools of a cluster that is not among these resources: judged by themselves."""
    for one in (*world.of(_GROUP, "KafkaTopic"), *world.of(_GROUP, "KafkaNodePool")):
        if any(_belongs(one, kafka) for kafka in kafkas):
            continue
        cluster = one.doc.at("metadata", "labels")[_CLUSTER].plain("?")
        facts = untold(one, f"its Kafka {cluster} is not among these resources")
        if one.kind == "KafkaTopic":
            yield replace(facts, others=(_topic(one),))
        else:
            metadata = {"name": cluster, "namespace": one.doc.at("metadata", "namespace").value}
            kafka = Manifest(_GROUP, "Kafka", Doc({"metadata": metadata, "spec": UNKNOWN}))
            pool = _pool(kafka, one, [one], world)
            voters = None if pool.controller is False else facts.brokers
            yield replace(facts, groups=(pool,), voters=voters, combined=_combined((pool,), one, zookeeper=False))


def _topic(one: Manifest) -> Replicas:
    spec = one.doc["spec"]
    factor = spec["replicas"]
    return topic(spec["topicName"].plain(one.name), one.path, factor, spec["config"])


def _cluster(kafka: Manifest, world: World) -> ClusterFacts:
    version = parse_version(kafka.spec("kafka", "version").plain())
    config = config_of(kafka.spec("kafka", "config"), version)
    pools = [pool for pool in world.near(_GROUP, "KafkaNodePool", kafka) if _belongs(pool, kafka)]
    groups = tuple(_pool(kafka, pool, pools, world) for pool in pools)
    if not pools and not kafka.spec("kafka", "replicas").absent:  # before node pools
        groups = (_old_style(kafka, world),)
    every = total(groups, world, kafka.path, "KafkaNodePool")
    budget = _budget(kafka, every, world)
    groups = tuple(replace(group, budgets=budget) for group in groups)
    controllers = [group for group in groups if group.controller is not False]
    brokers = [group for group in groups if group.broker is not False]
    zookeeper = not kafka.spec("zookeeper").absent and not pools
    topics = [_topic(one) for one in world.near(_GROUP, "KafkaTopic", kafka) if _belongs(one, kafka)]
    rack = kafka.spec("kafka", "rack", "topologyKey")
    return ClusterFacts(
        path=kafka.path,
        brokers=total(brokers, world, kafka.path, "KafkaNodePool"),
        default=config.default(),
        others=config.internal() + with_default(topics, config.default().factor),
        unclean_election=config.flag(UNCLEAN),
        voters=None if zookeeper else total(controllers, world, kafka.path, "KafkaNodePool"),
        combined=_combined(groups, kafka, zookeeper),
        zones=None,
        rack=rack.text(),
        groups=groups,
        listeners=_listeners(kafka),
        authorizer=_authorizer(kafka),
        namespace=kafka.namespace or "",
        name=kafka.name,
        subjects=(kafka.subject, *(pool.subject for pool in pools)),
    )


def _combined(groups: tuple[NodeGroup, ...], kafka: Manifest, zookeeper: bool) -> Fact[bool] | None:
    if zookeeper or not groups:
        return None
    both = [group for group in groups if group.broker and group.controller]
    return Fact(f"{both[0].path}: spec.roles", True) if both else Fact(kafka.path, False)


def _budget(kafka: Manifest, every: Fact[int], world: World) -> Fact[tuple[Budget, ...]]:
    maximum = kafka.spec("kafka", "template", "podDisruptionBudget", "maxUnavailable")
    made = operator_budget(f"{kafka.name}-kafka", maximum, every)
    allowed = made.value[0].allowed if made.value else None
    if allowed and allowed.value == 0:
        # The Drain Cleaner answers evictions in the operator's place, and wants a budget that allows none.
        if any(_DRAIN_CLEANER in one.name for one in world.of("apps", "Deployment")):
            return Fact(maximum.path, (Budget(f"{kafka.name}-kafka", Fact(maximum.path, 1, note="Drain Cleaner")),))
        reason = "0 blocks every drain, unless Strimzi's Drain Cleaner is installed, which is not among these resources"
        return Fact(maximum.path, (Budget(f"{kafka.name}-kafka", Fact(maximum.path, undecided=reason)),))
    return made


def _labels(kafka: Manifest, pool: Manifest) -> dict[str, object]:
    """The labels that Strimzi gives the pods of a pool, and those of the templates."""
    roles = [role.value for role in pool.spec("roles").each()]
    own: dict[str, object] = {
        **{key: value.value for key, value in pool.doc.at("metadata", "labels").items()},
        **_common_labels(kafka),
        "strimzi.io/pool-name": pool.name,
        "strimzi.io/controller-name": f"{kafka.name}-{pool.name}",
    }
    own |= {f"strimzi.io/{role}-role": str(role in roles).lower() for role in ("broker", "controller")}
    return own | {key: value.value for key, value in _template(kafka, pool).at("metadata", "labels").items()}


def _common_labels(kafka: Manifest) -> dict[str, object]:
    return {
        _CLUSTER: kafka.name,
        "strimzi.io/name": f"{kafka.name}-kafka",
        "strimzi.io/kind": "Kafka",
        "strimzi.io/component-type": "kafka",
        "app.kubernetes.io/name": "kafka",
        "app.kubernetes.io/instance": kafka.name,
        "app.kubernetes.io/part-of": f"strimzi-{kafka.name}",
        "app.kubernetes.io/managed-by": "strimzi-cluster-operator",
    }


def _template(kafka: Manifest, pool: Manifest) -> Doc:
    """Of the pool's template and the Kafka's one counts, as a whole (Strimzi's KafkaPool.fromCrd)."""
    return _first(pool.spec("template"), kafka.spec("kafka", "template"))["pod"]


def _pool(kafka: Manifest, pool: Manifest, pools: list[Manifest], world: World) -> NodeGroup:
    roles = [role.value for role in pool.spec("roles").each()]
    known = bool(roles) and all(isinstance(role, str) for role in roles)
    template = _template(kafka, pool)
    peers = {other.path: _labels(kafka, other) for other in pools if other is not pool}
    nodes = _nodes(
        pool.path,
        template,
        pool.spec("storage"),
        _first(pool.spec("resources"), kafka.spec("kafka", "resources")),
        _first(pool.spec("jvmOptions"), kafka.spec("kafka", "jvmOptions")),
        world,
    )
    return replace(
        nodes,
        replicas=pool.spec("replicas").integer(),
        broker="broker" in roles if known else None,
        controller="controller" in roles if known else None,
        pinned=pods.pinned(template),
        spreads=_spreads(kafka, template, _labels(kafka, pool), peers),
    )


def _old_style(kafka: Manifest, world: World) -> NodeGroup:
    own = kafka.spec("kafka")
    template = own.at("template", "pod")
    labels: dict[str, object] = {
        **{key: value.value for key, value in kafka.doc.at("metadata", "labels").items()},
        **_common_labels(kafka),
        **{key: value.value for key, value in template.at("metadata", "labels").items()},
    }
    nodes = _nodes(kafka.path, template, own["storage"], own["resources"], own["jvmOptions"], world)
    return replace(
        nodes,
        replicas=own["replicas"].integer(),
        spreads=_spreads(kafka, template, labels, {}),
    )


def _spreads(
    kafka: Manifest, template: Doc, labels: pods.Labels, peers: Mapping[str, pods.Labels]
) -> Fact[tuple[Spread, ...]]:
    constraints, affinity = template["topologySpreadConstraints"], template["affinity"]
    return pods.spreads(constraints, affinity, labels, peers, namespace=kafka.namespace)


def _first(own: Doc, common: Doc) -> Doc:
    return common if own.absent and not common.absent else own


def _nodes(path: str, template: Doc, storage: Doc, resources: Doc, jvm: Doc, world: World) -> NodeGroup:
    """What does not depend on how the nodes are grouped."""
    grace = template["terminationGracePeriodSeconds"].integer()
    if grace.value is None and not grace.undecided:
        grace = Fact(grace.path, _DEFAULT_GRACE, note="Strimzi's default")
    heap = jvm["-Xmx"].quantity() if not jvm["-Xmx"].plain()[-1:].islower() else _java_size(jvm["-Xmx"])
    context = template["securityContext"]
    return NodeGroup(
        path=path,
        replicas=Fact(path),
        storage=_storage(storage, world),
        start=Start(
            grace_period=grace,
            requests=pods.requested(resources),
            memory_limit=resources["limits"]["memory"].quantity(),
            heap=heap,
        ),
        # The operator's containers run as a user of their own; only what is written against it counts.
        security=PodSecurity(non_root=context["runAsNonRoot"].flag())
        if context["runAsNonRoot"].value is False
        else None,
    )


def _java_size(size: Doc) -> Fact[int] | None:
    return pods.heap(Fact(size.path, f"-Xmx{size.plain()}"))


def _storage(storage: Doc, world: World) -> Storage:
    if storage.unknown:
        return Storage(Fact(storage.path, undecided="the storage is computed by the deployment"))
    volumes = list(storage["volumes"].each()) if storage["type"].value == "jbod" else [storage]
    types = [volume["type"].text() for volume in volumes]
    path, unclear = types[0].path if types else storage.path, [one for one in types if one.value is None]
    if unclear:
        persistent: Fact[bool] = Fact(path, undecided=unclear[0].undecided or "the storage has no type")
    else:
        wrong = sorted({one.value or "" for one in types} - {"persistent-claim"})
        persistent = Fact(path, bool(types) and not wrong, note=", ".join(wrong) or "no volume")
    kept = [volume["deleteClaim"].flag() for volume in volumes if not volume["deleteClaim"].absent]
    modes = (binding_mode(one["class"], world) for one in volumes if one["type"].value == "persistent-claim")
    return Storage(
        persistent=persistent,
        keep_on_delete=tuple(
            Fact(
                one.path,
                None if one.value is None else not one.value,
                one.undecided,
                "deleteClaim: true" if one.value else "",
            )
            for one in kept
        ),
        binding_mode=next((mode for mode in modes if mode), None),
    )


def _listeners(kafka: Manifest) -> Fact[tuple[Listener, ...]]:
    listeners = kafka.spec("kafka", "listeners")
    found = []
    for one in listeners.each():
        tls, kind = one["tls"].flag(), one["type"].text()
        if kind.value is None:
            return Fact(one.path, undecided=kind.undecided or "the listener has no type")
        sasl = "SASL_" if one.at("authentication", "type").plain() not in ("", "tls") else ""
        protocol = f"{sasl}SSL" if tls.value else "SASL_PLAINTEXT" if sasl else "PLAINTEXT"
        outside = kind.value not in ("internal", "cluster-ip")
        found.append(Listener(one["name"].plain("?"), Fact(one["tls"].path, protocol, tls.undecided), outside))
    return Fact(listeners.path, tuple(found))


def _authorizer(kafka: Manifest) -> Fact[bool]:
    kind = kafka.spec("kafka", "authorization", "type").text()
    return Fact(kind.path, bool(kind.value), kind.undecided)
