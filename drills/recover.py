"""Replaces a broker whose node or disk is lost: its claims and its pod are deleted, and it comes up with an empty disk
on another node, which replication fills. The old volumes are kept until that is done.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from drills.errors import DrillError, NotInTime, Refused
from drills.kafka_state import KafkaState, State
from drills.kubernetes import Kubernetes, Manifest
from drills.observe import ZONE_LABEL, condition
from drills.target import Target

_CLAIM_SECONDS = 120.0
_READY_SECONDS = 900.0
_SYNC_SECONDS = 7200.0
_LOOK_SECONDS = 2.0
_HOST = "kubernetes.io/hostname"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Lost:
    """A broker that is to be replaced, as it was found."""

    number: int
    pod: str
    uid: str
    claims: tuple[str, ...]
    volumes: dict[str, str]
    """Reclaim policies, by name."""
    zone: str
    """Where its node was; empty where that can't be told."""
    directory: str | None
    """Of its disk, as the quorum knows it; None when it has no vote, or votes go by the number alone."""

    @property
    def steps(self) -> tuple[str, ...]:
        """What will be done, in order."""
        volumes, claims = ", ".join(self.volumes) or "none", ", ".join(self.claims)
        where = f"in {self.zone} " if self.zone else ""
        return (
            f"keep the old volumes ({volumes}): reclaim policy Retain",
            f"delete the claims {claims}",
            f"delete the pod {self.pod}: it comes up {where}with an empty disk",
            "wait until it is ready" + (", and in the quorum with its new disk" if self.directory else ""),
            "wait until every replica of every partition is in sync",
            "give the old volumes their reclaim policy back; those of a node that is gone are deleted",
        )


class Recovery:
    """`say` gets each step, a sentence."""

    def __init__(
        self, kubernetes: Kubernetes, target: Target, say: Say, kafka: Callable[[str], KafkaState] | None = None
    ) -> None:
        self._kubernetes, self._target, self._say = kubernetes, target, say
        self._kafka = kafka or (lambda pod: KafkaState(kubernetes, target, pod))

    def check(self, number: int, *, gone: bool) -> Lost:
        """What is lost. `gone`: the user says that its node or disk does not come back.

        Raises Refused unless just this broker is lost, the others are in sync, and a node can take it.
        """
        pod, kubernetes = self._target.pod_of(number), self._kubernetes
        others = self._ready_others(pod)
        found = self._pod(pod)
        if condition(found, "Ready") and "deletionTimestamp" not in found["metadata"] and self._node_is_ready(found):
            raise Refused(f"{pod} is ready: nothing is lost.")
        state = self._kafka(others[0]).read()
        self._check_sync(number, state)
        nodes = {node["metadata"]["name"]: node for node in kubernetes.nodes()}
        claims = _claims(found)
        volumes = self._volumes(claims)
        if not gone and not any(_is_unreachable(volume, nodes) for volume in volumes.values()):
            raise Refused(
                f"{pod} is not ready, but nothing shows that its disk is lost: it may come back. If it can't, say so: "
                f"--gone (its disk is then given up)."
            )
        zone = self._zone(found, nodes)
        self._check_room(nodes, zone, others)
        return Lost(
            number=number,
            pod=pod,
            uid=found["metadata"]["uid"],
            claims=claims,
            volumes={
                name: volume["spec"].get("persistentVolumeReclaimPolicy", "Retain") for name, volume in volumes.items()
            },
            zone=zone,
            directory=state.voters.get(number),
        )

    def run(self, number: int, *, gone: bool) -> None:
        """Replaces it. Raises Refused before anything is touched, DrillError when a step fails: then the same again
        goes on from there.
        """
        lost = self.check(number, gone=gone)
        kubernetes, namespace = self._kubernetes, self._target.namespace
        for step in lost.steps[:3]:
            self._say(step)
        for volume in lost.volumes:
            kubernetes.set_reclaim_policy(volume, "Retain")
        for claim in lost.claims:
            kubernetes.delete_claim(namespace, claim)
        kubernetes.delete_pod(namespace, lost.pod, 0)  # its kubelet may never answer
        self._await(f"{lost.pod} is a new pod", lambda: self._is_new(lost), _CLAIM_SECONDS)
        self._say(lost.steps[3])
        self._await(f"{lost.pod} is ready", lambda: self._is_ready(lost), _READY_SECONDS)
        if lost.directory:
            self._await_vote(lost)
        self._say(lost.steps[4])
        self._await("every replica is in sync", lambda: not self._read(lost).missing, _SYNC_SECONDS)
        self._say(lost.steps[5])
        self._release(lost)
        self._say(f"{lost.pod} is recovered")

    def _pod(self, name: str) -> Manifest:
        """The StatefulSet makes one anew where Kubernetes has removed that of a node that is gone."""
        deadline = time.monotonic() + _CLAIM_SECONDS
        while (found := self._kubernetes.pod(self._target.namespace, name)) is None:
            if time.monotonic() > deadline:
                raise Refused(f"there is no pod {name}, and its StatefulSet makes none. Look at that first.")
            time.sleep(_LOOK_SECONDS)
        return found

    def _ready_others(self, pod: str) -> list[str]:
        """Names of the other pods of Kafka, brokers first. Raises Refused unless all are ready."""
        listed = self._kubernetes.pods(self._target.namespace, self._target.selector)
        ready = {one["metadata"]["name"] for one in listed if condition(one, "Ready") and self._node_is_ready(one)}
        names = [name for one in sorted(self._target.sets, key=lambda one: not one.broker) for name in one.pods]
        others = [name for name in names if name != pod]
        if missing := [name for name in others if name not in ready]:
            raise Refused(
                f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not ready either. Only one node at a "
                "time is replaced: bring the others back first."
            )
        return others

    def _node_is_ready(self, pod: Manifest) -> bool:
        """A pod stays `Ready` for a while when its node is gone."""
        name = pod["spec"].get("nodeName")
        return any(one["metadata"]["name"] == name and condition(one, "Ready") for one in self._kubernetes.nodes())

    def _check_sync(self, number: int, state: State) -> None:
        if not state.led:
            raise Refused("a partition, or the metadata quorum, has no leader now. Wait until all have one.")
        if others := sorted(state.missing - {number}):
            named = ", ".join(map(str, others))
            raise Refused(
                f"replicas on {named} are not in sync either. Wait until they are: their records may be on the lost "
                "disk alone."
            )

    def _volumes(self, claims: tuple[str, ...]) -> dict[str, Manifest]:
        found = [self._kubernetes.claim(self._target.namespace, claim) for claim in claims]
        names = [claim["spec"].get("volumeName") for claim in found if claim]
        volumes = {name: self._kubernetes.volume(name) for name in names if name}
        return {name: volume for name, volume in volumes.items() if volume}

    def _zone(self, pod: Manifest, nodes: dict[str, Manifest]) -> str:
        """Of its node; where that is gone, the zone that no other of Kafka's nodes is in, if there is just one."""
        if node := nodes.get(pod["spec"].get("nodeName", "")):
            return _zone_of(node)
        listed = self._kubernetes.pods(self._target.namespace, self._target.selector)
        taken = {one["spec"].get("nodeName") for one in listed if one["metadata"]["name"] != pod["metadata"]["name"]}
        zones = {_zone_of(node) for node in nodes.values()} - {""}
        free = zones - {_zone_of(nodes[name]) for name in taken if name in nodes}
        return free.pop() if len(free) == 1 else ""

    def _check_room(self, nodes: dict[str, Manifest], zone: str, others: list[str]) -> None:
        listed = self._kubernetes.pods(self._target.namespace, self._target.selector)
        taken = {one["spec"].get("nodeName") for one in listed if one["metadata"]["name"] in others}
        room = [
            name
            for name, node in nodes.items()
            if condition(node, "Ready")
            and not node["spec"].get("unschedulable")
            and name not in taken
            and _zone_of(node) == (zone or _zone_of(node))
        ]
        if not room:
            where = f"in zone {zone}" if zone else "without a node of Kafka"
            raise Refused(f"no node {where} can take the broker. Add one there, or uncordon it, first.")

    def _is_new(self, lost: Lost) -> bool:
        found = self._kubernetes.pod(self._target.namespace, lost.pod)
        return found is not None and found["metadata"]["uid"] != lost.uid

    def _is_ready(self, lost: Lost) -> bool:
        found = self._kubernetes.pod(self._target.namespace, lost.pod)
        return found is not None and condition(found, "Ready")

    def _read(self, lost: Lost) -> State:
        """By one of the others, of those that are ready now: an eviction may have been granted in the meantime."""
        return self._kafka(self._ready_others(lost.pod)[0]).read()

    def _await_vote(self, lost: Lost) -> None:
        try:
            self._await(
                f"{lost.pod} votes with its new disk",
                lambda: self._read(lost).voters.get(lost.number) not in (None, lost.directory),
                _CLAIM_SECONDS,
            )
        except NotInTime as error:
            # Kafka joins a new disk by itself only where it is told to (KIP-853, controller.quorum.auto.join.enable).
            raise DrillError(
                f"{error} Let it join by hand: kafka-metadata-quorum.sh remove-controller --controller-id "
                f"{lost.number} --controller-directory-id {lost.directory}, then add-controller on {lost.pod}."
            ) from None

    def _release(self, lost: Lost) -> None:
        nodes = {node["metadata"]["name"]: node for node in self._kubernetes.nodes()}
        for name, policy in lost.volumes.items():
            volume = self._kubernetes.volume(name)
            if volume is None or policy == "Retain":
                continue
            if _is_unreachable(volume, nodes):
                self._kubernetes.delete_volume(name)  # nobody is left who could wipe it
            else:
                self._kubernetes.set_reclaim_policy(name, policy)

    def _await(self, what: str, holds: Callable[[], bool], seconds: float) -> None:
        deadline, trouble = time.monotonic() + seconds, ""
        while True:
            try:
                if holds():
                    return
            except DrillError as error:  # what can't be asked now may be asked later
                trouble = f" Last: {error}"
            if time.monotonic() > deadline:
                raise NotInTime(f"not within {seconds:.0f} s: {what}.{trouble}")
            time.sleep(_LOOK_SECONDS)


def _claims(pod: Manifest) -> tuple[str, ...]:
    volumes = pod["spec"].get("volumes") or []
    return tuple(one["persistentVolumeClaim"]["claimName"] for one in volumes if one.get("persistentVolumeClaim"))


def _zone_of(node: Manifest) -> str:
    return str(node["metadata"].get("labels", {}).get(ZONE_LABEL, ""))


def _is_unreachable(volume: Manifest, nodes: dict[str, Manifest]) -> bool:
    """Whether the volume is tied to nodes by their names, and none of these exists."""
    required = volume["spec"].get("nodeAffinity", {}).get("required", {})
    tied: set[str] = set()
    for term in required.get("nodeSelectorTerms") or []:
        for one in term.get("matchExpressions") or []:
            if one["key"] == _HOST and one["operator"] == "In":
                tied.update(one["values"])
    hosts = {_host(name, node) for name, node in nodes.items()}
    return bool(tied) and not tied & hosts


def _host(name: str, node: Manifest) -> str:
    labels: dict[str, Any] = node["metadata"].get("labels", {})
    return str(labels.get(_HOST, name))
