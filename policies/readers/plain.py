"""Kafka that is deployed by StatefulSets and Deployments, whatever the image."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from policies.manifest import UNKNOWN, Doc, Manifest
from policies.readers import pods, program
from policies.readers.budgets import budgets
from policies.readers.images import Convention, convention_of, is_client, parse_image
from policies.readers.services import outside_ports
from policies.readers.sources import STARTS, Settings, key_of, read_settings
from policies.readers.untold import untold
from policies.readers.versions import version_of
from policies.readers.volumes import storage
from policies.readers.workload import Workload, start_of
from policies.rules.model import UNCLEAN, ClusterFacts, Fact, Listener, NodeGroup, Replicas
from policies.world import PENDING, World

# Settings that only a server has.
EVIDENCE = frozenset(
    (
        *("process.roles", "controller.quorum.voters", "controller.quorum.bootstrap.servers", "node.id", "broker.id"),
        *("advertised.listeners", "listener.security.protocol.map", "inter.broker.listener.name", "log.dirs"),
        *("controller.listener.names", "zookeeper.connect", "offsets.topic.replication.factor", "listeners", "log.dir"),
    )
)
ENOUGH = 2  # of them: one alone may be a client's that calls itself so
STRONG = EVIDENCE - {"log.dir", "log.dirs", "listeners", "zookeeper.connect", "node.id", "broker.id"}
"""Those that what names its brokers too, as a client does, has only as a server."""
TALKS = re.compile(r"(?:^|_)(?:BOOTSTRAP(?:_SERVERS?)?|BROKERS|BROKER_LIST|BROKER_URLS?)$")
"""Variables by which a client is told where its brokers are."""
OTHER_WORK = re.compile(
    r"connect-(?:distributed|standalone)|mirror-?maker|schema-registry|kafka-rest|ksql|zookeeper-server-start"
    r"|kafka-(?:topics|console|producer-perf|consumer-perf|acls|configs|verifiable)|\bsleep\b|tail -f|kafka[-_]exporter"
)
_OUTSIDE = re.compile(r"EXTERNAL|OUTSIDE|PUBLIC|INTERNET|INGRESS", re.IGNORECASE)
_DOMAIN = re.compile(r"\.[a-z0-9-]+\.svc(?:\.[a-z0-9.-]+)?(?=:|$)")
_BROKER_PORTS = frozenset((9092, 9093, 9094))
_PROTOCOLS = frozenset(("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"))


_JUDGED = (("apps", "StatefulSet"), ("apps", "Deployment"))
_TOLD = (("apps", "DaemonSet"), ("apps", "ReplicaSet"), ("", "Pod"))
KINDS = (*_JUDGED, *_TOLD)


def read(world: World, only: Manifest | None = None) -> Iterator[ClusterFacts]:
    """The clusters: workloads that name the same quorum are one. `only`: what is known of that workload's alone."""
    clusters: dict[tuple[str, ...], list[Workload]] = defaultdict(list)
    for group, kind in KINDS:
        for owner in world.of(group, kind) if only is None else (only,):
            if (owner.group, owner.kind) != (group, kind):
                continue
            if (group, kind) in _TOLD:
                # What a controller made is judged with it.
                if owner.doc.at("metadata", "ownerReferences").absent and _broker(owner, world):
                    yield untold(owner, f"a {kind} gives Kafka no identity of its own; a StatefulSet is judged")
            elif found := _broker(owner, world):
                clusters[_identity(found)].append(found)
            elif kind == "StatefulSet" and (reason := _doubt(owner)):
                yield untold(owner, reason, f"{owner.path}: spec.template.spec.containers")
    for identity in list(clusters):
        yield _cluster(clusters.pop(identity), world)  # what is told of is held no longer


def _doubt(owner: Manifest) -> str:
    """Why a StatefulSet that is not read as Kafka may be one all the same; empty when it is none."""
    containers = owner.spec("template", "spec", "containers")
    if not containers.whole or any(one.unknown for one in containers.each()):
        return "its containers are computed by the deployment: whether it is Kafka can't be told"
    for container in containers.each():
        image, said = parse_image(container["image"].plain()), f"{container['command'].value}{container['args'].value}"
        ports = {port["containerPort"].value for port in container["ports"].each()}
        named = not {"kafka", "redpanda"}.isdisjoint(re.split(r"[-_.]", image.repository)) and not is_client(image)
        if named and not OTHER_WORK.search(said) and ports & _BROKER_PORTS:
            return f"how the image {container['image'].plain()} takes its settings is not known here"
    return ""


def _broker(owner: Manifest, world: World) -> Workload | None:
    """The workload, if one of its containers is a broker or controller: one that starts Kafka for certain goes before
    one that only has a broker's settings.
    """
    template = owner.doc if owner.kind == "Pod" else owner.spec("template")
    pod = template["spec"]
    likely: Workload | None = None
    for container in pod["containers"].each():
        image = parse_image(container["image"].plain())
        if is_client(image) or not isinstance(container.value, Mapping) or not _worth_reading(pod, container):
            continue
        convention = convention_of(image)
        settings = read_settings(pod, container, owner, world, convention, version_of(image.repository, image.tag))
        told = [part.plain() for name in ("command", "args") for part in container[name].each()]
        evidence = len(EVIDENCE & set(settings.values))
        starts = bool(STARTS.search(settings.command))
        other = bool(OTHER_WORK.search(" ".join(told))) or (
            not STRONG & set(settings.values)
            and ("bootstrap.servers" in settings.values or any(TALKS.search(name) for name in _variables(container)))
        )
        by_itself = convention not in (Convention.OWN, Convention.STRIMZI) and not told
        if starts or by_itself or (likely is None and evidence >= ENOUGH and not other):
            labels = template.at("metadata", "labels")
            selected = labels.value if isinstance(labels.value, Mapping) else None if labels.unknown else {}
            likely = Workload(owner, pod, container, settings, selected)
        if starts or by_itself:
            break
    return likely


def _worth_reading(pod: Doc, container: Doc) -> bool:
    """Whether a container may be a broker at all: a quick look that spares every other workload the long one."""
    volumes = pod.value.get("volumes") if isinstance(pod.value, Mapping) else None
    value = container.value if isinstance(container.value, Mapping) else {}
    if volumes or value.get("envFrom") or UNKNOWN in value.values():
        return True
    if "kafka" in f"{value.get('image')} {value.get('command')} {value.get('args')}".lower():
        return True
    return any(not name or key_of(name, Convention.OWN) in EVIDENCE for name in _variables(container))


def _variables(container: Doc) -> Iterator[str]:
    return (entry["name"].plain() for entry in container["env"].each())


def _quorum(settings: Settings) -> Fact[str]:
    """How the nodes find their quorum, as it is written."""
    for key in ("controller.quorum.voters", "controller.quorum.bootstrap.servers", "zookeeper.connect"):
        if key in settings.values:
            return settings.values[key]
    return settings.written("controller.quorum.voters")


def _identity(workload: Workload) -> tuple[str, ...]:
    quorum = _quorum(workload.settings)
    if quorum.value:
        # Whether an address has an id before it and the cluster's domain behind it, it is the same.
        addresses = (entry.strip().rpartition("@")[2] for entry in quorum.value.split(","))
        return (workload.owner.namespace or "?", *sorted(_DOMAIN.sub("", address) for address in addresses))
    return (workload.owner.path, workload.owner.subject)


def _roles(workload: Workload) -> tuple[bool | None, bool | None]:
    """Whether the nodes are brokers, and controllers; None where it can't be told."""
    settings = workload.settings
    roles = settings.written("process.roles")
    if roles.value:
        named = {role.strip() for role in roles.value.split(",")}
        return "broker" in named, "controller" in named
    if "zookeeper.connect" in settings.values:
        return True, False
    if re.search(rf"(?:^|[@,\s]){re.escape(workload.owner.name)}-\d+[.:]", _quorum(settings).value or ""):
        return (
            "inter.broker.listener.name" in settings.values or "default.replication.factor" in settings.values
        ) or None, True
    if not settings.values and settings.distribution:
        return True, True  # the image's own server.properties
    return None, None


def _cluster(workloads: list[Workload], world: World) -> ClusterFacts:
    groups = tuple(
        _group(one, world, {other.owner.path: other.labels for other in workloads if other is not one})
        for one in workloads
    )
    first = next((one for one, group in zip(workloads, groups, strict=True) if group.broker), workloads[0])
    settings, owner = first.settings, first.owner
    brokers = _sum(groups, world, "broker", owner)
    voters = None if "zookeeper.connect" in settings.values else _voters(settings, groups, world, owner)
    rack = settings.written("broker.rack")
    if (
        rack.value is not None
        or (rack.undecided and "broker.rack" in settings.values)
        or "broker.rack" in settings.command
    ):
        rack = Fact(rack.path, "")
    pinned = [group.pinned for group in groups]
    confined = pods.zones(first.pod["affinity"])
    if all(pinned) and world.complete:
        confined = Fact(f"{owner.path}: spec.template.spec", tuple(sorted(set(pinned))))
    elif len(groups) > 1 or not world.complete:
        confined = None
    facts = ClusterFacts(
        path=owner.path,
        brokers=brokers,
        default=Replicas("", settings.number("default.replication.factor"), settings.number("min.insync.replicas")),
        others=_internal(settings),
        unclean_election=settings.flag(UNCLEAN),
        voters=voters,
        combined=_combined(groups, settings),
        zones=confined,
        rack=rack,
        groups=groups,
        listeners=_listeners(first, world),
        authorizer=_present(settings.written("authorizer.class.name")),
        namespace=owner.namespace or "",
        name=owner.name,
        labels={key: value for key, value in (first.labels or {}).items() if isinstance(value, str)},
        subjects=tuple(one.owner.subject for one in workloads),
    )
    zones, topics = program.zones_and_topics(facts, world)
    return replace(facts, zones=facts.zones or zones, others=facts.others + topics)


def _internal(settings: Settings) -> tuple[Replicas, ...]:
    """Kafka's own topics; those that this version does not have are left out."""
    offsets = Replicas("offsets", settings.number("offsets.topic.replication.factor"), None, internal=True)
    own = [offsets]
    for name, prefix in (("transactions", "transaction.state.log"), ("share groups", "share.coordinator.state.topic")):
        factor = settings.number(f"{prefix}.replication.factor")
        if factor.value is not None or factor.undecided:
            own.append(Replicas(name, factor, settings.number(f"{prefix}.min.isr"), internal=True))
    return tuple(own)


def _present(fact: Fact[str]) -> Fact[bool]:
    return Fact(fact.path, bool(fact.value), fact.undecided)


def _sum(groups: Iterable[NodeGroup], world: World, role: str, owner: Manifest) -> Fact[int]:
    counted = [group for group in groups if getattr(group, role) is not False]
    path = counted[0].replicas.path if counted else f"{owner.path}: spec.replicas"
    if not world.complete:
        return Fact(path, undecided=PENDING)
    if undecided := next((group.replicas.undecided for group in counted if group.replicas.undecided), ""):
        return Fact(path, undecided=undecided)
    return Fact(path, sum(group.replicas.value or 0 for group in counted))


def _voters(settings: Settings, groups: tuple[NodeGroup, ...], world: World, owner: Manifest) -> Fact[int]:
    static = settings.written("controller.quorum.voters")
    if static.value:
        return Fact(static.path, len([voter for voter in static.value.split(",") if voter.strip()]))
    controllers = [group for group in groups if group.controller]
    dynamic = settings.written("controller.quorum.bootstrap.servers")
    if controllers and (dynamic.value or dynamic.undecided or settings.distribution):
        return _sum(controllers, world, "controller", owner)
    return Fact(static.path, undecided=static.undecided or "the quorum's voters are not among these resources")


def _combined(groups: tuple[NodeGroup, ...], settings: Settings) -> Fact[bool]:
    path = settings.written("process.roles").path
    if any(group.broker and group.controller for group in groups):
        return Fact(path, True)
    if any(group.broker is None or group.controller is None for group in groups):
        return Fact(path, undecided="the nodes' roles can't be told")
    return Fact(path, False)


def _listeners(workload: Workload, world: World) -> Fact[tuple[Listener, ...]]:
    settings = workload.settings
    mapped = settings.written("listener.security.protocol.map")
    named = settings.written("advertised.listeners")
    if not named.value:
        named = settings.written("listeners")
    if mapped.undecided or (not mapped.value and named.undecided):
        return Fact(mapped.path, undecided=mapped.undecided or named.undecided)
    controllers = set((settings.written("controller.listener.names").value or "").split(","))
    protocols = dict(pair.strip().split(":", 1) for pair in (mapped.value or "").split(",") if ":" in pair)
    addresses = dict(entry.strip().split("://", 1) for entry in (named.value or "").split(",") if "://" in entry)
    names = [name for name in (addresses or protocols or {"PLAINTEXT": ""}) if name and name not in controllers]
    exposed = outside_ports(workload.owner, workload.labels, workload.container, world)
    found = []
    for name in names:
        default = name if name in _PROTOCOLS else "PLAINTEXT"
        outside = bool(_OUTSIDE.search(name)) or addresses.get(name, "").rpartition(":")[2] in exposed
        found.append(Listener(name, Fact(mapped.path, protocols.get(name, default)), outside))
    return Fact(mapped.path, tuple(found))


def _group(workload: Workload, world: World, peers: Mapping[str, Mapping[str, object] | None]) -> NodeGroup:
    owner, pod = workload.owner, workload.pod
    broker, controller = _roles(workload)
    indexed = owner.kind == "StatefulSet"
    indices = pods.ordinals(workload.replicas, owner.spec("ordinals", "start")) if indexed else None
    # Deployments' pods come and go by other names, but budgets and spreads hold for them all the same.
    return NodeGroup(
        path=owner.path,
        replicas=workload.replicas,
        broker=broker,
        controller=controller,
        spreads=pods.spreads(
            pod["topologySpreadConstraints"], pod["affinity"], workload.labels, peers, indices, owner.namespace
        ),
        pinned=pods.pinned(pod),
        budgets=budgets(owner, workload.labels, workload.replicas, world),
        storage=storage(owner, pod, workload.container, workload.settings, world),
        start=start_of(workload, world),
        security=pods.security(pod["securityContext"], workload.container),
    )
