"""The claims of Kafka's nodes, grown to the size that is asked for: `python3 -m components.scripts.claims grow`.

Kubernetes lets nobody change a StatefulSet's claim templates (Kubernetes documentation, StatefulSet; KEP-4650 is to
come), so the template is left as it was first made and the claims themselves are grown. The other ways were weighed:
Pulumi's replacement deletes the set first, and all nodes go down at once; a set that is made anew around orphaned pods
leaves a time in which nothing brings back a pod that dies. A claim that the old template makes later, for a node that
is added or a disk that is replaced, is grown by the next run.

From the environment: CLAIMS (a list of `Asked`, as JSON), SIMULATED where no volume follows its claim, and what
`kafka_tools` needs.
"""

import json
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from components.scripts.kafka_tools import KafkaTools
from components.scripts.process import Refused, main, progress

OBJECTS = "statefulsets,persistentvolumeclaims"
"""What is looked at in the namespace, as `kubectl get` names it."""
CLASSES = "storageclasses"
"""What is looked at where a claim is to grow."""

_QUANTITY = re.compile(r"([0-9.]+)(?:([numkKMGTPE])(i?)|[eE]([0-9]+))?")
_POWERS = {"n": -3, "u": -2, "m": -1, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_EVERY = 3.0  # seconds
_PATIENCE = 600.0  # seconds without any progress
_ANEW = "or make the set anew around its running pods: docs/storage.md."

Objects = Sequence[dict[str, Any]]
"""Objects of the Kubernetes API."""


@dataclass(frozen=True)
class Asked:
    """The claims of one StatefulSet as they are asked for; `path` is that of their settings."""

    path: str
    stateful_set: str
    replicas: int
    templates: Sequence[str]
    size: str
    storage_class: str | None = None


@dataclass(frozen=True)
class Claim:
    """A claim as it is."""

    name: str
    requested: str
    capacity: str
    """What its volume has; empty while it has none."""
    storage_class: str
    trouble: str
    """What Kubernetes says of a growth that is not over."""


def size(quantity: str) -> Decimal:
    """The bytes of a Kubernetes quantity."""
    match = _QUANTITY.fullmatch(quantity)
    assert match, f"the API server gives no quantities like {quantity}"
    number, suffix, binary, exponent = match.groups()
    scale = Decimal(1024 if binary else 1000) ** _POWERS[suffix] if suffix else Decimal(10) ** int(exponent or 0)
    return Decimal(number) * scale


def claims_of(asked: Asked, objects: Objects) -> list[Claim]:
    """The claims of the set's nodes; those of nodes that are no more are left alone."""
    names = {f"{name}-{asked.stateful_set}-{ordinal}" for name in asked.templates for ordinal in range(asked.replicas)}
    return [
        _claim(item)
        for item in objects
        if item["kind"] == "PersistentVolumeClaim" and item["metadata"]["name"] in names
    ]


def _claim(item: dict[str, Any]) -> Claim:
    status = item["status"]
    conditions = (f"{found['type']}: {found.get('message', '')}" for found in status.get("conditions") or [])
    return Claim(
        name=item["metadata"]["name"],
        requested=item["spec"]["resources"]["requests"]["storage"],
        capacity=status.get("capacity", {}).get("storage", "") if status.get("phase") == "Bound" else "",
        storage_class=item["spec"].get("storageClassName", ""),
        trouble="; ".join(conditions),
    )


def uneven(asked: Asked, objects: Objects) -> list[str]:
    """The claims that are smaller than others of their set: made by the old template after those were grown."""
    claims = claims_of(asked, objects)
    largest = max((size(claim.requested) for claim in claims), default=Decimal(0))
    return sorted(claim.name for claim in claims if size(claim.requested) < largest)


def refusals(asked: Asked, objects: Objects, classes: Callable[[], Objects]) -> list[str]:
    """What is asked for and can't be had, a sentence each. `classes` gives the storage classes; it is called only where
    a claim is to grow.
    """
    claims = claims_of(asked, objects)
    return [*_made_otherwise(asked, objects, claims), *_too_small(asked, claims), *_rigid(asked, claims, classes)]


def _made_otherwise(asked: Asked, objects: Objects, claims: list[Claim]) -> Iterator[str]:
    """The set keeps the templates that it was first made with."""
    sets = {item["metadata"]["name"]: item["spec"] for item in objects if item["kind"] == "StatefulSet"}
    made = sets.get(asked.stateful_set, {}).get("volumeClaimTemplates")
    if not made:
        return
    of_set = f"but the StatefulSet {asked.stateful_set} was made with"
    if len(made) != len(asked.templates):
        yield (
            f"{asked.path}.volumes: got {len(asked.templates)}, {of_set} {len(made)}, which Kubernetes does not "
            f"change. Set it to {len(made)}, {_ANEW}"
        )
    template = made[0]["spec"].get("storageClassName")
    found = {template} if template else {claim.storage_class for claim in claims}
    if (asked.storage_class or template) and asked.storage_class not in found:
        was = template or f"the cluster's default ({', '.join(sorted(found))})"
        yield (
            f"{asked.path}.storageClass: got {asked.storage_class or 'nothing'}, {of_set} {was}, which Kubernetes does "
            f"not change. {f'Set it to {template}' if template else 'Unset it'}, {_ANEW}"
        )


def _too_small(asked: Asked, claims: Iterable[Claim]) -> Iterator[str]:
    large = [claim for claim in claims if size(asked.size) < size(claim.requested) and not _is_taken_back(asked, claim)]
    if not large:
        return
    claim = max(large, key=lambda claim: size(claim.requested))
    way_out = f"Set it to {claim.requested} or more"
    if claim.capacity and size(claim.capacity) < size(claim.requested):
        way_out += f", or to more than {claim.capacity}, which takes a growth back that does not go on"
    yield (
        f"{asked.path}.size: got {asked.size}, but the claim {claim.name} has {claim.requested}, and volumes don't "
        f"shrink. {way_out}."
    )


def _is_taken_back(asked: Asked, claim: Claim) -> bool:
    """A growth that can't be had may be taken back to what is more than the volume has (KEP-1790)."""
    return bool(claim.capacity) and size(claim.capacity) < size(asked.size) < size(claim.requested)


def _rigid(asked: Asked, claims: Iterable[Claim], classes: Callable[[], Objects]) -> Iterator[str]:
    growing = [claim for claim in claims if size(claim.requested) < size(asked.size)]
    if not growing:
        return
    expandable = {item["metadata"]["name"] for item in classes() if item.get("allowVolumeExpansion")}
    for name in sorted({claim.storage_class for claim in growing} - expandable):
        claim = next(claim for claim in growing if claim.storage_class == name)
        yield (
            f"{asked.path}.size: got {asked.size}, but the claim {claim.name} has {claim.requested}, and its storage "
            f"class {name or '(none)'} grows no volumes. Set it to {claim.requested}; or, where the class's driver can "
            "grow volumes, set allowVolumeExpansion: true on the class; or move to another class: docs/storage.md."
        )


class Claims:
    """The claims in the cluster."""

    def __init__(self, kubectl: Callable[..., str], asked: Sequence[Asked], *, simulated: bool = False) -> None:
        self._kubectl, self._asked, self._simulated = kubectl, asked, simulated

    def grow(self) -> None:
        """Requests the size for every claim that has a volume, and waits for the volumes. Raises Refused before
        anything is changed where a part of it can't be had, and when it does not go on; it may be called again.
        """
        objects = self._get(OBJECTS)
        if errors := [error for asked in self._asked for error in refusals(asked, objects, lambda: self._get(CLASSES))]:
            raise Refused("\n".join(errors))
        for asked in self._asked:
            for claim in claims_of(asked, objects):
                if claim.capacity and size(claim.requested) != size(asked.size):
                    self._request(claim, asked.size)
        if not self._simulated:
            self._wait()

    def _request(self, claim: Claim, wanted: str) -> None:
        progress(f"claim {claim.name}: {claim.requested}, now {wanted}")
        patch = json.dumps({"spec": {"resources": {"requests": {"storage": wanted}}}})
        self._kubectl("patch", "persistentvolumeclaim", claim.name, "--type=merge", f"--patch={patch}")

    def _wait(self) -> None:
        """Until every volume has its size, telling what goes on."""
        said: list[str] = []
        since = time.monotonic()
        while left := self._growing():
            if left != said:
                progress("\n".join(left))
                said, since = left, time.monotonic()
            elif time.monotonic() - since > _PATIENCE:
                raise Refused(
                    "\n".join(left) + f"\nNothing has gone on for {_PATIENCE / 60:.0f} minutes. Run it again when the "
                    "cause is gone (kubectl describe pvc): it goes on from there. At FileSystemResizePending the pod "
                    "is to be started anew: kubectl delete pod, one at a time."
                )
            time.sleep(_EVERY)

    def _growing(self) -> list[str]:
        objects = self._get(OBJECTS)
        return [
            f"claim {claim.name} grows: {claim.capacity} of {asked.size}{claim.trouble and f' ({claim.trouble})'}"
            for asked in self._asked
            for claim in claims_of(asked, objects)
            if claim.capacity and size(claim.capacity) < size(asked.size)
        ]

    def _get(self, kinds: str) -> Objects:
        items: Objects = json.loads(self._kubectl("get", kinds, "--output=json"))["items"]
        return items


def _grow() -> None:
    asked = [Asked(**item) for item in json.loads(os.environ["CLAIMS"])]
    Claims(KafkaTools(os.environ).kubectl, asked, simulated=bool(os.environ.get("SIMULATED"))).grow()


if __name__ == "__main__":
    main({"grow": _grow})
