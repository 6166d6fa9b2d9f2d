"""Disruption: what the budget lets an eviction take never stops writes or the quorum, and never blocks every drain."""

from collections.abc import Iterator

from policies.rules.deciding import known, unsure
from policies.rules.model import Answer, Budget, ClusterFacts, Finding, Limits, NodeGroup, Rule, Severity
from policies.rules.spread import tolerance

_URL = "https://kubernetes.io/docs/tasks/run-application/configure-pdb/"


def tolerated(replication_factor: int, min_isr: int, voters: int | None) -> int:
    """How many brokers may be gone at once while writes go on and, where they are the quorum's `voters` too, the
    majority stands.
    """
    bounds = [replication_factor - min_isr, *([] if voters is None else [(voters - 1) // 2])]
    return max(0, min(bounds))


def _bound(facts: ClusterFacts, group: NodeGroup) -> int | None:
    """How many pods of a group may be gone at once; None while that is not known."""
    bounds = []
    if group.broker is not False and facts.replicated:
        bounds.append(tolerance(facts))
    if group.controller is not False and facts.voters is not None:
        voters = known(facts.voters)
        bounds.append(None if voters is None else (voters - 1) // 2)
    decided = [bound for bound in bounds if bound is not None]
    return max(1, min(decided)) if decided and len(decided) == len(bounds) else None


def _size(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for group in facts.groups:
        budgets = known(group.budgets)
        if not budgets:
            continue
        bound = _bound(facts, group)
        for budget in budgets:
            yield from unsure(budget.allowed)
            if (allowed := known(budget.allowed)) is None:
                continue
            if allowed < 1:
                most = f" and {bound}" if bound is not None else ""
                required = f"between 1{most} pods may be unavailable" if most else "at least 1 pod must be evictable"
                yield Finding(budget.allowed.path, budget.allowed.shown, required)
        # Each of several groups may lose what its own budget allows, all at the same time.
        together = _together(facts, group)
        if bound is not None and together is not None and together > bound:
            path, found = budgets[0].allowed.path, budgets[0].allowed.shown
            if together != known(budgets[0].allowed):
                found = f"{together} by the budgets of all nodes together"
            yield Finding(path, found, f"between 1 and {bound} pods may be unavailable")
        if bound is None and together is not None and together > 1:
            # With one pod at a time nothing is left to decide but the replication itself.
            yield from unsure(facts.voters, *(one.factor for one in facts.replicated))


def _together(facts: ClusterFacts, group: NodeGroup) -> int | None:
    """How many nodes of `group`'s roles all budgets let go at once."""
    seen: dict[tuple[str, str], Budget] = {}
    for other in facts.groups:
        shares = (other.broker is not False and group.broker is not False) or (
            other.controller is not False and group.controller is not False
        )
        for budget in (known(other.budgets) or ()) if shares else ():
            seen[budget.name, budget.allowed.path] = budget
    allowed = [known(budget.allowed) for budget in seen.values()]
    return sum(one for one in allowed if one is not None) if None not in allowed else None


def _exists(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for group in facts.groups:
        yield from unsure(group.budgets)
        replicas = known(group.replicas)
        if group.budgets and known(group.budgets) == () and (replicas is None or replicas > 1):
            yield Finding(group.budgets.path, "no PodDisruptionBudget that selects its pods", "there must be one")


def _single(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for group in facts.groups:
        budgets = known(group.budgets) or ()
        if group.budgets and len(budgets) > 1:
            found = f"{len(budgets)} PodDisruptionBudgets ({', '.join(budget.name for budget in budgets)})"
            yield Finding(group.budgets.path, found, "one pod may be selected by one budget alone")


def _unready(facts: ClusterFacts, limits: Limits) -> Iterator[Answer]:
    for group in facts.groups:
        for budget in (known(group.budgets) or ()) if group.start and group.start.readiness_asks else ():
            yield from unsure(budget.unready)
            if budget.unready and known(budget.unready):
                yield Finding(budget.unready.path, "AlwaysAllow", "pods that are not ready should count too")


RULES = (
    Rule(
        id="disruption-budget",
        severity=Severity.ERROR,
        why="more stops writes or the quorum during a drain, none blocks every drain; Kubernetes documentation, "
        "PodDisruptionBudget.",
        remedy="Set maxUnavailable to 1; in kafka-ha's settings leave it unset, and it follows from the others.",
        check=_size,
        url=_URL,
    ),
    Rule(
        id="disruption-budget-missing",
        severity=Severity.ERROR,
        why="without one a drain of several nodes takes all replicas at once; Kubernetes documentation, "
        "PodDisruptionBudget.",
        remedy="Add a PodDisruptionBudget with maxUnavailable 1 and a selector of the pods' labels.",
        lines="kind: PodDisruptionBudget\nspec:\n  maxUnavailable: 1\n"
        "  selector:\n    matchLabels: {}  # the pod template's own labels",
        check=_exists,
        url=_URL,
    ),
    Rule(
        id="disruption-budget-overlap",
        severity=Severity.ERROR,
        why="the eviction API answers with an error for a pod that two budgets select, so no drain ever ends; "
        "Kubernetes documentation, PodDisruptionBudget.",
        remedy="Remove one of them, or narrow their selectors.",
        check=_single,
        url=_URL,
    ),
    Rule(
        id="unready-evictions",
        severity=Severity.ADVICE,
        why="where ready means in sync, a broker that catches up may then be evicted beside the one that the budget "
        "lets go; Kubernetes documentation, unhealthyPodEvictionPolicy.",
        remedy="Set unhealthyPodEvictionPolicy: IfHealthyBudget, or leave it unset.",
        lines="unhealthyPodEvictionPolicy: IfHealthyBudget",
        check=_unready,
        url=_URL + "#unhealthy-pod-eviction-policy",
    ),
)
