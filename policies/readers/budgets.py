"""Which disruption budgets select a group's pods, and how many they let go at once."""

from collections.abc import Mapping

from policies.manifest import Doc, Manifest, selects
from policies.rules.model import Budget, Fact
from policies.world import PENDING, World, together


def allowed(maximum: Doc, minimum: Doc, pods: Fact[int]) -> Fact[int]:
    """How many of `pods` a budget lets go: a number or a percentage, of which Kubernetes rounds both up; none where
    neither is set (its disruption controller).
    """
    for value, is_minimum in ((minimum, True), (maximum, False)):
        if value.absent:
            continue
        text = value.plain().strip()
        percent = text.removesuffix("%")
        if text.endswith("%") and percent.isdigit() and len(percent) < 4:
            if pods.value is None:
                return Fact(value.path, undecided=pods.undecided or "the number of pods is not known")
            count = -(-int(percent) * pods.value // 100)
            note = f"{text} of {pods.value} pods"
        else:
            number = value.integer()
            if number.value is None:
                return number
            count, note = number.value, "minAvailable" if is_minimum else ""
        if not is_minimum:
            return Fact(value.path, count, note=note)
        if pods.value is None:
            return Fact(value.path, undecided=pods.undecided or "the number of pods is not known")
        return Fact(value.path, max(0, pods.value - count), note=f"minAvailable {text or count} of {pods.value} pods")
    return Fact(maximum.path, 0, note="neither maxUnavailable nor minAvailable")


_WORKLOADS = (("apps", "StatefulSet"), ("apps", "Deployment"))


def _counted(selector: Doc, owner: Manifest, replicas: Fact[int], world: World) -> Fact[int]:
    """How many pods a budget counts: those of every workload that it selects, not of `owner` alone."""
    if not world.complete:
        return Fact(replicas.path, undecided=PENDING)
    total = replicas
    for kind in _WORKLOADS:
        for other in world.near(*kind, owner):
            labels = other.spec("template", "metadata", "labels").value
            known = labels if isinstance(labels, Mapping) else {} if labels is None else None
            chosen = selects(selector, known)
            if other is owner or total.value is None or chosen is False:
                continue
            more = 1 if other.spec("replicas").absent else other.spec("replicas").integer().value
            if more is None or chosen is None or not together(other, owner):
                return Fact(replicas.path, undecided=f"how many pods of {other.path} it counts is not known")
            total = Fact(total.path, total.value + more)
    return total


def budgets(
    owner: Manifest, labels: Mapping[str, object] | None, replicas: Fact[int], world: World
) -> Fact[tuple[Budget, ...]]:
    """The budgets that select the pods of `owner`."""
    found: list[Budget] = []
    doubt = ""
    for one in world.near("policy", "PodDisruptionBudget", owner):
        near, chosen = together(one, owner), selects(one.spec("selector"), labels)
        if one.spec("selector").value == {} and near is not False:
            chosen = True  # an empty selector selects every pod of the namespace
        if near is False or chosen is False:
            continue
        if near is None or chosen is None:
            doubt = f"whether {one.path} selects the pods is computed by the deployment"
            continue
        policy = one.spec("unhealthyPodEvictionPolicy").text()
        unready = Fact(policy.path, policy.value == "AlwaysAllow", policy.undecided)
        maximum, minimum = one.spec("maxUnavailable"), one.spec("minAvailable")
        absolute = minimum.absent and not isinstance(maximum.value, str)
        pods = replicas if absolute else _counted(one.spec("selector"), owner, replicas, world)
        going = allowed(maximum, minimum, pods)
        found.append(Budget(one.name, going, unready))
    if not found and (doubt or not world.complete):
        return Fact(owner.path, undecided=doubt or PENDING)
    return Fact(owner.path, tuple(found))
