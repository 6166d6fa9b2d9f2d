"""What a StatefulSet or Deployment of brokers decides by itself."""

from typing import Final

from policies.admission import brokers
from policies.admission.brokers import IS_BROKER, setting
from policies.admission.cel import Check, Target, check, pattern, quote, strings
from policies.readers.pods import NOT_SECRET, OF_EACH_POD, REFERENCE, SECRET_NAME, ZONE_KEY
from policies.readers.volumes import PERSISTENT
from policies.readers.workload import CLUSTER_WIDE, DEFAULT_HEAP, NATIVE
from policies.rules import Limits

_C: Final = "variables.broker"
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
# Labels that each pod of a StatefulSet gets of its own; what selects by them is not decided here.
_OF_EACH_POD: Final = strings(sorted(OF_EACH_POD))
# What is written for topics counts unless only controllers read it.
_MAY_SERVE: Final = "variables.roles == '' || variables.roles.contains('broker')"
_HEAP: Final = quote(r"-Xmx\d+[kKmMgGtT]?")
_NUMBER: Final = quote(r"^\d{1,9}$")


def _selects(one: str) -> str:
    """Whether the selector of `one` selects the pods themselves."""
    at = f"{one}.labelSelector"
    value = "variables.labels[e.key] in e.?values.orValue([])"
    return (
        f"(has({at}) && {at}.?matchLabels.orValue({{}}).all(k, k in {_OF_EACH_POD} || "
        f"(k in variables.labels && variables.labels[k] == {at}.matchLabels[k]))"
        f" && {at}.?matchExpressions.orValue([]).all(e, e.key in {_OF_EACH_POD} || "
        f"(e.operator == 'Exists' ? e.key in variables.labels : e.operator == 'DoesNotExist' ? "
        f"!(e.key in variables.labels) : e.operator == 'In' ? e.key in variables.labels && {value} : "
        f"!(e.key in variables.labels && {value}))))"
    )


_ZONED: Final = f"e.key == {quote(ZONE_KEY)} && e.operator == 'In'"
_INSIDE: Final = f"t.?matchExpressions.orValue([]).filter(e, {_ZONED})"
_VARIABLES: Final = {
    **brokers.VARIABLES,
    "anti": f"variables.spec.?affinity.?podAntiAffinity.?{_REQUIRED}.orValue([])",
    "nodeTerms": f"variables.spec.?affinity.?nodeAffinity.?{_REQUIRED}.?nodeSelectorTerms.orValue([])",
    "confined": f"variables.nodeTerms.filter(t, {_INSIDE}.size() > 0)"
    f".map(t, {_INSIDE}.map(e, e.?values.orValue([]).join(',')).join(','))",
    # Pods that may stand in one zone alone.
    "pinned": f"variables.spec.?nodeSelector.orValue({{}}).exists(k, k == {quote(ZONE_KEY)})"
    " || (variables.confined.size() > 0 && variables.confined.size() == variables.nodeTerms.size()"
    " && variables.confined.all(z, z == variables.confined[0] && !z.contains(',')))",
    "roles": setting("process.roles"),
    "voters": setting("controller.quorum.voters") + ".split(',').filter(v, v.trim() != '')",
    "factor": setting("default.replication.factor", default=True),
    "minIsr": setting("min.insync.replicas", default=True),
    "logDirs": setting("log.dirs"),
    "directories": "variables.logDirs.startsWith('/') ? variables.logDirs.split(',').map(d, d.trim()) : []",
    "volumes": "variables.spec.?volumes.orValue([]).filter(v, "
    + " || ".join(f"has(v.{kind})" for kind in sorted(PERSISTENT))
    + ").map(v, v.name)",
    "mounts": f"{_C}.?volumeMounts.orValue([])",
    "heaps": f"{_C}.?env.orValue([]).filter(e, e.name == 'KAFKA_HEAP_OPTS' && e.?value.orValue('').matches({_HEAP}))"
    f".map(e, e.value.findAll({_HEAP})).filter(h, h.size() == 1).map(h, h[0].substring(4))"
    ".map(h, h.matches('[0-9]$') ? h : h.lowerAscii().replace('k', 'Ki').replace('m', 'Mi').replace('g', 'Gi')"
    ".replace('t', 'Ti')) + (variables.closed && !variables.told.contains('HEAP_OPTS')"
    f" && !variables.image.contains('{NATIVE}') && !variables.env.exists(e, e.name == 'KAFKA_HEAP_OPTS')"
    f" ? ['{DEFAULT_HEAP}'] : [])",
    "limit": f"{_C}.?resources.?limits.orValue({{}}).filter(k, k == 'memory')",
}
# For StatefulSets alone.
_CLAIMS: Final = {
    "claims": "object.spec.?volumeClaimTemplates.orValue([])",
}


def _spread(place: str, skip: str) -> str:
    return f"variables.replicas < 2{skip} || {place}"


def _even(key: str) -> str:
    one = "variables.spec.?topologySpreadConstraints.orValue([]).exists(s, "
    return (
        f"{one}s.topologyKey == {quote(key)} && s.whenUnsatisfiable == 'DoNotSchedule' && s.maxSkew <= 1"
        f" && !s.?matchLabelKeys.orValue([]).exists(k, k in {_OF_EACH_POD}) && {_selects('s')})"
    )


def _apart(key: str) -> str:
    here = "object.metadata.namespace in a.?namespaces.orValue([object.metadata.namespace])"
    return (
        f"variables.anti.exists(a, a.topologyKey == {quote(key)} && (has(a.namespaceSelector) || {here})"
        f" && !a.?mismatchLabelKeys.orValue([]).exists(k, k in variables.labels)"
        f" && !a.?matchLabelKeys.orValue([]).exists(k, k in {_OF_EACH_POD}) && {_selects('a')})"
    )


def _zone_spread(limits: Limits) -> str:
    return _spread(f"{_even(limits.zone_key)} || {_apart(limits.zone_key)}", " || variables.pinned")


def _host_spread(limits: Limits) -> str:
    of_zone = f"(!variables.pinned && {_apart(limits.zone_key)})"
    return _spread(f"{_even(limits.host_key)} || {_apart(limits.host_key)} || {of_zone}", "")


def _at_least(value: str, minimum: int) -> str:
    return f"!({_MAY_SERVE}) || !{value}.matches({_NUMBER}) || int({value}) >= {minimum}"


def _internal(key: str, minimum: int) -> str:
    return f"[{setting(key)}].all(v, !v.matches({_NUMBER}) || int(v) >= {minimum})"


def _internals(limits: Limits) -> str:
    factors = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
    parts = [_internal(f"{one}.replication.factor", limits.minimum_replication_factor) for one in factors]
    parts += [_internal(f"{one}.min.isr", limits.minimum_min_isr) for one in factors[1:]]
    return f"!({_MAY_SERVE}) || ({' && '.join(parts)})"


def _mounted(held: str) -> str:
    """Whether each known directory is on a persistent volume: what is mounted nearest to it."""
    above = "(d + '/').startsWith(m.mountPath + (m.mountPath.endsWith('/') ? '' : '/'))"
    nearer = above.replace("m.", "n.") + " && size(n.mountPath) > size(m.mountPath)"
    held_at = f"variables.mounts.exists(m, {above} && ({held}) && !variables.mounts.exists(n, {nearer}))"
    return f"variables.directories.all(d, {held_at})"


def _persistent(held: str) -> str:
    return f"variables.mounts.exists(m, {held}) && {_mounted(held)}"


_ASKED: Final = "{c}.?resources.?{part}.orValue({{}}).exists(k, k == '{name}')"
_CONTEXT: Final = f"{_C}.?securityContext"
_POD_CONTEXT: Final = "variables.spec.?securityContext"
_SECCOMP: Final = f"{_CONTEXT}.?seccompProfile.?type.orValue({_POD_CONTEXT}.?seccompProfile.?type.orValue(''))"


def _requested(name: str) -> str:
    return "(" + " || ".join(_ASKED.format(c=_C, part=part, name=name) for part in ("requests", "limits")) + ")"


def _below(held: str, limits: Limits) -> str:
    return f"variables.spec.?terminationGracePeriodSeconds.orValue(30) >= {limits.minimum_grace_period}{held}"


_VOLUME: Final = "m.name in variables.volumes"
_COMMON: Final = (
    Check("replication-factor", lambda limits: _at_least("variables.factor", limits.minimum_replication_factor)),
    Check("min-isr", lambda limits: _at_least("variables.minIsr", limits.minimum_min_isr)),
    check(
        "min-isr-below-replication-factor",
        f"!({_MAY_SERVE}) || !variables.factor.matches({_NUMBER})"
        f" || !variables.minIsr.matches({_NUMBER}) || int(variables.minIsr) < int(variables.factor)",
        "the minimum ISR must be below the replication factor",
    ),
    Check("internal-topics", _internals, "replication factor and minimum ISR of Kafka's own topics are too low"),
    check("unclean-election", f"{setting('unclean.leader.election.enable')}.lowerAscii() != 'true'"),
    check("odd-voters", "variables.voters.size() == 0 || variables.voters.size() % 2 == 1"),
    Check(
        "voters",
        lambda limits: f"variables.voters.size() == 0 || variables.voters.size() >= {limits.minimum_voters}",
    ),
    check("combined-mode", "!(variables.roles.contains('broker') && variables.roles.contains('controller'))"),
    Check("zone-spread", _zone_spread),
    Check("host-spread", _host_spread),
    check(
        "node-ids",
        "variables.replicas < 2 || ["
        + ", ".join(setting(key) for key in ("node.id", "broker.id"))
        + f"].all(v, !v.matches({_NUMBER}))",
    ),
    check("readiness-probe", f"has({_C}.readinessProbe)"),
    check(
        "liveness-probe",
        f"!{_C}.?livenessProbe.?exec.?command.orValue([]).join(' ').matches({pattern(CLUSTER_WIDE)})",
    ),
    Check("grace-period", lambda limits: _below("", limits)),
    check(
        "image-pinned",
        "variables.image.matches('@.') || (variables.image.matches(':[^/]+$') && !variables.image.endsWith(':latest'))",
    ),
    check("resource-requests", f"{_requested('cpu')} && {_requested('memory')}"),
    check(
        "memory-limit",
        "variables.limit.size() > 0 && variables.heaps.all(h, "
        f"quantity({_C}.resources.limits['memory']).isGreaterThan(quantity(h)))",
    ),
    check("non-root", f"{_CONTEXT}.?runAsNonRoot.orValue({_POD_CONTEXT}.?runAsNonRoot.orValue(false)) == true"),
    check(
        "restricted-pod",
        f"{_CONTEXT}.?allowPrivilegeEscalation.orValue(true) == false"
        f" && 'ALL' in {_CONTEXT}.?capabilities.?drop.orValue([]) && !{_CONTEXT}.?privileged.orValue(false)"
        f" && {_SECCOMP} in ['RuntimeDefault', 'Localhost']",
    ),
    check(
        "plain-secrets",
        f"!{_C}.?env.orValue([]).exists(e, e.?value.orValue('') != '' && e.name.matches({pattern(SECRET_NAME)})"
        f" && !e.name.matches({pattern(NOT_SECRET)}) && !e.value.matches({quote(f'^(?:{REFERENCE.pattern})$')}))",
    ),
    check(
        "authorizer",
        "!variables.closed || !variables.roles.contains('broker')"
        " || variables.told.contains('authorizer.class.name') || variables.told.contains('AUTHORIZER_CLASS_NAME')"
        " || variables.env.exists(e, e.name == 'KAFKA_AUTHORIZER_CLASS_NAME')",
    ),
)
_CLAIMED: Final = f"{_VOLUME} || variables.claims.exists(t, t.?metadata.?name.orValue('') == m.name)"
_STATEFUL: Final = (
    check("persistent-storage", _persistent(_CLAIMED)),
    check(
        "claim-retention",
        " && ".join(
            f"object.spec.?persistentVolumeClaimRetentionPolicy.?{when}.orValue('') != 'Delete'"
            for when in ("whenDeleted", "whenScaled")
        ),
    ),
    check(
        "access-mode",
        "!variables.claims.exists(t, t.?spec.?accessModes.orValue([]).exists(a, a in ['ReadWriteMany', "
        "'ReadOnlyMany']))",
    ),
    check("headless-service", "object.spec.?serviceName.orValue('') != ''"),
    check(
        "parallel-start",
        f"variables.replicas < 2 || !variables.roles.contains('controller') || !has({_C}.readinessProbe)"
        " || object.spec.?podManagementPolicy.orValue('') == 'Parallel'",
    ),
)
_CONDITION: Final = f"object.spec.template.spec.containers.exists(c, {IS_BROKER})"
TARGETS: Final = (
    Target(
        "statefulset",
        "StatefulSet",
        "apps",
        ("statefulsets",),
        (*_COMMON, *_STATEFUL),
        {**_VARIABLES, **_CLAIMS},
        _CONDITION,
    ),
    Target(
        "deployment",
        "Deployment",
        "apps",
        ("deployments",),
        (*_COMMON, check("persistent-storage", _persistent(_VOLUME))),
        _VARIABLES,
        _CONDITION,
    ),
)
