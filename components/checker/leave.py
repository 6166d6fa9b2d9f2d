"""A node that leaves for good takes its voter out of the quorum, as soon as its Kafka has ended.

A StatefulSet that gets smaller stops the nodes beyond its number, and rolls the others, whose files name the voters.
Would voters that are gone still count, three would be left of five: none of those may stop (see `verdict`), so the roll
would hang, and the loss of one would stop the quorum. Nor can it be done before: a voter that still runs is taken in
again at once (KAFKA-19850). What is missed here, `components.scripts.members` does after the roll.
"""

import time
from typing import Any

from .environment import Environment
from .kubernetes import Api, ApiError
from .wire import WireError

_ANSWER = 5.0  # seconds
_LONGEST = 20.0  # seconds: an election, if this node led, and another change of the voters
_AGAIN = 0.5


def leaves(stateful_set: Any, pod: str) -> bool:
    """Whether a StatefulSet is to go on without a pod. Not where it is deleted or scaled to nothing: then all its nodes
    come back, if ever, with their voters. Pure.
    """
    ordinal = int(pod.rpartition("-")[2])
    return not stateful_set["metadata"].get("deletionTimestamp") and 0 < stateful_set["spec"]["replicas"] <= ordinal


def leave(environment: Environment, api: Api) -> None:
    """Takes the voter of this node out, if it leaves for good. To be called when Kafka has ended, and before another
    node may stop. Says where it can't.
    """
    if not environment.node.controller:
        return
    sets = f"/apis/apps/v1/namespaces/{environment.namespace}/statefulsets"
    try:
        if not leaves(api.get(f"{sets}/{environment.stateful_set}"), environment.pod):
            return
        directory = (environment.properties() or {})["directory.id"]
    except (ApiError, OSError, KeyError) as error:
        print(f"leave: whether the voter is to be removed can't be told: {error}", flush=True)
        return
    node, trouble = environment.node.id, WireError("there are no controllers")
    controllers = [environment.connection(host, port, _ANSWER) for host, port in environment.controllers]
    end = time.monotonic() + _LONGEST
    while time.monotonic() < end:
        for controller in controllers:
            try:
                if all(voter.node != node for voter in controller.quorum().voters):
                    print(f"leave: voter {node} is out of the quorum", flush=True)
                    return
                controller.remove_voter(environment.cluster_id, node, directory)
            except WireError as error:
                trouble = error
        time.sleep(_AGAIN)
    print(f"leave: voter {node} is still in the quorum: {trouble}", flush=True)
