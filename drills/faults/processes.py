"""What happens to Kafka's process alone: it is killed, or stands still."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from drills.drill import Drill
from drills.errors import NotApplicable
from drills.faults import undo
from drills.kubernetes import ExecFailed

# All processes whose cgroup is the container's, found on the node.
_ON_NODE = (
    'for file in $(grep -l "$1" /proc/[0-9]*/cgroup 2>/dev/null); do p=${file#/proc/}; kill -s "$2" "${p%%/*}"; done'
)
# The Java process, found in the container. Process 1 gets no signal from inside its own namespace. BusyBox's grep would
# see a line only up to its first NUL.
_IN_CONTAINER = """
for file in /proc/[0-9]*/cmdline; do
  if cat "$file" 2>/dev/null | tr '\\0' ' ' | grep -q 'kafka\\.Kafka'; then
    p=${file#/proc/}; p=${p%%/*}
    [ "$p" = "$$" ] || [ "$p" = 1 ] || { kill -s "$1" "$p" && echo done; }
  fi
done
"""


def kill(drill: Drill, pod: str) -> None:
    """SIGKILL to Kafka; the kubelet starts it again."""
    drill.say(f"SIGKILL to Kafka in {pod}")
    _sender(drill, pod)("KILL")


@contextmanager
def frozen(drill: Drill, pod: str) -> Iterator[None]:
    """SIGSTOP to Kafka, and SIGCONT at the end."""
    send = _sender(drill, pod)
    try:
        drill.say(f"SIGSTOP to Kafka in {pod}")
        send("STOP")
        yield
    finally:
        drill.say(f"SIGCONT to Kafka in {pod}")
        undo(drill, f"SIGSTOP to Kafka in {pod}", lambda: send("CONT"))


def check(drill: Drill, pod: str) -> None:
    """Raises NotApplicable when no signal gets there."""
    try:
        drill.machines.check(drill.node_of(pod))
    except NotApplicable:
        _in_container(drill, pod, "0")


def _sender(drill: Drill, pod: str) -> Callable[[str], object]:
    """Sends a signal to the process that is there now, by its node where that is in reach."""
    node = drill.node_of(pod)
    try:
        drill.machines.check(node)
    except NotApplicable:
        return lambda name: _in_container(drill, pod, name)
    container = _container_id(drill, pod)
    return lambda name: drill.machines.run(node, "sh", "-c", _ON_NODE, "sh", container, name)


def _in_container(drill: Drill, pod: str, name: str) -> None:
    namespace, container = drill.target.namespace, _container(drill, pod)
    try:
        done = drill.kubernetes.exec(namespace, pod, container, "sh", "-c", _IN_CONTAINER, "sh", name)
    except ExecFailed as error:
        done = str(error)
    if "done" not in done.split():
        raise NotApplicable(
            f"no signal reaches Kafka in {pod}: its node is none of k3d's, and from inside the container it can't be "
            "sent one, as where Kafka is process 1."
        )


def _container(drill: Drill, pod: str) -> str:
    owner = drill.target.set_of(pod)
    return owner.container if owner else "kafka"


def _container_id(drill: Drill, pod: str) -> str:
    found = drill.kubernetes.pod(drill.target.namespace, pod) or {}
    statuses = found.get("status", {}).get("containerStatuses") or []
    name = _container(drill, pod)
    running = [one.get("containerID") or "" for one in statuses if one["name"] == name]
    if not running or not running[0]:
        raise NotApplicable(f"the container {name} of {pod} does not run now.")
    return running[0].rpartition("/")[2]
