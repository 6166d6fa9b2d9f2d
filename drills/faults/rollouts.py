"""Changes of a StatefulSet that roll its pods, one after the other."""

import datetime
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from drills.drill import Drill
from drills.errors import DrillError, NotApplicable
from drills.faults import undo

SECONDS = 1800.0
"""Bound of one roll."""
_END_SECONDS = 120.0
_RESTARTED = "kubectl.kubernetes.io/restartedAt"


def restart(drill: Drill) -> None:
    """As `kubectl rollout restart` does, controllers of their own first."""
    for one in sorted(drill.target.sets, key=lambda one: one.broker):
        drill.say(f"rolling restart of {one.name}")
        at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        template = {"metadata": {"annotations": {_RESTARTED: at}}}
        drill.kubernetes.patch_template(drill.target.namespace, one.name, template)
        wait_rolled(drill, one.name)


def check(drill: Drill) -> None:
    """Raises NotApplicable where a StatefulSet does not roll by itself."""
    for one in drill.target.sets:
        spec = drill.kubernetes.stateful_set(drill.target.namespace, one.name)["spec"]
        if spec.get("updateStrategy", {}).get("type") == "OnDelete":
            raise NotApplicable(f"the StatefulSet {one.name} rolls only by hand (its update strategy is OnDelete).")


@contextmanager
def upgraded(drill: Drill, image: str) -> Iterator[None]:
    """Kafka's image is changed, and back at the end: by the stack's own program, or where there is none, in the
    StatefulSets.
    """
    before = drill.target.image
    try:
        drill.say(f"{before} → {image}")
        _set_image(drill, image)
        yield
    finally:
        drill.say(f"{image} → {before}")
        undo(drill, f"image {image}", lambda: _set_image(drill, None))


def _set_image(drill: Drill, image: str | None) -> None:
    """None: that of before."""
    if drill.target.stack:
        _up(drill.target.stack, image)
        return
    for one in drill.target.sets:
        container = {"name": one.container, "image": image or drill.target.image}
        drill.kubernetes.patch_template(drill.target.namespace, one.name, {"spec": {"containers": [container]}})
        wait_rolled(drill, one.name)


def _up(stack: str, image: str | None) -> None:
    """`pulumi up` with the image in a copy of the stack's settings: the user's own file stays as it is."""
    own = Path(f"Pulumi.{stack}.yaml")
    with tempfile.TemporaryDirectory() as folder:
        arguments = []
        if image:
            settings = yaml.safe_load(own.read_text())
            settings["config"].setdefault("kafka-ha:kafka", {})["image"] = image
            copy = Path(folder) / own.name
            copy.write_text(yaml.safe_dump(settings))
            arguments = ["--config-file", str(copy)]
        command = ["pulumi", "up", "--stack", stack, "--yes", "--skip-preview", "--non-interactive", *arguments]
        # A session of its own: it is ended in its own way, which gives back the stack's lock.
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        try:
            out, _ = process.communicate(timeout=SECONDS)
        except BaseException:
            process.send_signal(signal.SIGINT)
            process.wait(_END_SECONDS)
            raise
    if process.returncode:
        said = out.strip().splitlines()
        raise DrillError(f"pulumi up: {said[-1] if said else 'failed'}")


def wait_rolled(drill: Drill, name: str) -> None:
    """Until every pod of the StatefulSet is of its latest revision and ready. Raises NotInTime."""
    namespace = drill.target.namespace
    drill.wait(f"{name} is rolled", lambda: is_rolled(drill.kubernetes.stateful_set(namespace, name)), SECONDS)


def is_rolled(stateful_set: dict[str, Any]) -> bool:
    """Whether the controller has seen the latest change, and every pod is of it and ready."""
    status, replicas = stateful_set.get("status", {}), stateful_set["spec"].get("replicas", 1)
    return bool(
        status.get("observedGeneration", 0) >= stateful_set["metadata"]["generation"]
        and status.get("updatedReplicas", 0) == replicas
        and status.get("readyReplicas", 0) == replicas
        and status.get("currentRevision") == status.get("updateRevision")
    )
