"""What a pod template says about placement, resources and rights; the same for every way of deploying Kafka."""

import re
from collections.abc import Iterator, Mapping

from policies.manifest import Doc, selects
from policies.rules.model import Fact, PodSecurity, Spread

ZONE_KEY = "topology.kubernetes.io/zone"
_INDEX = "apps.kubernetes.io/pod-index"  # a label that each pod of a StatefulSet gets, its ordinal
OF_EACH_POD = frozenset((_INDEX, "statefulset.kubernetes.io/pod-name"))
"""Labels by which each pod of a StatefulSet differs."""
_MOST_ORDINALS = 1000
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
SECRET_NAME = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|SASL_JAAS|JAAS_CONFIG|PRIVATE_KEY|CREDENTIAL", re.IGNORECASE)
NOT_SECRET = re.compile(r"_(FILE|PATH|LOCATION|DIR|NAME|TYPE|ENABLED?|USERNAME)$|_TOPIC_|DELEGATION", re.IGNORECASE)
REFERENCE = re.compile(r"\$\([A-Za-z0-9_]+\)")
_HEAP = re.compile(r"-Xmx(\d+)([kKmMgGtT]?)(?![\w.])")
_HEAP_FACTORS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_UNREADABLE = "the constraint is computed by the deployment"


Labels = Mapping[str, object] | None


def ordinals(replicas: Fact[int], start: Doc) -> range:
    """The indices of a StatefulSet's pods; empty while they can't be told."""
    first = start.integer()
    if replicas.value is None or first.undecided or not 0 < replicas.value <= _MOST_ORDINALS:
        return range(0)
    return range(first.value or 0, (first.value or 0) + replicas.value)


def spreads(
    constraints: Doc,
    affinity: Doc,
    labels: Labels,
    peers: Mapping[str, Labels] | None = None,
    indices: range | None = None,
    namespace: str | None = None,
) -> Fact[tuple[Spread, ...]]:
    """All constraints on where the pods may stand. `peers` are the labels of the cluster's other groups, by path;
    `indices` those of the pods, where pods have any; `namespace` is theirs, where it is known.
    """
    found: list[Spread] = []
    others = peers or {}
    try:
        found += (_constraint(one, labels, others, indices) for one in constraints.each())
        rules = affinity["podAntiAffinity"]
        terms = [(term, True) for term in rules[REQUIRED].each()]
        terms += [(term["podAffinityTerm"], False) for term in rules[_PREFERRED].each()]
        found += (_anti(term, labels, others, indices, namespace, hard) for term, hard in terms)
    except _Unreadable as unreadable:
        return Fact(unreadable.args[0], undecided=_UNREADABLE)
    return Fact(constraints.path, tuple(found))


class _Unreadable(Exception):
    pass


def _selected(selector: Doc, labels: Labels, indices: range | None) -> tuple[bool, frozenset[int] | None] | None:
    """Whether a selector selects the pods, and which, where it selects only some; None while it can't be told."""
    named = {key for key, _ in selector["matchLabels"].items()}
    named |= {one["key"].plain() for one in selector["matchExpressions"].each()}
    if indices is None or _INDEX not in named or labels is None:
        chosen = selects(selector, labels)
        return None if chosen is None else (chosen, None)
    answers = {index: selects(selector, {**labels, _INDEX: str(index)}) for index in indices}
    if not answers or None in answers.values():
        return None
    some = frozenset(index for index, answer in answers.items() if answer)
    return bool(some), some if 0 < len(some) < len(answers) else None


def _constraint(one: Doc, labels: Labels, peers: Mapping[str, Labels], indices: range | None) -> Spread:
    key, when = one["topologyKey"].value, one["whenUnsatisfiable"].value
    skew = one["maxSkew"].integer()
    selected = _selected(one["labelSelector"], labels, indices)
    if not isinstance(key, str) or not isinstance(when, str) or skew.value is None or selected is None:
        raise _Unreadable(one.path)
    matches, some = selected
    narrowing = _names(one["matchLabelKeys"])
    matches = matches and not OF_EACH_POD & set(narrowing)  # then it counts each pod alone
    covers = frozenset(
        path
        for path, other in peers.items()
        if selects(one["labelSelector"], other)
        and all((labels or {}).get(name) == (other or {}).get(name) for name in narrowing)
    )
    return Spread(one.path, key, when == "DoNotSchedule", skew.value, matches, covers=covers, ordinals=some)


def _names(listed: Doc) -> list[str]:
    return [one.value for one in listed.each() if isinstance(one.value, str)]


def _anti(
    term: Doc, labels: Labels, peers: Mapping[str, Labels], indices: range | None, namespace: str | None, hard: bool
) -> Spread:
    key, selected = term["topologyKey"].value, _selected(term["labelSelector"], labels, indices)
    here = _of_namespace(term, namespace)
    if not isinstance(key, str) or selected is None or here is None:
        raise _Unreadable(term.path)
    matches, some = selected
    others = set(_names(term["mismatchLabelKeys"])) & set(labels or ())
    matches = matches and here and not others and not OF_EACH_POD & set(_names(term["matchLabelKeys"]))
    covers = frozenset(path for path, other in peers.items() if selects(term["labelSelector"], other))
    return Spread(term.path, key, hard, 1, matches, exclusive=True, covers=covers, ordinals=some)


def _of_namespace(term: Doc, namespace: str | None) -> bool | None:
    """Whether a term of affinity is about pods of their own namespace; None while it can't be told."""
    selector, named = term["namespaceSelector"], _names(term["namespaces"])
    if selector.value == {} or (selector.absent and not named and term["namespaces"].whole) or namespace in named:
        return True
    return None if namespace is None or not selector.absent or not term["namespaces"].whole else False


def pinned(pod: Doc) -> str:
    """The one zone that the pods may stand in; empty where there are several, or any."""
    zone = pod["nodeSelector"][ZONE_KEY].plain()
    confined = zones(pod["affinity"])
    return zone or (confined.value[0] if confined and confined.value and len(confined.value) == 1 else "")


def zones(affinity: Doc) -> Fact[tuple[str, ...]] | None:
    """The zones that the pods are confined to, where they are."""
    terms = affinity.at("nodeAffinity", REQUIRED, "nodeSelectorTerms")
    named: set[str] = set()
    for term in terms.each():
        inside = [
            one
            for one in term["matchExpressions"].each()
            if (one["key"].value, one["operator"].value) == (ZONE_KEY, "In")
        ]
        if not inside:
            return None
        named |= {zone.value for one in inside for zone in one["values"].each() if isinstance(zone.value, str)}
    return Fact(terms.path, tuple(sorted(named))) if named else None


def heap(text: Fact[str]) -> Fact[int] | None:
    """The largest -Xmx, in bytes; None where there is none to be read."""
    sizes = [int(size) * _HEAP_FACTORS[unit.lower()] for size, unit in _HEAP.findall(text.value or "")]
    return Fact(text.path, sizes[-1]) if sizes else None


def requested(resources: Doc) -> Fact[bool]:
    """Whether cpu and memory are requested; a limit alone is a request too."""
    missing = []
    for name in ("cpu", "memory"):
        values = [resources.at(part, name) for part in ("requests", "limits")]
        if any(value.unknown for value in values):
            return Fact(resources["requests"].path, undecided="the resources are computed by the deployment")
        if all(value.absent for value in values):
            missing.append(name)
    note = f"no request of {' and '.join(missing)}" if missing else ""
    return Fact(resources["requests"].path, not missing, note=note)


def non_root(pod: Doc, container: Doc) -> Fact[bool]:
    """Whether the container may not run as root."""
    own = container["securityContext"]["runAsNonRoot"]
    return (own if not own.absent else pod["runAsNonRoot"]).flag()


def restricted(pod: Doc, container: Doc) -> Fact[bool]:
    """Whether the container keeps to the restricted standard, as far as its own context says."""
    context = container["securityContext"]
    if context.unknown or pod.unknown:
        return Fact(context.path, undecided="the security context is computed by the deployment")
    drops = {one.plain() for one in context.at("capabilities", "drop").each()}
    seccomp = [context.at("seccompProfile", "type").value, pod.at("seccompProfile", "type").value]
    wrong = [
        what
        for what, right in (
            ("privilege escalation", context["allowPrivilegeEscalation"].value is False),
            ("capabilities", "ALL" in drops),
            (
                "no seccomp profile",
                bool({"RuntimeDefault", "Localhost"} & {one for one in seccomp if isinstance(one, str)}),
            ),
            ("privileged", context["privileged"].value in (None, False)),
        )
        if not right
    ]
    return Fact(context.path, not wrong, note=", ".join(wrong))


def plain_secrets(container: Doc) -> Iterator[str]:
    """Where variables stand whose names say secret and whose values are written out. Values are never looked at."""
    for entry in container["env"].each():
        name, value = entry["name"].plain(), entry["value"]
        secret = SECRET_NAME.search(name) and not NOT_SECRET.search(name)
        if secret and isinstance(value.value, str) and value.value and not REFERENCE.fullmatch(value.value):
            yield entry.path


def security(pod: Doc, container: Doc) -> PodSecurity:
    """What the container may do; `pod` is the pod's security context."""
    return PodSecurity(non_root(pod, container), restricted(pod, container), tuple(plain_secrets(container)))
