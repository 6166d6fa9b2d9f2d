"""The Services of a StatefulSet: the one that gives its pods addresses, and those that let others in."""

from collections.abc import Mapping

from policies.manifest import Doc, Manifest, selects
from policies.rules.model import Fact
from policies.world import World, together

_OUTWARD = frozenset(("NodePort", "LoadBalancer"))


def _governing(owner: Manifest, world: World) -> tuple[Doc, Manifest | None]:
    name = owner.spec("serviceName")
    return name, world.find("", "Service", name.plain(), owner.namespace) if name.plain() else None


def headless(owner: Manifest, labels: Mapping[str, object] | None, world: World) -> Fact[bool]:
    """Whether serviceName names a headless Service that selects the pods."""
    name, service = _governing(owner, world)
    if name.absent or name.value == "":
        return Fact(name.path, False, note="no serviceName")
    if service is None:
        reason = (
            f"{name.path} is computed by the deployment" if name.unknown else world.missing(f"Service {name.plain()}")
        )
        return Fact(name.path, undecided=reason)
    address, chosen = service.spec("clusterIP"), selects(Doc({"matchLabels": service.spec("selector").value}), labels)
    if address.unknown or chosen is None:
        return Fact(service.path, undecided="the Service is computed by the deployment")
    note = (
        "a Service with an address of its own"
        if address.value != "None"
        else ""
        if chosen
        else "a Service of other pods"
    )
    return Fact(service.path, not note, note=note)


def not_ready_addresses(owner: Manifest, world: World) -> Fact[bool] | None:
    """Whether the Service of serviceName gives addresses to pods that are not ready; None where there is none."""
    name, service = _governing(owner, world)
    if service is None:
        return None if name.absent else Fact(name.path, undecided=world.missing(f"Service {name.plain()}"))
    setting = service.spec("publishNotReadyAddresses").flag()
    old = service.doc.at("metadata", "annotations")["service.alpha.kubernetes.io/tolerate-unready-endpoints"].flag()
    return Fact(setting.path, bool(setting.value or old.value), setting.undecided)


def outside_ports(owner: Manifest, labels: Mapping[str, object] | None, container: Doc, world: World) -> set[str]:
    """Ports of the pods that a Service opens to the outside, as text."""
    named = {port["name"].plain(): port["containerPort"].text().value for port in container["ports"].each()}
    ports: set[str] = set()
    for service in world.near("", "Service", owner):
        if service.spec("type").plain() not in _OUTWARD or together(service, owner) is False:
            continue
        if selects(Doc({"matchLabels": service.spec("selector").value}), labels):
            for port in service.spec("ports").each():
                opened = [port[key].text().value or "" for key in ("port", "targetPort", "nodePort")]
                ports |= {named.get(one) or one for one in opened}
    return ports - {""}
