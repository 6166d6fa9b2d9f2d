"""Users and their rights: what Kafka holds, and making it hold what is asked for. `python3 -m checker.users`, run by
`kubectl exec`, reads JSON from its standard input: a password stands neither in a process list nor in an audit log, as
it would as an argument of Kafka's own tools, and Kafka itself gets its salted hash alone.

A right is a line `OPERATION RESOURCE NAME`; a `*` at the end of a longer name makes it the beginning of names
(KIP-290). Message formats: Kafka protocol guide, https://kafka.apache.org/protocol; SCRAM in the metadata: KIP-554.
"""

import hashlib
import json
import os
import struct
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple

from .environment import Environment
from .operations import OPERATIONS
from .wire import Connection, Reader, WireError, array_of, compact_of, refuse, string_of

_DESCRIBE_ACLS, _CREATE_ACLS, _DELETE_ACLS, _ACLS_VERSION = 29, 30, 31, 1
_DESCRIBE_SCRAM, _ALTER_SCRAM, _SCRAM_VERSION = 50, 51, 0
_SHA_512, _ITERATIONS = 2, 8192  # the iterations are those of Kafka's own tools
_NOT_FOUND = 91
_ANY, _ALLOW = 1, 3
_LITERAL, _PREFIXED = 3, 4
_RESOURCES = ("topic", "group", "cluster", "transactional-id", "delegation-token", "user")
_FIRST = 2  # Kafka's code of the first of each
_SECONDS = 10.0


class Acl(NamedTuple):
    """A right of a principal, in Kafka's codes; `permission` and `host` of those that this program makes are always the
    same.
    """

    resource: int
    name: str
    pattern: int
    principal: str
    host: str
    operation: int
    permission: int

    @property
    def right(self) -> str:
        """As a line; one that this program would not make says so."""
        name = f"{self.name}*" if self.pattern == _PREFIXED else self.name
        own = self.permission == _ALLOW and self.host == "*"
        more = "" if own else f" ({'allowed' if self.permission == _ALLOW else 'denied'} from {self.host})"
        return f"{_word(OPERATIONS, self.operation)} {_word(_RESOURCES, self.resource)} {name}{more}"


def acl_of(principal: str, right: str) -> Acl:
    """Of a line."""
    operation, resource, name = right.split(" ")
    prefixed = name.endswith("*") and name != "*"
    return Acl(
        _RESOURCES.index(resource) + _FIRST,
        name.removesuffix("*") if prefixed else name,
        _PREFIXED if prefixed else _LITERAL,
        principal,
        "*",
        OPERATIONS.index(operation) + _FIRST,
        _ALLOW,
    )


def _word(words: tuple[str, ...], code: int) -> str:
    return words[code - _FIRST] if _FIRST <= code < len(words) + _FIRST else str(code)


def users(connection: Connection) -> dict[str, dict[str, Any]]:
    """Of each user that can log in or has a right: whether it can, and its rights. Raises WireError."""
    known = connection.ask(_DESCRIBE_SCRAM, _SCRAM_VERSION, b"\0\0", parse_scram, flexible=True)  # of all users
    found: dict[str, dict[str, Any]] = {name: {"logsIn": True, "rights": []} for name in known}
    for acl in acls(connection):
        kind, _, name = acl.principal.partition(":")
        if kind == "User":
            found.setdefault(name, {"logsIn": False, "rights": []})["rights"].append(acl.right)
    for user in found.values():
        user["rights"].sort()
    return found


def acls(connection: Connection, principal: str | None = None) -> list[Acl]:
    """All, or those of a principal. Raises WireError."""
    asked = struct.pack(">b", _ANY) + _nullable(None) + struct.pack(">b", _ANY) + _nullable(principal)
    body = asked + _nullable(None) + struct.pack(">bb", _ANY, _ANY)
    return connection.ask(_DESCRIBE_ACLS, _ACLS_VERSION, body, parse_acls)


def permit(connection: Connection, user: str, rights: Iterable[str]) -> None:
    """Makes the user's rights what is asked for; new ones first. Raises WireError."""
    principal = f"User:{user}"
    found, asked = set(acls(connection, principal)), {acl_of(principal, right) for right in rights}
    if new := sorted(asked - found):
        connection.ask(_CREATE_ACLS, _ACLS_VERSION, array_of(map(_packed, new)), parse_created)
    if old := sorted(found - asked):
        connection.ask(_DELETE_ACLS, _ACLS_VERSION, array_of(map(_packed, old)), parse_deleted)


def let_in(connection: Connection, user: str, password: str) -> None:
    """Lets the user log in with the password, and with no other. Raises WireError."""
    salt = os.urandom(32)
    salted = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    put = compact_of(user.encode()) + struct.pack(">bi", _SHA_512, _ITERATIONS) + compact_of(salt) + compact_of(salted)
    connection.ask(_ALTER_SCRAM, _SCRAM_VERSION, b"\1\2" + put + b"\0\0", parse_altered, flexible=True)


def keep_out(connection: Connection, user: str) -> None:
    """Takes the user's password away, if it has one. Raises WireError."""
    removed = compact_of(user.encode()) + struct.pack(">b", _SHA_512) + b"\0"
    connection.ask(_ALTER_SCRAM, _SCRAM_VERSION, b"\2" + removed + b"\1\0", parse_altered, flexible=True)


def parse_scram(answer: Reader) -> list[str]:
    """Of a DescribeUserScramCredentials response of version 0: who can log in as this program makes it."""

    def credential() -> int:
        mechanism, _ = answer.numbers(">bi")
        answer.tags()
        return mechanism

    def result() -> tuple[str, list[int]]:
        name = answer.compact_string()
        answer.int16(), answer.compact_string()
        mechanisms = answer.compact_array(credential)
        answer.tags()
        return name, mechanisms

    answer.tags()  # of the header
    answer.int32()  # throttle time
    refuse("Kafka", answer.int16(), answer.compact_string())
    return [name for name, mechanisms in answer.compact_array(result) if _SHA_512 in mechanisms]


def parse_altered(answer: Reader) -> None:
    """Of an AlterUserScramCredentials response of version 0. What is not there need not be removed."""

    def result() -> None:
        answer.compact_string()
        code, message = answer.int16(), answer.compact_string()
        answer.tags()
        if code != _NOT_FOUND:
            refuse("Kafka", code, message)

    answer.tags()  # of the header
    answer.int32()  # throttle time
    answer.compact_array(result)


def parse_acls(answer: Reader) -> list[Acl]:
    """Of a DescribeAcls response of version 1."""

    def resource() -> list[Acl]:
        (kind,), name, (pattern,) = answer.numbers(">b"), answer.string(), answer.numbers(">b")

        def acl() -> Acl:
            principal, host = answer.string(), answer.string()
            operation, permission = answer.numbers(">bb")
            return Acl(kind, name, pattern, principal, host, operation, permission)

        return answer.array(acl)

    answer.int32()  # throttle time
    refuse("Kafka", answer.int16(), answer.string())
    return [acl for found in answer.array(resource) for acl in found]


def parse_created(answer: Reader) -> None:
    """Of a CreateAcls response of version 1."""
    answer.int32()  # throttle time
    answer.array(lambda: refuse("Kafka", answer.int16(), answer.string()))


def parse_deleted(answer: Reader) -> None:
    """Of a DeleteAcls response of version 1."""

    def match() -> None:
        refuse("Kafka", answer.int16(), answer.string())
        answer.numbers(">b"), answer.string(), answer.numbers(">b")
        answer.string(), answer.string(), answer.numbers(">bb")

    def result() -> None:
        refuse("Kafka", answer.int16(), answer.string())
        answer.array(match)

    answer.int32()  # throttle time
    answer.array(result)


def _packed(acl: Acl) -> bytes:
    """As CreateAcls and, as a filter of exactly that one, DeleteAcls take it."""
    resource = struct.pack(">b", acl.resource) + string_of(acl.name) + struct.pack(">b", acl.pattern)
    return resource + string_of(acl.principal) + string_of(acl.host) + struct.pack(">bb", acl.operation, acl.permission)


def _nullable(text: str | None) -> bytes:
    return struct.pack(">h", -1) if text is None else string_of(text)


def main() -> None:
    """Makes one user what is asked for: `user`, `rights`, and `password` where it is to be set; without `rights` it is
    removed. Ends with exit code 1 and a sentence where Kafka refuses.
    """
    asked, environment = json.load(sys.stdin), Environment.read()
    connection, user = environment.own_connection(_SECONDS), asked["user"]
    try:
        if password := asked.get("password"):
            let_in(connection, user, password)
        if "rights" not in asked:
            keep_out(connection, user)
        permit(connection, user, asked.get("rights", ()))
    except WireError as error:
        sys.exit(f"{environment.pod}: {error}")


if __name__ == "__main__":
    main()
