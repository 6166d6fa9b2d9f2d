"""What a failed test leaves behind of the cluster, for those who read the log after the cluster is gone."""

import json
import tempfile
from collections.abc import Iterator
from subprocess import SubprocessError

from tests.live.process import CommandFailed, run
from tests.live.stack import CLUSTER

_NO_ANSWER = (CommandFailed, OSError, SubprocessError)  # evidence must not hide what failed first
_LINES = 25  # of each container's log


def evidence() -> str:
    """All pods, the latest events, and the last lines of each container in a pod that is not ready."""
    try:
        kubeconfig = run("k3d", "kubeconfig", "get", CLUSTER, quiet=True)
    except _NO_ANSWER as reason:
        return f"there is no cluster to look at: {reason}"
    with tempfile.NamedTemporaryFile("w", suffix=".kubeconfig") as file:
        file.write(kubeconfig)
        file.flush()
        return "\n".join(_sections(file.name))


def _sections(kubeconfig: str) -> Iterator[str]:
    def kubectl(*arguments: str) -> str:
        try:
            return run("kubectl", "--kubeconfig", kubeconfig, "--request-timeout=20s", *arguments, quiet=True)
        except _NO_ANSWER as reason:
            return str(reason)

    yield kubectl("get", "pods", "--all-namespaces", "-o", "wide")
    events = kubectl("get", "events", "--all-namespaces", "--sort-by=.lastTimestamp").splitlines()
    yield "\n".join(events[-_LINES:])
    found = kubectl("get", "pods", "--all-namespaces", "-o", "json")
    for pod in json.loads(found)["items"] if found.startswith("{") else ():
        status = [*pod["status"].get("initContainerStatuses", ()), *pod["status"].get("containerStatuses", ())]
        if pod["status"]["phase"] == "Succeeded" or all(one["ready"] for one in status):
            continue
        where = ("-n", pod["metadata"]["namespace"], pod["metadata"]["name"])
        for container in status:
            name = container["name"]
            yield f"== {pod['metadata']['name']} {name}: {json.dumps(container['state'])}"
            yield kubectl("logs", *where, "-c", name, f"--tail={_LINES}")
            if container["restartCount"]:
                yield f"-- the one before, of {container['restartCount']}"
                yield kubectl("logs", *where, "-c", name, f"--tail={_LINES}", "--previous")
