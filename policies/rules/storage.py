"""Storage: records outlive the pod, and stand in the zone where the pod is."""

from collections.abc import Iterator

from policies.rules.deciding import known, unsure
from policies.rules.model import Answer, ClusterFacts, Finding, Limits, Rule, Severity

_STATEFUL_SET = "https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/"
_CLAIM_LINES = "volumeClaimTemplates:\n- metadata: {name: data}\n  spec:\n    accessModes: [ReadWriteOnce]"
_SHARED = frozenset({"ReadWriteMany", "ReadOnlyMany"})


def _persistent(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for group in facts.groups:
        if group.storage:
            yield from unsure(group.storage.persistent)
            if known(group.storage.persistent) is False:
                found = group.storage.persistent.note or "storage that goes with the pod"
                yield Finding(group.storage.persistent.path, found, "records must stand on a persistent volume claim")


def _retention(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for group in facts.groups:
        for kept in group.storage.keep_on_delete if group.storage else ():
            yield from unsure(kept)
            if known(kept) is False:
                yield Finding(kept.path, kept.note or "Delete", "the claims must be retained")


def _access(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for group in facts.groups:
        modes = group.storage.access_modes if group.storage else None
        yield from unsure(modes)
        if modes and modes.known and (shared := sorted(_SHARED & frozenset(modes.value or ()))):
            yield Finding(modes.path, ", ".join(shared), "it must be ReadWriteOnce or ReadWriteOncePod")
        one, replicas = group.storage.shared if group.storage else None, known(group.replicas)
        if one and known(one) and (replicas is None or replicas > 1):
            yield Finding(one.path, one.note, "each node needs a volume of its own", _CLAIM_LINES)


def _binding(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for group in facts.groups:
        mode = group.storage.binding_mode if group.storage else None
        yield from unsure(mode)
        if mode and mode.known and mode.value != "WaitForFirstConsumer":
            yield Finding(mode.path, mode.shown, "it must be WaitForFirstConsumer")


RULES = (
    Rule(
        id="persistent-storage",
        severity=Severity.ERROR,
        why="a broker that restarts empty has lost its replicas, and an emptied voter votes for what it never held; "
        "Kafka documentation, log.dirs.",
        remedy="Put log.dirs on a volume of volumeClaimTemplates (an operator's persistent storage).",
        check=_persistent,
        url="https://kafka.apache.org/documentation/#brokerconfigs_log.dirs",
    ),
    Rule(
        id="claim-retention",
        severity=Severity.ERROR,
        why="a deleted or scaled-in set would take the records with it; Kubernetes documentation, "
        "persistentVolumeClaimRetentionPolicy.",
        remedy="Set whenDeleted and whenScaled to Retain (an operator's deleteClaim to false).",
        check=_retention,
        url=_STATEFUL_SET + "#persistentvolumeclaim-retention",
    ),
    Rule(
        id="access-mode",
        severity=Severity.ERROR,
        why="two brokers on one volume corrupt each other's log; Kubernetes documentation, access modes.",
        remedy="Set accessModes to [ReadWriteOnce], of a claim for each pod.",
        lines="accessModes: [ReadWriteOnce]",
        check=_access,
        url="https://kubernetes.io/docs/concepts/storage/persistent-volumes/#access-modes",
    ),
    Rule(
        id="storage-class",
        severity=Severity.ERROR,
        why="a volume that is bound before its pod is placed decides the zone, against the spread; Kubernetes "
        "documentation, volume binding mode.",
        remedy="Use a class with volumeBindingMode: WaitForFirstConsumer.",
        lines="volumeBindingMode: WaitForFirstConsumer",
        check=_binding,
        url="https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode",
    ),
)
