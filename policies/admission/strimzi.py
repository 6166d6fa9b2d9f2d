"""What a resource of Strimzi decides by itself. What a pool may say in its Kafka's place is not decided here."""

from typing import Final

from policies.admission.cel import Check, Target, check, quote
from policies.readers.versions import default_of
from policies.rules import Limits
from policies.rules.model import UNCLEAN

_GROUP: Final = "kafka.strimzi.io"
# Numbers may be written as text, and text may be anything.
_NUMBER: Final = quote(r"^\d{1,9}$")
_TOPICS: Final = ("offsets.topic", "transaction.state.log")
_PAIRS: Final = (
    ("default.replication.factor", "min.insync.replicas"),
    ("transaction.state.log.replication.factor", "transaction.state.log.min.isr"),
)
_VARIABLES: Final = {
    "spec": "dyn(object.spec)",
    "kafka": "variables.spec.kafka",
    "config": "variables.kafka.?config.orValue({})",
    "listeners": "variables.kafka.?listeners.orValue([])",
    "storage": "variables.spec.?storage.orValue({})",
    "volumes": "variables.storage.?type.orValue('') == 'jbod' ? variables.storage.?volumes.orValue([])"
    " : [variables.storage]",
    "limits": "variables.spec.?resources.?limits.orValue({})",
    "requests": "variables.spec.?resources.?requests.orValue({})",
    "heap": "variables.spec.?jvmOptions[?'-Xmx'].orValue('')",
    "heapQuantity": "variables.heap.matches('[0-9]$') ? variables.heap : variables.heap.lowerAscii().replace('k', 'Ki')"
    ".replace('m', 'Mi').replace('g', 'Gi').replace('t', 'Ti')",
    "topicConfig": "variables.spec.?config.orValue({})",
}


def _value(config: str, key: str) -> str:
    value, _ = default_of(key, None)
    # A default of text alone would make text of the whole, and numbers an error.
    return f"string({config}[?{quote(key)}].orValue(dyn({quote(value or '')})))"


def _number(value: str, test: str) -> str:
    return f"[{value}].all(v, !v.matches({_NUMBER}) || int(v) {test})"


def _config(key: str, test: str) -> str:
    return _number(_value("variables.config", key), test)


def _internal(limits: Limits) -> str:
    parts = [_config(f"{one}.replication.factor", f">= {limits.minimum_replication_factor}") for one in _TOPICS]
    return " && ".join((*parts, _config("transaction.state.log.min.isr", f">= {limits.minimum_min_isr}")))


def _below(factor: str, min_isr: str) -> str:
    return f"[[{factor}, {min_isr}]].all(p, p.exists(v, !v.matches({_NUMBER})) || int(p[1]) < int(p[0]))"


_BELOW: Final = "the minimum ISR must be below the replication factor"
_GRACE: Final = "terminationGracePeriodSeconds"
_TOPIC_ISR: Final = "string(variables.topicConfig[?'min.insync.replicas'].orValue(dyn('')))"
_TOPIC_FACTOR: Final = "string(variables.spec.?replicas.orValue(dyn('')))"
_INSIDE: Final = "l.?type.orValue('internal') in ['internal', 'cluster-ip']"
_KAFKA: Final = (
    Check(
        "replication-factor",
        lambda limits: _config("default.replication.factor", f">= {limits.minimum_replication_factor}"),
    ),
    Check("min-isr", lambda limits: _config("min.insync.replicas", f">= {limits.minimum_min_isr}")),
    check(
        "min-isr-below-replication-factor",
        " && ".join(_below(*(_value("variables.config", key) for key in pair)) for pair in _PAIRS),
        _BELOW,
    ),
    Check("internal-topics", _internal, "replication factor and minimum ISR of Kafka's own topics are too low"),
    check("unclean-election", f"{_value('variables.config', UNCLEAN)}.lowerAscii() != 'true'"),
    check("authorizer", "has(variables.kafka.authorization)"),
    check("tls", f"variables.listeners.all(l, !({_INSIDE}) || l.?tls.orValue(false) == true)"),
    check("plaintext-outside", f"variables.listeners.all(l, {_INSIDE} || l.?tls.orValue(false) == true)"),
)
_POOL: Final = (
    check("combined-mode", "!('broker' in variables.spec.roles && 'controller' in variables.spec.roles)"),
    check(
        "persistent-storage",
        "!has(variables.spec.storage) || (variables.volumes.size() > 0"
        " && variables.volumes.all(v, v.?type.orValue('persistent-claim') == 'persistent-claim'))",
    ),
    check("claim-retention", "variables.volumes.all(v, v.?deleteClaim.orValue(false) != true)"),
    Check(
        "grace-period",
        lambda limits: _number(
            f"string(variables.spec.?template.?pod.?{_GRACE}.orValue(dyn('')))", f">= {limits.minimum_grace_period}"
        ),
    ),
    check(
        "resource-requests",
        "!has(variables.spec.resources) || ['cpu', 'memory'].all(n, n in variables.requests || n in variables.limits)",
    ),
    check(
        "memory-limit",
        "!has(variables.spec.resources) || ('memory' in variables.limits && (!variables.heap.matches("
        f"{quote(r'^[0-9]+[kKmMgGtT]?$')}) || !isQuantity(string(variables.limits['memory'])) || "
        "quantity(string(variables.limits['memory'])).isGreaterThan(quantity(variables.heapQuantity))))",
    ),
    check("non-root", "variables.spec.?template.?pod.?securityContext.?runAsNonRoot.orValue(true) != false"),
)
_TOPIC: Final = (
    Check("replication-factor", lambda limits: _number(_TOPIC_FACTOR, f">= {limits.minimum_replication_factor}")),
    Check("min-isr", lambda limits: _number(_TOPIC_ISR, f">= {limits.minimum_min_isr}")),
    check("min-isr-below-replication-factor", _below(_TOPIC_FACTOR, _TOPIC_ISR), _BELOW),
    check("unclean-election", f"{_value('variables.topicConfig', UNCLEAN)}.lowerAscii() != 'true'"),
)
TARGETS: Final = (
    Target(
        "strimzi-kafka",
        "Strimzi Kafka",
        _GROUP,
        ("kafkas",),
        _KAFKA,
        _VARIABLES,
        "has(object.spec) && has(object.spec.kafka)",
    ),
    Target("strimzi-pool", "Strimzi KafkaNodePool", _GROUP, ("kafkanodepools",), _POOL, _VARIABLES, "has(object.spec)"),
    Target("strimzi-topic", "Strimzi KafkaTopic", _GROUP, ("kafkatopics",), _TOPIC, _VARIABLES, "has(object.spec)"),
)
