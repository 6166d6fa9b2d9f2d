"""Check and Diff: what a resource's inputs become, and what changing them would do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from toolchain.standins.kubernetes.cluster import Cluster
from toolchain.standins.kubernetes.diff import Difference, contains, differences, parse_path
from toolchain.standins.kubernetes.errors import PluginError
from toolchain.standins.kubernetes.inputs import normalize, prune, secret_properties, split_checkpoint
from toolchain.standins.kubernetes.naming import (
    Kind,
    Urn,
    assumed_namespaced,
    autoname,
    is_list,
    is_patch,
    keep_autoname,
    kind_of_object,
    kind_of_type,
)
from toolchain.standins.kubernetes.objects import (
    AUTONAMED,
    REPLACE_UNREADY,
    Object,
    field,
    from_properties,
    is_named,
    is_true,
    name_of,
    namespace_of,
    set_metadata,
)
from toolchain.standins.kubernetes.replace_rules import IDENTITY, replacing_fields
from toolchain.standins.kubernetes.settings import Settings


@dataclass(frozen=True)
class Plan:
    """What a change of inputs does."""

    differences: list[Difference]
    replaces: list[str]
    delete_before_replace: bool


@dataclass
class Planner:
    """Checks and compares inputs; `cluster` is None while none can be asked."""

    settings: Settings
    cluster: Cluster | None
    namespace: str

    def check(
        self, urn: Urn, olds: Mapping[str, Any], news: dict[str, Any], propose_name: Callable[[], str]
    ) -> dict[str, Any]:
        """Return the inputs with apiVersion, kind, name and namespace filled in.

        `propose_name` gives the name of an unnamed new object. Raises PluginError for inputs that cannot work.
        """
        if is_list(urn.type):
            raise PluginError(
                f"{urn.type}: lists exist in the API's answers only and cannot be created; use the type of the items"
            )
        token = kind_of_type(urn.type)
        named = {"apiVersion": token.api_version, "kind": token.name}
        inputs = normalize({**named, **from_properties(news)})
        kind = kind_of_object(inputs)
        if is_patch(urn.type, kind.name) and not is_named(inputs):
            raise PluginError(f"{urn.type}: metadata.name must be set, as it says which object to patch")
        if "metadata" not in inputs:
            inputs["metadata"] = {}
        old_inputs = from_properties(olds)
        if old_inputs:
            keep_autoname(inputs, old_inputs)
        elif not is_named(inputs) and not field(inputs, "metadata", "generateName"):
            autoname(inputs, propose_name())
        if not is_named(inputs) and field(inputs, "metadata", "generateName"):
            raise PluginError(
                "metadata.generateName does not work with server-side apply; leave it out and the name is made "
                "from the resource's, or set metadata.name"
            )
        if not field(inputs, "metadata", "namespace") and self.namespaced(kind):
            set_metadata(inputs, "namespace", self.namespace)
        return secret_properties(inputs, news)

    def namespaced(self, kind: Kind) -> bool:
        """Tell whether objects of the kind live in a namespace, guessing where the cluster cannot tell."""
        found = self.cluster.discovery.find(kind) if self.cluster else None
        return found.namespaced if found else assumed_namespaced(kind)

    def plan(
        self,
        urn: Urn,
        state: Mapping[str, Any],
        news: Mapping[str, Any],
        ignore_changes: Sequence[str],
        job_ready: Callable[[Object], bool],
    ) -> Plan:
        """Compare the last live object, in the shape of the inputs that made it, with the new inputs."""
        old_inputs, live = split_checkpoint(state)
        old_inputs, new = normalize(old_inputs), normalize(from_properties(news))
        kind = kind_of_object(new)
        old: Object = prune(live, old_inputs)
        for obj in (old, new):
            self._settle_namespace(obj, kind)
        if name_of(new):
            set_metadata(old, "name", name_of(live))
        rules = replacing_fields(
            kind,
            immutable=new.get("immutable") is True,
            configmaps_mutable=self.settings.configmaps_mutable,
            secrets_mutable=self.settings.secrets_mutable,
        )
        found = differences(old, new, old_inputs, IDENTITY if is_patch(urn.type, kind.name) else rules)
        ignored = [parse_path(path) for path in ignore_changes]
        found = [d for d in found if not any(contains(path, d.path) for path in ignored)]
        replaces = [d.text for d in found if d.replaces]
        if is_true(new, REPLACE_UNREADY) and kind.name == "Job" and not job_ready(live):
            replaces.append('metadata.annotations["pulumi.com/replaceUnready"]')
        same_place = name_of(new) == name_of(live) and namespace_of(new) == namespace_of(live)
        must_go_first = bool(replaces) and is_named(new) and not is_true(new, AUTONAMED) and same_place
        return Plan(found, replaces, must_go_first)

    def _settle_namespace(self, obj: Object, kind: Kind) -> None:
        if not self.namespaced(kind):
            if isinstance(obj.get("metadata"), dict):
                obj["metadata"] = {k: v for k, v in obj["metadata"].items() if k != "namespace"}
        elif not field(obj, "metadata", "namespace"):
            set_metadata(obj, "namespace", "default")
