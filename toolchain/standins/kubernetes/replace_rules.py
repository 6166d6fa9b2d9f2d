"""Pure table: the fields whose change replaces an object instead of updating it.

Those are the fields that the API server refuses to change, as the official plugin lists them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from toolchain.standins.kubernetes.naming import Kind

# A path's parts; "*" stands for any index of a list.
Path = tuple[str, ...]

_CONTAINER: Final = (
    "args",
    "command",
    "env",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
)
_POD: Final = (
    "affinity",
    "automountServiceAccountToken",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostname",
    "imagePullSecrets",
    "nodeName",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "volumes",
)
_VOLUME_SOURCES: Final = (
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
)


def _spec(*fields: str) -> tuple[Path, ...]:
    return tuple(("spec", name) for name in fields)


_RULES: Final[dict[tuple[str, str], tuple[Path, ...]]] = {
    ("apps", "StatefulSet"): _spec(
        "podManagementPolicy", "revisionHistoryLimit", "selector", "serviceName", "volumeClaimTemplates"
    ),
    ("apps", "Deployment"): _spec("selector"),
    ("apps", "DaemonSet"): _spec("selector"),
    ("batch", "Job"): _spec("completions", "parallelism", "selector", "template"),
    ("", "PersistentVolume"): _spec(*_VOLUME_SOURCES),
    ("", "PersistentVolumeClaim"): _spec("accessModes", "selector", "storageClassName", "volumeName"),
    ("", "Pod"): (
        *_spec(*_POD),
        *(("spec", "containers", "*", name) for name in _CONTAINER),
        *(("spec", "initContainers", "*", name) for name in _CONTAINER),
    ),
    ("", "ResourceQuota"): _spec("scopes"),
    ("", "Secret"): (("type",),),
    ("", "Service"): _spec("clusterIP"),
    ("rbac.authorization.k8s.io", "RoleBinding"): (("roleRef",),),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): (("roleRef",),),
    ("storage.k8s.io", "StorageClass"): (("parameters",), ("provisioner",)),
}
IDENTITY: Final[tuple[Path, ...]] = (("metadata", "name"), ("metadata", "namespace"))


def replacing_fields(kind: Kind, *, immutable: bool, configmaps_mutable: bool, secrets_mutable: bool) -> Sequence[Path]:
    """Return the paths whose change replaces an object of the kind.

    `immutable` is the object's own `immutable` field; the other two are the provider's settings, without which
    a changed ConfigMap or Secret is replaced so that pods notice.
    """
    data: tuple[Path, ...] = ()
    if (kind.group, kind.name) == ("", "ConfigMap") and (immutable or not configmaps_mutable):
        data = (("binaryData",), ("data",))
    if (kind.group, kind.name) == ("", "Secret") and (immutable or not secrets_mutable):
        data = (("stringData",), ("data",))
    return (*IDENTITY, *_RULES.get((kind.group, kind.name), ()), *data)
