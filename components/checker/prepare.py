"""Before Kafka starts: the node's zone, and what is to be done with its disk. `python3 -m checker.prepare`.

A node's disk is formatted for a new quorum at most once in the life of a cluster. The proof stands outside the disk, in
the ConfigMap of marks: before its first format a node puts a token of its own on the disk and the same token in the
marks. A disk without Kafka's files whose node has another mark has been replaced; it is formatted as an observer, which
takes part in no election until the quorum, if there is one, has taken it in (KIP-853). The node's mark is sealed then,
as it is when a node starts from a formatted disk: no disk that comes back fits it any more. So neither a second quorum
nor a voter that forgot what it voted for can come to be, whatever disks are lost, at whatever time, as long as nobody
deletes the marks.
"""

import os
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .agent import AgentError, agent
from .environment import Environment
from .kubernetes import CONFLICT, Api, ApiError
from .log import Log

ZONE_LABEL = "topology.kubernetes.io/zone"
VOTERS = "voters"
"""The mark that holds the voters of the first quorum, as `kafka-storage.sh format --initial-controllers` takes them."""
SEALED = "sealed"
"""The mark of a node that must not be formatted for the first quorum any more; no token is like it."""
_TOKEN = "kafka-ha-token"
_AGAIN = 2  # seconds


class Refused(Exception):
    """This node must not start; the message says why and the way out."""


@dataclass(frozen=True)
class Decision:
    """What start.sh does with the disk: `none`, `initial` (as a voter of the first quorum) or `join`. `marks` are to be
    written before.
    """

    format: str
    voters: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)


def mark_of(node: int) -> str:
    """The name of a node's mark."""
    return f"node-{node}"


def decide(node: int, controller: bool, formatted: bool, token: str, marks: Mapping[str, str], voters: str) -> Decision:
    """What to do with a disk that holds `token`. `voters` are those of a first quorum, if none is marked yet. Pure."""
    mark, voters = marks.get(mark_of(node)), marks.get(VOTERS, voters)
    seal = {mark_of(node): SEALED} if controller and mark != SEALED else {}
    if formatted:
        return Decision("none", marks=seal)
    if not controller or not any(voter.startswith(f"{node}@") for voter in voters.split(",")):
        return Decision("join")
    if mark is None:
        return Decision("initial", voters, {VOTERS: voters, mark_of(node): token})
    return Decision("initial", voters) if mark == token else Decision("join", marks=seal)


def zone_of(environment: Environment, api: Api) -> str:
    """The zone of the Kubernetes node: by the pod's own label (KEP-4742), else by the node's. Raises Refused where it
    is none of the cluster's zones, ApiError where it can't be asked.
    """
    zone, node = environment.zone, environment.kubernetes_node
    if not zone:
        zone = api.get(f"/api/v1/nodes/{node}")["metadata"].get("labels", {}).get(ZONE_LABEL, "")
    if zone not in environment.zones:
        raise Refused(
            f"node {node} is in {f'zone {zone}' if zone else 'no zone'}, but the cluster's zones are "
            f"{', '.join(environment.zones)}: its replicas would count for a zone where they are not. Set the node's "
            f"label {ZONE_LABEL}, or add the zone to kafka-ha:cluster.zones, and delete this pod."
        )
    return zone


def token_of(folder: Path) -> str:
    """The token of a disk, made where there is none yet. It stands among Kafka's own files, so that it goes with them
    when somebody empties the folder; Kafka leaves it alone.
    """
    file = folder / _TOKEN
    if file.exists() and (token := file.read_text()):
        return token
    folder.mkdir(exist_ok=True)
    token = uuid.uuid4().hex
    file.write_text(token)
    for path in (file, folder, folder.parent):  # the marks must not know of a token that a power loss can take back
        opened = os.open(path, os.O_RDONLY)
        os.fsync(opened)
        os.close(opened)
    return token


def prepare(environment: Environment, api: Api) -> Decision:
    """Decides, marks, and tells start.sh by the file `start`. Raises Refused and ApiError."""
    zone = zone_of(environment, api)
    properties = environment.properties()
    if properties is not None and properties.get("cluster.id") != environment.cluster_id:
        raise Refused(
            f"the disk of {environment.pod} belongs to the Kafka cluster {properties.get('cluster.id')}, not to "
            f"{environment.cluster_id}. Use that stack's settings, or delete the claim to start with an empty disk."
        )
    decision = _decide_and_mark(environment, api, properties is not None)
    environment.start.write_text(
        f"zone={zone}\nformat={decision.format}\nnode_id={environment.node.id}\nvoters={decision.voters}\n"
    )
    return decision


def metrics_agent(environment: Environment, log: Log) -> str:
    """The argument of Java's option -javaagent; empty without metrics, or without an agent, which is logged."""
    if not environment.agent_url:
        return ""
    try:
        jar = agent(environment.agent_url, environment.agent_sha256, environment.disks[0])
    except AgentError as error:
        log.say(f"no metrics of Kafka until the next start: {error}")
        return ""
    return f"{jar}={environment.agent_options}"


def _decide_and_mark(environment: Environment, api: Api, formatted: bool) -> Decision:
    path = f"/api/v1/namespaces/{environment.namespace}/configmaps/{environment.marks}"
    node, token = environment.node, "" if formatted else token_of(environment.logs)
    while True:
        try:
            held = api.get(path)
            decision = decide(node.id, node.controller, formatted, token, held.get("data") or {}, environment.voters)
            if decision.marks:
                version = held["metadata"]["resourceVersion"]
                api.merge(path, {"metadata": {"resourceVersion": version}, "data": dict(decision.marks)})
            return decision
        except ApiError as error:
            if error.status == CONFLICT:
                continue
            if formatted:  # nothing is to be decided, and Kafka need not wait for Kubernetes
                return Decision("none")
            raise


def main() -> None:
    """Prepares, as soon as the API answers; ends with exit code 1 where the node must not start."""
    environment, log = Environment.read(), Log()
    while True:
        try:
            decision = prepare(environment, Api())
        except ApiError as error:
            log.say(f"waiting: {error}")
            time.sleep(_AGAIN)
            continue
        except Refused as refusal:
            sys.exit(f"refused: {refusal}")
        with environment.start.open("a") as start:
            start.write(f"agent={metrics_agent(environment, log)}\n")
        print(f"node {environment.node.id}: {_TOLD[decision.format]}", flush=True)
        return


_TOLD = {
    "none": "the disk is formatted",
    "initial": "an empty disk, to be formatted for the first quorum",
    "join": "an empty disk, to join the cluster that there is",
}


if __name__ == "__main__":
    main()
