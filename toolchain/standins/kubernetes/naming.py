"""Pure: type tokens, names and ids."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from toolchain.standins.kubernetes.errors import PluginError, Unsupported
from toolchain.standins.kubernetes.objects import (
    AUTONAMED,
    Object,
    annotation,
    field,
    is_named,
    name_of,
    set_annotation,
    set_metadata,
)

_HELM_RELEASE: Final = "kubernetes:helm.sh/v3:Release"
# Cluster-wide kinds by API group, for when no cluster can be asked.
_CLUSTER_SCOPED: Final[dict[str, frozenset[str]]] = {
    "": frozenset({"ComponentStatus", "Namespace", "Node", "PersistentVolume"}),
    "admissionregistration.k8s.io": frozenset(
        {
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        }
    ),
    "apiextensions.k8s.io": frozenset({"CustomResourceDefinition"}),
    "apiregistration.k8s.io": frozenset({"APIService"}),
    "certificates.k8s.io": frozenset({"CertificateSigningRequest", "ClusterTrustBundle"}),
    "flowcontrol.apiserver.k8s.io": frozenset({"FlowSchema", "PriorityLevelConfiguration"}),
    "networking.k8s.io": frozenset({"IngressClass", "IPAddress", "ServiceCIDR"}),
    "node.k8s.io": frozenset({"RuntimeClass"}),
    "policy": frozenset({"PodSecurityPolicy"}),
    "rbac.authorization.k8s.io": frozenset({"ClusterRole", "ClusterRoleBinding"}),
    "resource.k8s.io": frozenset({"DeviceClass", "ResourceSlice"}),
    "scheduling.k8s.io": frozenset({"PriorityClass"}),
    "storage.k8s.io": frozenset({"CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass"}),
}


@dataclass(frozen=True)
class Kind:
    """Group, version and kind of an API object; the core group is ""."""

    group: str
    version: str
    name: str

    @property
    def api_version(self) -> str:
        """The object's apiVersion, such as `apps/v1` or `v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def built_in(self) -> bool:
        """Tell whether Kubernetes itself defines the group: no custom resource."""
        return "." not in self.group or self.group.endswith(".k8s.io")

    def __str__(self) -> str:
        return f"{self.api_version}/{self.name}"


@dataclass(frozen=True)
class Urn:
    """The parts of a resource's URN that matter here."""

    text: str
    type: str
    name: str

    @staticmethod
    def parse(urn: str) -> Urn:
        """Parse `urn:pulumi:<stack>::<project>::<parent$…type>::<name>`; the name may itself hold `::`."""
        parts = urn.split("::", 3)
        if len(parts) != 4 or not parts[0].startswith("urn:pulumi:"):
            raise PluginError(f"{urn!r} is no resource URN")
        return Urn(urn, parts[2].rsplit("$", 1)[-1], parts[3])


def kind_of_object(obj: Object) -> Kind:
    """Return the kind by the object's own apiVersion and kind; raises PluginError when they are missing."""
    api_version, name = obj.get("apiVersion"), obj.get("kind")
    if not isinstance(api_version, str) or not isinstance(name, str) or not api_version or not name:
        raise PluginError(f"the object has apiVersion {api_version!r} and kind {name!r}; both must be known")
    return _kind(api_version, name)


def _kind(api_version: str, name: str) -> Kind:
    group, _, version = api_version.rpartition("/")
    return Kind("" if group == "core" else group, version, name)


def kind_of_type(token: str) -> Kind:
    """Return the kind that a type token such as `kubernetes:apps/v1:StatefulSet` (or `…Patch`) names.

    Raises Unsupported for tokens that need more than the API server (helm), PluginError for malformed ones.
    """
    if token == _HELM_RELEASE:
        raise Unsupported("the resource type kubernetes:helm.sh/v3:Release")
    package, _, rest = token.partition(":")
    api_version, _, name = rest.rpartition(":")
    if package != "kubernetes" or not name or api_version.count("/") != 1:
        raise PluginError(f"type {token!r}: must be kubernetes:<group>/<version>:<Kind>")
    kind = _kind(api_version, name)
    if kind.built_in and name.endswith("Patch"):
        return Kind(kind.group, kind.version, name.removesuffix("Patch"))
    return kind


def is_patch(token: str, kind: str) -> bool:
    """Tell whether the type is the Patch form of the kind (`ConfigMapPatch` of `ConfigMap`)."""
    return token.rsplit(":", 1)[-1] == f"{kind}Patch"


def is_list(token: str) -> bool:
    """Tell whether the type is the List form of a built-in kind, which cannot be created."""
    kind = kind_of_type(token)
    return kind.built_in and kind.name.endswith("List") and kind.name != "List"


def assumed_namespaced(kind: Kind) -> bool:
    """Tell, without a cluster, whether objects of the kind live in a namespace; custom resources: yes."""
    return kind.name not in _CLUSTER_SCOPED.get(kind.group, frozenset())


def random_suffix(seed: bytes, name: str) -> str:
    """Return 8 hexadecimal characters, always the same for the same seed and name."""
    if not seed:
        return secrets.token_hex(4)
    return hashlib.sha256(seed + name.encode()).hexdigest()[:8]


def autoname(obj: Object, proposed: str) -> None:
    """Give the object the proposed name and mark it as autonamed, if it has neither name nor generateName."""
    if is_named(obj) or field(obj, "metadata", "generateName"):
        return
    set_metadata(obj, "name", proposed)
    set_annotation(obj, AUTONAMED, "true")


def keep_autoname(obj: Object, old: Object) -> None:
    """Let an unnamed object keep the name that its earlier version was given automatically."""
    if not is_named(obj) and annotation(old, AUTONAMED) == "true":
        set_metadata(obj, "name", name_of(old))
        set_annotation(obj, AUTONAMED, "true")


def object_id(namespace: str, name: str) -> str:
    """Return a resource's id: `namespace/name`, or `name` of a cluster-wide one."""
    return f"{namespace}/{name}" if namespace else name


def parse_id(resource_id: str) -> tuple[str, str]:
    """Return namespace ("" for none) and name of an id; raises PluginError for an empty name."""
    namespace, _, name = resource_id.rpartition("/")
    if not name or "/" in namespace:
        raise PluginError(f"id {resource_id!r}: must be NAMESPACE/NAME, or NAME of a cluster-wide object")
    return namespace, name


def field_manager(urn: str) -> str:
    """Return the name under which a resource owns its fields; the same for the same resource."""
    return f"pulumi-kubernetes-{hashlib.sha256(urn.encode()).hexdigest()[:8]}"
