"""Where the records of a workload's pods stand."""

from collections.abc import Iterator
from typing import Final

from policies.manifest import Doc, Manifest
from policies.readers.images import Convention
from policies.readers.sources import Settings
from policies.rules.model import Fact, Storage
from policies.world import World

# Where an image puts records unless it is told.
_DEFAULTS: Final = {
    Convention.OFFICIAL: "/tmp/kafka-logs",
    Convention.CONFLUENT: "/var/lib/kafka/data",
    Convention.BITNAMI: "/bitnami/kafka/data",
}
# Of volumes that a pod names itself; one of csi goes with the pod (Kubernetes documentation, ephemeral volumes).
PERSISTENT: Final = frozenset(
    (
        "persistentVolumeClaim",
        "nfs",
        "cephfs",
        "rbd",
        "iscsi",
        "awsElasticBlockStore",
        "gcePersistentDisk",
        "azureDisk",
    )
)


def storage(owner: Manifest, pod: Doc, container: Doc, settings: Settings, world: World) -> Storage:
    """The storage of the records, and what becomes of it."""
    claims = owner.spec("volumeClaimTemplates")
    return Storage(
        persistent=_persistent(pod, container, claims, settings),
        keep_on_delete=tuple(retained(owner.spec("persistentVolumeClaimRetentionPolicy"))),
        access_modes=_access_modes(claims),
        binding_mode=_binding_mode(claims, world),
        shared=_shared(pod, container, claims, settings),
    )


def _persistent(pod: Doc, container: Doc, claims: Doc, settings: Settings) -> Fact[bool]:
    if container["volumeMounts"].unknown or claims.unknown or pod["volumes"].unknown:
        return Fact(container["volumeMounts"].path, undecided="the volumes are computed by the deployment")
    templates = _names(claims)
    volumes = {volume["name"].plain(): volume for volume in pod["volumes"].each()}
    for directory in _directories(settings):
        mount = _mount(container, directory)
        if mount is None:
            return Fact(container["volumeMounts"].path, False, note=f"no volume at {directory}, where the records are")
        mounted, name = mount["mountPath"].plain().rstrip("/"), mount["name"].plain()
        if name and name in templates:
            continue
        volume = volumes.get(name, Doc(None, container["volumeMounts"].path))
        if volume.unknown or volume.absent:
            return Fact(volume.path, undecided="the volume is computed by the deployment")
        kinds = [key for key, _ in volume.items() if key != "name"]
        if not set(kinds) & PERSISTENT:
            return Fact(volume.path, False, note=f"{', '.join(kinds) or 'no volume'} at {mounted}")
    if _directories(settings):
        return Fact(claims.path, True)
    if not templates and not any("persistentVolumeClaim" in dict(volume.items()) for volume in volumes.values()):
        return Fact(claims.path, False, note="no persistent volume")
    return Fact(claims.path, undecided="where the records are can't be told: log.dirs is not among the settings")


def _names(claims: Doc) -> set[str]:
    return {claim.at("metadata", "name").plain() for claim in claims.each()}


def _mount(container: Doc, directory: str) -> Doc | None:
    """The mount that a directory is on: the nearest above it."""
    found: dict[str, Doc] = {}
    for mount in container["volumeMounts"].each():
        at = mount["mountPath"].plain().rstrip("/")
        if f"{directory}/".startswith(f"{at}/"):
            found[at] = mount
    return found[max(found, key=len)] if found else None


def _shared(pod: Doc, container: Doc, claims: Doc, settings: Settings) -> Fact[bool] | None:
    """Whether the pods write to one volume: one that the template names, not a claim for each pod."""
    for directory in _directories(settings):
        mount = _mount(container, directory)
        if mount is None or mount["name"].plain() in _names(claims) or not mount["subPathExpr"].absent:
            continue
        for volume in pod["volumes"].each():
            kinds = sorted({key for key, _ in volume.items()} & PERSISTENT)
            if kinds and volume["name"].plain() == mount["name"].plain():
                return Fact(volume.path, True, note=f"one {kinds[0]} for all pods")
    return None


def _directories(settings: Settings) -> list[str]:
    """Where records are, and the quorum's log; empty while that can't be told."""
    records = _record_directories(settings)
    quorum = settings.written("metadata.log.dir").value or ""
    return [*records, quorum.rstrip("/")] if records and quorum.startswith("/") else records


def _record_directories(settings: Settings) -> list[str]:
    for key in ("log.dirs", "log.dir"):
        fact = settings.written(key)
        if fact.value:
            found = [one.strip().rstrip("/") for one in fact.value.split(",") if one.strip()]
            return found if all(one.startswith("/") for one in found) else []
        if key in settings.values:
            return []
    if settings.open_reason or (settings.command.strip() and settings.convention is Convention.OWN):
        return []
    default = _DEFAULTS.get(settings.convention)
    return [default] if default else []


def retained(policy: Doc) -> Iterator[Fact[bool]]:
    """Whether a StatefulSet's claims are kept, for each of its two cases that is set."""
    for key in ("whenDeleted", "whenScaled"):
        text = policy[key].text()
        if text.undecided:
            yield Fact(text.path, undecided=text.undecided)
        elif text.value is not None:
            yield Fact(text.path, text.value != "Delete", note=text.value)


def _access_modes(claims: Doc) -> Fact[tuple[str, ...]] | None:
    modes = [claim["spec"]["accessModes"] for claim in claims.each()]
    named = tuple(mode.value for one in modes for mode in one.each() if isinstance(mode.value, str))
    return Fact(modes[0].path, named) if modes else None


def binding_mode(name: Doc, world: World) -> Fact[str] | None:
    """The binding mode of the class of that name, of the default class where there is none; None where the class is
    not among these resources.
    """
    if name.absent:
        one = next((one for one in world.of("storage.k8s.io", "StorageClass") if _is_default(one)), None)
    else:
        one = world.find("storage.k8s.io", "StorageClass", name.plain(), "default")  # it has no namespace
    if one is None:
        return None
    mode = Doc(one.doc["volumeBindingMode"].value, f"StorageClass {one.name}: volumeBindingMode")
    return Fact(mode.path, "Immediate", note="unset") if mode.absent else mode.text()


def _is_default(one: Manifest) -> bool:
    annotations = one.doc.at("metadata", "annotations")
    return annotations["storageclass.kubernetes.io/is-default-class"].flag().value is True


def _binding_mode(claims: Doc, world: World) -> Fact[str] | None:
    modes = (binding_mode(claim["spec"]["storageClassName"], world) for claim in claims.each())
    return next((mode for mode in modes if mode), None)
