"""Identity and start: each node keeps its name, finds its quorum, and stops in order."""

from collections.abc import Iterator

from policies.rules.deciding import known, unsure
from policies.rules.model import Answer, ClusterFacts, Fact, Finding, Limits, NodeGroup, Rule, Severity, Start

_STATEFUL_SET = "https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/"
_PROBES = "https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/"


def _starts(facts: ClusterFacts) -> Iterator[tuple[NodeGroup, Start]]:
    for group in facts.groups:
        if group.start:
            yield group, group.start


def _must(fact: Fact[bool] | None, wanted: bool, required: str) -> Iterator[Answer]:
    """Undecided while it is not known, a finding while it is not as wanted; absent is the opposite of True."""
    if fact is None:
        return
    yield from unsure(fact)
    if not fact.undecided and bool(fact.value) is not wanted:
        yield Finding(fact.path, fact.note or fact.shown, required)


def _brokers(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    if not any(group.start or group.storage for group in facts.groups):
        return  # numbers alone: replication-fits-brokers says it
    yield from unsure(facts.brokers)
    if (brokers := known(facts.brokers)) is not None and brokers < limits.minimum_brokers:
        yield Finding(facts.brokers.path, facts.brokers.shown, f"at least {limits.minimum_brokers} brokers are needed")


def _headless(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for _, start in _starts(facts):
        yield from _must(start.headless, True, "serviceName must name a headless Service that selects the pods")


def _not_ready(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for group, start in _starts(facts):
        if group.controller is not False:
            yield from _must(start.not_ready_addresses, True, "it must be true where pods are voters")


def _node_ids(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for group, start in _starts(facts):
        fixed, replicas = start.fixed_node_id, known(group.replicas)
        if fixed and fixed.value is not None and (replicas is None or replicas > 1):
            found = f"the same id for {replicas} pods" if replicas else "the same id for every pod"
            yield Finding(fixed.path, found, "each node needs an id of its own")


def _parallel(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for group, start in _starts(facts):
        replicas = known(group.replicas)
        probed = start.readiness_probe is not None and known(start.readiness_probe)
        if group.controller and probed and (replicas is None or replicas > 1):
            yield from _must(start.parallel, True, "it must be Parallel: readiness waits for the quorum")


def _readiness(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for _, start in _starts(facts):
        yield from _must(start.readiness_probe, True, "there must be a readinessProbe")


def _liveness(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for _, start in _starts(facts):
        yield from _must(start.liveness_on_cluster, False, "it may ask for the process alone")


def _grace(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for _, start in _starts(facts):
        grace = start.grace_period
        yield from unsure(grace)
        if grace and (seconds := known(grace)) is not None and seconds < limits.minimum_grace_period:
            lines = f"terminationGracePeriodSeconds: {max(120, limits.minimum_grace_period)}"
            yield Finding(grace.path, grace.shown, f"at least {limits.minimum_grace_period} seconds are needed", lines)


def pinned(image: str) -> bool:
    """Whether an image names one build: by a digest, or by a tag other than latest."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return bool(digest or (tag and tag != "latest"))


def _image(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for _, start in _starts(facts):
        yield from unsure(start.image)
        if start.image and (image := known(start.image)) is not None and not pinned(image):
            yield Finding(start.image.path, image, "it must have a tag other than latest, or a digest")


def _resources(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for _, start in _starts(facts):
        yield from _must(start.requests, True, "requests of cpu and memory are needed")


def _memory(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for _, start in _starts(facts):
        limit, heap = start.memory_limit, start.heap
        if limit is None:
            continue
        yield from unsure(limit)
        if limit.undecided:
            continue
        if limit.value is None:
            yield Finding(limit.path, "no limit", "a limit of memory is needed, above the heap")
        elif heap and (size := known(heap)) is not None and size >= limit.value:
            mebi = f"{limit.value // 2**20} Mi for a heap of {size // 2**20} Mi"
            mebi += f" ({heap.note})" if heap.note else ""
            yield Finding(limit.path, mebi, "it must be above the heap; twice the heap is usual")


RULES = (
    Rule(
        id="brokers",
        severity=Severity.ERROR,
        why="with fewer brokers no topic has three replicas; Kafka documentation, replication.",
        remedy="Run at least 3 brokers.",
        check=_brokers,
        url="https://kafka.apache.org/documentation/#replication",
        parameters={"minimum": "minimum_brokers"},
    ),
    Rule(
        id="headless-service",
        severity=Severity.ERROR,
        why="without it a pod has no address of its own, and neither brokers nor voters find each other; Kubernetes "
        "documentation, StatefulSet.",
        remedy="Add a Service with clusterIP: None and the pods' labels as selector, and name it in serviceName.",
        lines="kind: Service\nspec:\n  clusterIP: None\n  selector: {}  # the pod template's own labels",
        check=_headless,
        url=_STATEFUL_SET + "#limitations",
    ),
    Rule(
        id="not-ready-addresses",
        severity=Severity.ERROR,
        why="a voter that is not ready has no address, so no quorum forms and none becomes ready; Kubernetes "
        "documentation, publishNotReadyAddresses.",
        remedy="Set publishNotReadyAddresses: true on the headless Service.",
        lines="publishNotReadyAddresses: true",
        check=_not_ready,
        url="https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/",
    ),
    Rule(
        id="node-ids",
        severity=Severity.ERROR,
        why="the second node with an id is refused by the cluster, or takes the first one's place; Kafka "
        "documentation, node.id.",
        remedy="Derive it from the pod's ordinal in the start command.",
        check=_node_ids,
        url="https://kafka.apache.org/documentation/#brokerconfigs_node.id",
    ),
    Rule(
        id="parallel-start",
        severity=Severity.ERROR,
        why="ordered start waits for the first pod to be ready, and it waits for the quorum of the others; "
        "Kubernetes documentation, pod management policies.",
        remedy="Set podManagementPolicy: Parallel.",
        lines="podManagementPolicy: Parallel",
        check=_parallel,
        url=_STATEFUL_SET + "#pod-management-policies",
    ),
    Rule(
        id="readiness-probe",
        severity=Severity.ERROR,
        why="without it a pod counts as ready while Kafka still starts, and budgets and rolls go on too early; "
        "Kubernetes documentation, probes.",
        remedy="Add a readinessProbe, such as tcpSocket on the client port.",
        lines="readinessProbe:\n  tcpSocket: {port: 9092}",
        check=_readiness,
        url=_PROBES,
    ),
    Rule(
        id="liveness-probe",
        severity=Severity.ERROR,
        why="a probe that asks the cluster kills healthy brokers while the cluster is in trouble; Kubernetes "
        "documentation, probes.",
        remedy="Remove the livenessProbe, or probe the port.",
        lines="livenessProbe:\n  tcpSocket: {port: 9092}",
        check=_liveness,
        url=_PROBES,
    ),
    Rule(
        id="grace-period",
        severity=Severity.ERROR,
        why="a broker that is killed before its leaders have moved leaves partitions without one, and recovers its "
        "log; Kafka documentation, graceful shutdown.",
        remedy="Raise terminationGracePeriodSeconds to 120.",
        check=_grace,
        url="https://kafka.apache.org/documentation/#basic_ops_restarting",
        parameters={"minimum": "minimum_grace_period"},
    ),
    Rule(
        id="image-pinned",
        severity=Severity.ERROR,
        why="a tag that moves upgrades one broker at its next restart; Kubernetes documentation, images.",
        remedy="Pin the image by a version tag or a digest.",
        check=_image,
        url="https://kubernetes.io/docs/concepts/containers/images/",
    ),
    Rule(
        id="resource-requests",
        severity=Severity.ERROR,
        why="a pod without requests is placed where there is no room, and evicted first; Kubernetes documentation, "
        "quality of service.",
        remedy="Set requests of cpu and memory.",
        lines='resources:\n  requests: {cpu: "1", memory: 4Gi}',
        check=_resources,
        url="https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
    ),
    Rule(
        id="memory-limit",
        severity=Severity.ERROR,
        why="a heap as large as the limit is killed under load, and the page cache has no room; Kubernetes "
        "documentation, resources.",
        remedy="Set a limit of memory of twice the heap.",
        lines="resources:\n  limits: {memory: 4Gi}  # twice the heap",
        check=_memory,
        url="https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/",
    ),
)
