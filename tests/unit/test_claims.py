"""Claims: which grow, what is refused before any is touched, and what kubectl is called with."""

import json
import time
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from components.scripts import claims
from components.scripts.claims import Asked, Claims, refusals, size, uneven
from components.scripts.process import Refused

ASKED = Asked("kafka-ha:kafka.storage", "kafka", 3, ["data"], "20Gi")
CONTROLLERS = Asked("kafka-ha:kafka.dedicatedControllers.storage", "kafka-controller", 3, ["data"], "5Gi")


def claim(name: str, requested: str = "10Gi", capacity: str | None = None, **status: Any) -> dict[str, Any]:
    """As the API server answers; bound where a capacity is known."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": name,
            "namespace": "kafka",
            "annotations": {"pv.kubernetes.io/bind-completed": "yes"},
            "finalizers": ["kubernetes.io/pvc-protection"],
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": requested}},
            "storageClassName": "standard",
            "volumeMode": "Filesystem",
            "volumeName": f"pvc-{name}",
        },
        "status": {
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": capacity or requested},
            "phase": "Bound",
            **status,
        },
    }


def pending(name: str, requested: str) -> dict[str, Any]:
    return claim(name, requested) | {"status": {"phase": "Pending"}}


def stateful_set(name: str = "kafka", volumes: int = 1, storage_class: str | None = None) -> dict[str, Any]:
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "10Gi"}},
        "volumeMode": "Filesystem",
    }
    spec |= {"storageClassName": storage_class} if storage_class else {}
    template = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"}, "spec": spec}
    templates = [template | {"metadata": {"name": f"data-{number}"}} for number in range(volumes)]
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name, "namespace": "kafka"},
        "spec": {"replicas": 3, "template": {"spec": {}}, "volumeClaimTemplates": templates},
    }


def storage_class(name: str = "standard", **settings: Any) -> dict[str, Any]:
    return {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}, **settings}


GROWS = [storage_class(allowVolumeExpansion=True)]
THREE = [stateful_set(), *(claim(f"data-kafka-{ordinal}") for ordinal in range(3))]


def told(asked: Asked, objects: list[dict[str, Any]], classes: list[dict[str, Any]] | None = None) -> list[str]:
    return refusals(asked, objects, lambda: GROWS if classes is None else classes)


@pytest.mark.parametrize(
    ("quantity", "size_in_bytes"),
    [("10Gi", 10 * 2**30), ("1536Mi", 1.5 * 2**30), ("1.5Gi", 1.5 * 2**30), ("1G", 10**9), ("1k", 1000), ("1Ki", 1024),
     ("123", 123), ("1e3", 1000), ("2E", 2 * 10**18), ("2E3", 2000), ("1500m", 1.5)],
)  # fmt: skip
def test_a_size_is_read_as_kubernetes_writes_it(quantity: str, size_in_bytes: float) -> None:
    assert size(quantity) == size_in_bytes


@dataclass
class FakeKubectl:
    """A namespace. What is requested of a claim its volume has after so many more questions."""

    objects: list[dict[str, Any]]
    classes: list[dict[str, Any]] = field(default_factory=lambda: GROWS)
    questions: int = 1
    trouble: tuple[dict[str, str], ...] = ()
    patched: list[str] = field(default_factory=list)

    def __call__(self, verb: str, kind: str, *arguments: str) -> str:
        if verb == "get":
            self._go_on()
            return json.dumps({"kind": "List", "items": self.classes if kind == claims.CLASSES else self.objects})
        assert (verb, kind, arguments[1]) == ("patch", "persistentvolumeclaim", "--type=merge")
        self.patched.append(arguments[0])
        item = next(item for item in self.objects if item["metadata"]["name"] == arguments[0])
        item["spec"]["resources"] = json.loads(arguments[2].removeprefix("--patch="))["spec"]["resources"]
        item["status"]["conditions"] = list(self.trouble)
        return ""

    def _go_on(self) -> None:
        if not self.patched:
            return
        self.questions -= 1
        claims = (item for item in self.objects if item["kind"] == "PersistentVolumeClaim")
        for item in claims if self.questions == 0 else ():
            item["status"]["capacity"] = item["spec"]["resources"]["requests"]


def kubectl(*objects: dict[str, Any], **settings: Any) -> FakeKubectl:
    return FakeKubectl(deepcopy(list(objects)), **settings)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which each look takes a minute."""
    clock = iter(range(0, 10**6, 60))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))


def test_claims_that_are_smaller_grow_until_their_volumes_have_it(capsys: pytest.CaptureFixture[str]) -> None:
    there = kubectl(*THREE[:2], claim("data-kafka-1", "20Gi"), claim("data-kafka-2"), questions=3)
    Claims(there, [ASKED]).grow()
    assert there.patched == ["data-kafka-0", "data-kafka-2"]
    assert capsys.readouterr().err.splitlines() == [
        "claim data-kafka-0: 10Gi, now 20Gi",
        "claim data-kafka-2: 10Gi, now 20Gi",
        "claim data-kafka-0 grows: 10Gi of 20Gi",
        "claim data-kafka-2 grows: 10Gi of 20Gi",
    ]


def test_what_has_its_size_is_left_alone_and_no_class_is_asked_for() -> None:
    there = kubectl(*(claim(f"data-kafka-{ordinal}", "20Gi") for ordinal in range(3)))
    Claims(there, [ASKED]).grow()
    assert there.patched == []
    assert refusals(ASKED, there.objects, lambda: pytest.fail("nothing grows")) == []


def test_an_interrupted_growth_goes_on() -> None:
    requested_already = claim("data-kafka-0", "20Gi", "10Gi")
    there = kubectl(requested_already, claim("data-kafka-1"), questions=2)
    Claims(there, [ASKED]).grow()
    assert there.patched == ["data-kafka-1"]
    assert there.objects[0]["status"]["capacity"] == {"storage": "20Gi"}


def test_a_simulated_volume_is_not_waited_for() -> None:
    there = kubectl(claim("data-kafka-0"), questions=10**6)
    Claims(there, [ASKED], simulated=True).grow()
    assert there.patched == ["data-kafka-0"]


@pytest.mark.parametrize(
    "left_alone",
    [
        pytest.param(pending("data-kafka-0", "10Gi"), id="the API server grows none without a volume"),
        pytest.param(claim("data-kafka-3"), id="of a broker that is no more"),
        pytest.param(claim("data-other-0"), id="of another set"),
        pytest.param(claim("data-kafka-controller-0", "5Gi"), id="of the controllers"),
    ],
)
def test_what_is_left_alone(left_alone: dict[str, Any]) -> None:
    there = kubectl(left_alone)
    Claims(there, [ASKED, CONTROLLERS]).grow()
    assert there.patched == []


def test_a_growth_that_stands_still_is_told_with_what_kubernetes_says() -> None:
    condition = {"type": "FileSystemResizePending", "status": "True", "message": "Waiting for user to (re-)start a pod"}
    there = kubectl(claim("data-kafka-0"), questions=10**6, trouble=(condition,))
    with pytest.raises(Refused) as refusal:
        Claims(there, [ASKED]).grow()
    for part in (
        "claim data-kafka-0 grows: 10Gi of 20Gi (FileSystemResizePending: Waiting for user to (re-)start a pod)",
        "Nothing has gone on for 10 minutes. Run it again",
        "kubectl delete pod",
    ):
        assert part in str(refusal.value)


@pytest.mark.parametrize(
    ("asked", "objects", "message"),
    [
        (
            replace(ASKED, size="5Gi"),
            THREE,
            "kafka-ha:kafka.storage.size: got 5Gi, but the claim data-kafka-0 has 10Gi, and volumes don't shrink. "
            "Set it to 10Gi or more.",
        ),
        (
            replace(ASKED, size="10Gi"),
            [claim("data-kafka-0", "500Gi", "10Gi")],
            "kafka-ha:kafka.storage.size: got 10Gi, but the claim data-kafka-0 has 500Gi, and volumes don't shrink. "
            "Set it to 500Gi or more, or to more than 10Gi, which takes a growth back that does not go on.",
        ),
        (
            replace(ASKED, templates=["data", "data-1"], size="10Gi"),
            THREE,
            "kafka-ha:kafka.storage.volumes: got 2, but the StatefulSet kafka was made with 1, which Kubernetes does "
            "not change. Set it to 1, or make the set anew around its running pods: docs/storage.md.",
        ),
        (
            replace(ASKED, storage_class="fast", size="10Gi"),
            THREE,
            "kafka-ha:kafka.storage.storageClass: got fast, but the StatefulSet kafka was made with the cluster's "
            "default (standard), which Kubernetes does not change. Unset it, or make the set anew around its running "
            "pods: docs/storage.md.",
        ),
        (
            replace(ASKED, size="10Gi"),
            [stateful_set(storage_class="standard"), *THREE[1:]],
            "kafka-ha:kafka.storage.storageClass: got nothing, but the StatefulSet kafka was made with standard, which "
            "Kubernetes does not change. Set it to standard, or make the set anew around its running pods: "
            "docs/storage.md.",
        ),
        (
            replace(CONTROLLERS, size="1Gi"),
            [claim("data-kafka-controller-2", "5Gi")],
            "kafka-ha:kafka.dedicatedControllers.storage.size: got 1Gi, but the claim data-kafka-controller-2 has 5Gi, "
            "and volumes don't shrink. Set it to 5Gi or more.",
        ),
    ],
)
def test_what_cannot_be_had_is_refused_in_a_sentence(asked: Asked, objects: list[dict[str, Any]], message: str) -> None:
    assert told(asked, objects) == [message]
    there = kubectl(*objects)
    with pytest.raises(Refused) as refusal:
        Claims(there, [ASKED, asked]).grow()
    assert message in str(refusal.value)
    assert there.patched == [], "nor is the other set touched"


@pytest.mark.parametrize("classes", [[], [storage_class()], [storage_class(allowVolumeExpansion=False)]])
def test_a_class_that_grows_no_volumes_is_named(classes: list[dict[str, Any]]) -> None:
    assert told(ASKED, THREE, classes) == [
        "kafka-ha:kafka.storage.size: got 20Gi, but the claim data-kafka-0 has 10Gi, and its storage class standard "
        "grows no volumes. Set it to 10Gi; or, where the class's driver can grow volumes, set allowVolumeExpansion: "
        "true on the class; or move to another class: docs/storage.md."
    ]


@pytest.mark.parametrize(
    ("asked", "objects"),
    [
        pytest.param(ASKED, [], id="nothing is there yet"),
        pytest.param(replace(ASKED, storage_class="fast"), THREE[1:], id="the set is about to be made anew"),
        pytest.param(replace(ASKED, storage_class="standard"), THREE, id="the default, by its name"),
        pytest.param(replace(ASKED, size="10Gi"), [*THREE, claim("data-kafka-3", "50Gi")], id="of a broker no more"),
        pytest.param(ASKED, [stateful_set("other", volumes=2)], id="another set"),
    ],
)
def test_what_can_be_had(asked: Asked, objects: list[dict[str, Any]]) -> None:
    assert told(asked, objects) == []


def test_a_growth_that_does_not_go_on_is_taken_back() -> None:
    """To more than the volume has, which is what the API server admits (KEP-1790)."""
    there = kubectl(claim("data-kafka-0", "500Gi", "10Gi"), questions=2)
    Claims(there, [ASKED]).grow()
    assert there.objects[0]["spec"]["resources"] == {"requests": {"storage": "20Gi"}}


def test_claims_that_the_old_template_made_since_are_found() -> None:
    assert uneven(ASKED, THREE) == []
    grown = [claim("data-kafka-0", "20Gi"), claim("data-kafka-1", "10Gi"), claim("data-kafka-2", "20480Mi")]
    assert uneven(ASKED, grown) == ["data-kafka-1"]
    assert uneven(ASKED, []) == []
