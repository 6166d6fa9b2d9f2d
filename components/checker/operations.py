"""What Kafka's ACLs speak of, by names; each name's code is its place, from 2 on (org.apache.kafka.common.acl)."""

from typing import Literal, get_args

Operation = Literal[
    "all",
    "read",
    "write",
    "create",
    "delete",
    "alter",
    "describe",
    "cluster-action",
    "describe-configs",
    "alter-configs",
    "idempotent-write",
]
OPERATIONS: tuple[str, ...] = get_args(Operation)
