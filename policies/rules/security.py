"""Security: who may reach Kafka, and what its containers may do. Advice, unless production is set."""

from collections.abc import Iterator

from policies.rules.deciding import known, unsure
from policies.rules.model import Answer, ClusterFacts, Finding, Limits, Rule, Severity

_SECURITY = "https://kafka.apache.org/documentation/#security"
_STANDARDS = "https://kubernetes.io/docs/concepts/security/pod-security-standards/"


def _listeners(facts: ClusterFacts, outside: bool, required: str) -> Iterator[Answer]:
    if facts.listeners is None:
        return
    yield from unsure(facts.listeners)
    for listener in known(facts.listeners) or ():
        if listener.outside is not outside:
            continue
        yield from unsure(listener.protocol)
        if (protocol := known(listener.protocol)) is not None and "PLAINTEXT" in protocol:
            yield Finding(listener.protocol.path, f"{protocol} on listener {listener.name}", required)


def _outside(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    yield from _listeners(facts, True, "what is reached from outside must be SSL or SASL_SSL")


def _tls(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    yield from _listeners(facts, False, "it should be SSL or SASL_SSL")


def _authorizer(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    if facts.authorizer is None:
        return
    yield from unsure(facts.authorizer)
    if not facts.authorizer.undecided and not facts.authorizer.value:
        yield Finding(facts.authorizer.path, "no authorizer", "one should decide who may do what")


def _non_root(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for group in facts.groups:
        fact = group.security.non_root if group.security else None
        yield from unsure(fact)
        if fact and not fact.undecided and not fact.value:
            yield Finding(fact.path, fact.shown, "runAsNonRoot should be true")


def _restricted(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for group in facts.groups:
        fact = group.security.restricted if group.security else None
        yield from unsure(fact)
        if fact and not fact.undecided and not fact.value:
            yield Finding(fact.path, fact.note or "more than it needs", "the restricted standard should hold")


def _plain_secrets(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for group in facts.groups:
        for path in group.security.plain_secrets if group.security else ():
            yield Finding(path, "a secret in plain sight", "it should come from a Secret")


RULES = (
    Rule(
        id="plaintext-outside",
        severity=Severity.ADVICE,
        why="records and passwords can be read on the way; Kafka documentation, security.",
        remedy="Set the listener's protocol to SSL or SASL_SSL.",
        check=_outside,
        url=_SECURITY,
        strict_in_production=True,
    ),
    Rule(
        id="tls",
        severity=Severity.ADVICE,
        why="whoever reaches the cluster's network can read and write records; Kafka documentation, security.",
        remedy="Set the listener's protocol to SSL or SASL_SSL.",
        check=_tls,
        url=_SECURITY,
        strict_in_production=True,
    ),
    Rule(
        id="authorizer",
        severity=Severity.ADVICE,
        why="without one every client may delete every topic; Kafka documentation, authorization.",
        remedy="Set authorizer.class.name to org.apache.kafka.metadata.authorizer.StandardAuthorizer (an operator's "
        "authorization or SASL).",
        check=_authorizer,
        url=_SECURITY + "_authz",
        strict_in_production=True,
    ),
    Rule(
        id="non-root",
        severity=Severity.ADVICE,
        why="a process that runs as root has the node when it leaves its container; Kubernetes documentation, pod "
        "security standards.",
        remedy="Set securityContext.runAsNonRoot: true.",
        lines="securityContext:\n  runAsNonRoot: true",
        check=_non_root,
        url=_STANDARDS,
        strict_in_production=True,
    ),
    Rule(
        id="restricted-pod",
        severity=Severity.ADVICE,
        why="what a container can't do nobody can make it do; Kubernetes documentation, pod security standards.",
        remedy="Set allowPrivilegeEscalation: false, capabilities.drop: [ALL] and seccompProfile RuntimeDefault.",
        lines="securityContext:\n  allowPrivilegeEscalation: false\n  capabilities: {drop: [ALL]}\n"
        "  seccompProfile: {type: RuntimeDefault}",
        check=_restricted,
        url=_STANDARDS,
        strict_in_production=True,
    ),
    Rule(
        id="plain-secrets",
        severity=Severity.ADVICE,
        why="whoever may read the pod reads the secret; Kubernetes documentation, secrets.",
        remedy="Use valueFrom.secretKeyRef.",
        lines="valueFrom:\n  secretKeyRef: {name: SECRET, key: KEY}",
        check=_plain_secrets,
        url="https://kubernetes.io/docs/concepts/configuration/secret/",
        strict_in_production=True,
    ),
)
