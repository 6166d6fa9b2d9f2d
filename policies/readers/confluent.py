"""Kafka by Confluent for Kubernetes: Kafka, KRaftController and KafkaTopic of platform.confluent.io.

The operator writes settings of its own, by the number of brokers (its documentation, configuration overview); one that
the resource does not set is undecided, not Kafka's default. The pods' labels are those that confluentinc's
confluent-kubernetes-examples print (scheduling/pod-scheduling).
"""

from collections.abc import Iterator
from dataclasses import replace

from policies.manifest import Doc, Manifest
from policies.readers import pods
from policies.readers.budgets import budgets
from policies.readers.images import parse_image
from policies.readers.operators import Config, topic, total, with_default
from policies.readers.sources import literal
from policies.readers.untold import untold
from policies.readers.versions import version_of
from policies.readers.volumes import binding_mode
from policies.rules.model import UNCLEAN, ClusterFacts, Fact, Listener, NodeGroup, Replicas, Spread, Start, Storage
from policies.world import World, together

_GROUP = "platform.confluent.io"
KINDS = ((_GROUP, "Kafka"), (_GROUP, "KRaftController"), (_GROUP, "KafkaTopic"))
_HOST_KEY = "kubernetes.io/hostname"
_OPERATOR = "Confluent's operator may set it"


def read(world: World, only: Manifest | None = None) -> Iterator[ClusterFacts]:
    """The clusters, each with its controllers and topics."""
    if only is not None and only.group != _GROUP:
        return
    for kafka in world.of(_GROUP, "Kafka"):
        if only is None or only is kafka or only.kind != "Kafka":
            yield _cluster(kafka, world)
    if only is None:
        yield from _orphans(world)


def _orphans(world: World) -> Iterator[ClusterFacts]:
    """Topics and controllers of a cluster that is not among these resources: judged by themselves."""
    kafkas = world.of(_GROUP, "Kafka")
    reason = "its Kafka is not among these resources"
    for one in world.of(_GROUP, "KafkaTopic"):
        if not any(_of(one, kafka) for kafka in kafkas):
            yield replace(untold(one, reason), others=(_topic(one),))
    used = [_controller(_reference(kafka), kafka, world) for kafka in kafkas]
    for one in world.of(_GROUP, "KRaftController"):
        if one not in used:
            nodes = _nodes(one, world, broker=False, controller=True)
            yield replace(untold(one, reason), groups=(nodes,), voters=total((nodes,), world, one.path))


def _reference(kafka: Manifest) -> Doc:
    return kafka.spec("dependencies", "kRaftController", "clusterRef", "name")


def _cluster(kafka: Manifest, world: World) -> ClusterFacts:
    server = kafka.spec("configOverrides", "server")
    image = parse_image(kafka.spec("image", "application").plain())
    config = _config(server, version_of("cp-server", image.tag))
    reference = _reference(kafka)
    controller = _controller(reference, kafka, world)
    groups = [_nodes(kafka, world, broker=True, controller=False)]
    if controller:
        groups.append(_nodes(controller, world, broker=False, controller=True))
    if reference.absent:
        voters: Fact[int] | None = None  # ZooKeeper's quorum
    elif controller:
        voters = total(groups[1:], world, controller.path)
    else:
        voters = Fact(reference.path, undecided=world.missing(f"KRaftController {reference.plain()}"))
    topics = [one for one in world.near(_GROUP, "KafkaTopic", kafka) if _of(one, kafka)]
    return ClusterFacts(
        path=kafka.path,
        brokers=total(groups[:1], world, kafka.path),
        default=config.default(),
        others=config.internal() + with_default(map(_topic, topics), config.default().factor),
        unclean_election=config.flag(UNCLEAN),
        voters=voters,
        combined=None,
        rack=_rack(kafka),
        groups=tuple(groups),
        listeners=_listeners(kafka),
        authorizer=_authorizer(kafka),
        namespace=kafka.namespace or "",
        name=kafka.name,
        subjects=(kafka.subject, *([controller.subject] if controller else [])),
    )


def _controller(reference: Doc, kafka: Manifest, world: World) -> Manifest | None:
    if not reference.plain():
        return None
    namespace = kafka.spec("dependencies", "kRaftController", "clusterRef", "namespace")
    where = namespace.plain() or kafka.namespace
    return world.find(_GROUP, "KRaftController", reference.plain(), None if namespace.unknown else where)


def _of(one: Manifest, kafka: Manifest) -> bool:
    name = one.spec("kafkaClusterRef", "name")
    return together(one, kafka) is not False and (name.absent or name.unknown or name.value == kafka.name)


def _topic(one: Manifest) -> Replicas:
    spec = one.doc["spec"]
    return topic(spec["name"].plain(one.name), one.path, spec["replicas"], spec["configs"])


def _config(server: Doc, version: tuple[int, int] | None) -> Config:
    values: dict[str, Fact[str]] = {}
    reason = _OPERATOR
    for entry in server.each():
        key, found, value = entry.plain().partition("=")
        if found:
            path = f"{server.path}[{key.strip()}]"
            values[key.strip()] = literal(path, value)
        else:
            reason = f"{entry.path} can't be read"
    return Config(values, server.path, version, reason)


def _rack(kafka: Manifest) -> Fact[str]:
    labels = kafka.spec("rackAssignment", "nodeLabels")
    named = [label.value for label in labels.each() if isinstance(label.value, str)]
    zone = next((label for label in named if label.endswith("/zone")), None)
    if labels.unknown or not labels.whole:
        return Fact(labels.path, undecided="the labels are computed by the deployment")
    return Fact(labels.path, zone or (named[-1] if named else None))


def _nodes(one: Manifest, world: World, broker: bool, controller: bool) -> NodeGroup:
    template = one.spec("podTemplate")
    kind = one.kind.lower()
    labels: dict[str, object] = {
        "app": one.name,
        "clusterId": one.namespace or "",
        "confluent-platform": "true",
        "platform.confluent.io/type": kind,
        "type": one.name,
        **{key: value.value for key, value in template["labels"].items()},
        **{key: value.value for key, value in template.at("metadata", "labels").items()},
    }
    replicas = one.spec("replicas").integer()
    grace = template["terminationGracePeriodSeconds"].integer()
    constraints, affinity = template["topologySpreadConstraints"], template["affinity"]
    spreads = pods.spreads(constraints, affinity, labels, namespace=one.namespace)
    alone = one.spec("oneReplicaPerNode")
    if spreads.value is not None and alone.value is True:  # without it pods share a node where the scheduler likes
        own = Spread(alone.path, _HOST_KEY, True, 1, True, exclusive=True)
        spreads = Fact(spreads.path, (*spreads.value, own))
    disruption = budgets(one, labels, replicas, world)
    if disruption.value == ():
        reason = "Confluent's operator may make one, and none is among these resources"
        disruption = Fact(disruption.path, undecided=reason)
    class_name = one.spec("storageClass", "name")
    return NodeGroup(
        path=one.path,
        replicas=replicas,
        broker=broker,
        controller=controller,
        spreads=spreads,
        budgets=disruption,
        storage=Storage(_persistent(one), binding_mode=binding_mode(class_name, world)),
        start=Start(
            grace_period=grace if grace.value is not None or grace.undecided else None,
            image=one.spec("image", "application").text(),
            requests=pods.requested(template["resources"]),
            memory_limit=template["resources"]["limits"]["memory"].quantity(),
            heap=_heap(one.spec("configOverrides", "jvm")),
        ),
    )


def _persistent(one: Manifest) -> Fact[bool]:
    size = one.spec("dataVolumeCapacity")
    if size.unknown:
        return Fact(size.path, True, note="a capacity that is computed")
    return Fact(size.path, not size.absent, note="no dataVolumeCapacity" if size.absent else "")


def _heap(options: Doc) -> Fact[int] | None:
    found = [size for option in options.each() if (size := pods.heap(Fact(option.path, option.plain())))]
    return found[-1] if found else None


def _listeners(kafka: Manifest) -> Fact[tuple[Listener, ...]]:
    listeners = kafka.spec("listeners")
    if listeners.unknown:
        return Fact(listeners.path, undecided="the listeners are computed by the deployment")
    entries = [(name, listeners[name]) for name in ("external", "internal") if not listeners[name].absent]
    entries += [(one["name"].plain("custom"), one) for one in listeners["custom"].each()]
    found = []
    for name, one in entries:
        tls = one.at("tls", "enabled").flag()
        outside = not one["externalAccess"].absent
        found.append(Listener(name, Fact(tls.path, "SSL" if tls.value else "PLAINTEXT", tls.undecided), outside))
    return Fact(listeners.path, tuple(found))


def _authorizer(kafka: Manifest) -> Fact[bool]:
    kind = kafka.spec("authorization", "type").text()
    return Fact(kind.path, bool(kind.value), kind.undecided)
