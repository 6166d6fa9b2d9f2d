"""Create, read, update and delete one resource, on plain Python values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from toolchain.standins.kubernetes.cluster import Cluster
from toolchain.standins.kubernetes.diff import Path, parse_path
from toolchain.standins.kubernetes.errors import ApiError, NoSuchKind, NotReady, PluginError
from toolchain.standins.kubernetes.inputs import (
    checkpoint,
    imported_inputs,
    kept_api_version,
    kept_manager,
    normalize,
    prune,
    secret_properties,
    split_checkpoint,
)
from toolchain.standins.kubernetes.managers import taken_over, with_ignored
from toolchain.standins.kubernetes.naming import (
    Kind,
    Urn,
    field_manager,
    is_patch,
    kind_of_object,
    kind_of_type,
    object_id,
    parse_id,
)
from toolchain.standins.kubernetes.objects import (
    DELETION_PROPAGATION,
    PATCH_FIELD_MANAGER,
    PATCH_FORCE,
    Object,
    annotation,
    from_properties,
    is_true,
    items,
    name_of,
    namespace_of,
    text,
)
from toolchain.standins.kubernetes.outcome import IncompleteError, Outcome, refused
from toolchain.standins.kubernetes.settings import Settings
from toolchain.standins.kubernetes.wait.rules import READ_KINDS
from toolchain.standins.kubernetes.waiting import Waiter
from toolchain.standins.properties import has_unknowns

# A namespace or a custom resource definition may just be on its way in.
_RETRY_PAUSES_SECONDS: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
_PROPAGATION: Final = {"orphan": "Orphan", "background": "Background"}


@dataclass
class Lifecycle:
    """The operations on one cluster."""

    cluster: Cluster
    settings: Settings
    waiter: Callable[[str], Waiter]

    def create(self, urn: Urn, properties: dict[str, Any], timeout: float, preview: bool) -> Outcome:
        """Create the object and wait until it is ready; a preview asks the server without changing anything.

        Raises IncompleteError for an object that exists but did not become ready.
        """
        inputs = from_properties(properties)
        kind, manager = kind_of_object(inputs), self._manager(urn, {}, inputs)
        patch = is_patch(urn.type, kind.name)
        if preview:
            if has_unknowns(properties) or patch or self.cluster.discovery.find(kind) is None:
                return Outcome("", properties)
            return self._preview_create(urn, properties, inputs, manager)
        live = self._create(urn, inputs, manager, upsert=patch or self.settings.upsert)
        if kind.name == "CustomResourceDefinition":
            self.cluster.discovery.forget()

        def outcome(obj: Object) -> Outcome:
            state = checkpoint(inputs, obj, properties, kind.api_version, manager)
            return Outcome(object_id(namespace_of(obj), name_of(obj)), state)

        return self._waited(urn, inputs, live, None, timeout, outcome)

    def _preview_create(self, urn: Urn, properties: dict[str, Any], inputs: Object, manager: str) -> Outcome:
        try:
            if self.settings.upsert:
                live = self.cluster.apply(inputs, manager, force=True, preview=True)
            else:
                live = self.cluster.create(inputs, preview=True)
        except ApiError as error:
            # It exists (as before a replacement), its namespace is yet to come, or previews are forbidden:
            # nothing can be said beyond the inputs.
            if error.already_exists or error.namespace_missing() or error.code == 403:
                return Outcome("", properties)
            raise refused("created", inputs, error) from None
        live.pop("status", None)
        return Outcome("", checkpoint(inputs, live, properties, str(inputs["apiVersion"]), manager))

    def _create(self, urn: Urn, inputs: Object, manager: str, *, upsert: bool) -> Object:
        waiter = self.waiter(urn.text)
        for pause in (*_RETRY_PAUSES_SECONDS, None):
            try:
                if upsert:
                    return self.cluster.apply(inputs, manager, force=self._force(inputs, None))
                return self.cluster.create(inputs)
            except NoSuchKind as error:
                last: PluginError = error
            except ApiError as error:
                if error.already_exists:
                    raise PluginError(
                        f"{inputs['kind']} {object_id(namespace_of(inputs), name_of(inputs))} exists already in "
                        "the cluster; adopt it with `pulumi import`, delete it, or set upsertExistingObjects on "
                        "the provider to take over whatever exists"
                    ) from None
                last = refused("created", inputs, error)
                if not error.not_found:
                    raise last from None
            if pause is None or waiter.cancelled.wait(pause):
                break
            waiter.say(f"trying again: {last}")
        raise last

    def update(
        self,
        urn: Urn,
        olds: Mapping[str, Any],
        properties: dict[str, Any],
        timeout: float,
        preview: bool,
        ignore_changes: Sequence[str] = (),
    ) -> Outcome:
        """Apply the new inputs and wait; a preview asks the server without changing anything."""
        inputs = normalize(from_properties(properties))
        kind, manager = kind_of_object(inputs), self._manager(urn, olds, inputs)
        if preview and (has_unknowns(properties) or self.cluster.discovery.find(kind) is None):
            return Outcome("", properties)
        old_inputs, old_live = split_checkpoint(olds)
        before = self.cluster.get(kind, namespace_of(inputs), name_of(old_live))
        if before is None:
            raise PluginError(
                f"{kind.name} {name_of(old_live)} is not in the cluster any more; run `pulumi refresh` and then "
                "this again, which makes it anew"
            )
        ignored = [parse_path(path) for path in ignore_changes]
        try:
            live = self._update(urn, kind, inputs, before, manager, ignored, preview)
        except ApiError as error:
            if preview and error.code == 403:
                return Outcome("", properties)
            raise refused("updated", inputs, error) from None
        api_version = kept_api_version(olds, kind)

        def outcome(obj: Object) -> Outcome:
            state = checkpoint(inputs, obj, properties, api_version, manager)
            return Outcome(object_id(namespace_of(obj), name_of(obj)), state)

        if preview:
            return outcome(live)
        done = self._waited(urn, inputs, live, before, timeout, outcome)
        earlier = self._manager(urn, olds, old_inputs)
        if earlier != manager:
            self.cluster.relinquish(live, earlier)
        return done

    def _update(
        self,
        urn: Urn,
        kind: Kind,
        inputs: Object,
        before: Object,
        manager: str,
        ignored: Sequence[Path],
        preview: bool,
    ) -> Object:
        if kind.name == "CustomResourceDefinition":
            version = text(before, "metadata", "resourceVersion")
            whole = {**inputs, "metadata": {**inputs["metadata"], "resourceVersion": version}}
            live = self.cluster.replace(whole, manager, preview=preview)
            self.cluster.discovery.forget()
            return live
        force = self._force(inputs, before)
        if not is_patch(urn.type, kind.name) and taken_over(before, manager) is not None:
            if preview:
                force = True
            else:
                before = self.cluster.take_over(before, manager)
        sent = with_ignored(inputs, before, manager, ignored)
        return self.cluster.apply(sent, manager, force=force, preview=preview)

    def read(self, urn: Urn, resource_id: str, state: Mapping[str, Any], inputs: Mapping[str, Any]) -> Outcome | None:
        """Return the resource as it is now, None when it is gone; without inputs it is an import.

        Raises IncompleteError for an object that exists but is not ready.
        """
        namespace, name = parse_id(resource_id)
        old_inputs = normalize(from_properties(inputs))
        _, old_live = split_checkpoint(state)
        imported = not old_inputs.get("kind") and not old_live.get("kind")
        if old_inputs.get("kind"):
            kind = kind_of_object(old_inputs)
        else:
            kind = kind_of_object(old_live) if old_live.get("kind") else kind_of_type(urn.type)
        try:
            if imported and not namespace and self.cluster.discovery.resource(kind).namespaced:
                namespace = self.cluster.connection.namespace
            live = self.cluster.get(kind, namespace, name)
        except NoSuchKind:
            return None
        if live is None:
            return None
        found = imported_inputs(live) if imported else prune(live, old_inputs, keep_empty=True)
        manager = self._manager(urn, state, old_inputs)
        pattern = inputs or state
        outcome = Outcome(
            resource_id,
            checkpoint(found, live, pattern, kept_api_version(state, kind), manager),
            secret_properties(found, pattern),
        )
        if not imported and kind.name in READ_KINDS:
            try:
                self.waiter(urn.text).judge(old_inputs, live)
            except NotReady as error:
                raise IncompleteError(outcome, error) from None
        return outcome

    def delete(self, urn: Urn, resource_id: str, state: Mapping[str, Any], timeout: float) -> None:
        """Delete the object and wait until it is gone; one that is gone already is fine.

        A Patch resource only gives up the fields that it set.
        """
        inputs, live = split_checkpoint(state)
        namespace, name = parse_id(resource_id)
        kind = kind_of_object(live) if live.get("kind") else kind_of_type(urn.type)
        try:
            if is_patch(urn.type, kind.name):
                self.cluster.relinquish(live, self._manager(urn, state, inputs))
                return
            policy = _PROPAGATION.get(annotation(inputs, DELETION_PROPAGATION).lower(), "Foreground")
            if not self.cluster.delete(kind, namespace, name, policy):
                return
            self.waiter(urn.text).until_gone(inputs, live, timeout)
        except NoSuchKind:
            return
        except ApiError as error:
            raise refused("deleted", live, error) from None
        except NotReady as error:
            kept = checkpoint(
                inputs, error.live, state, kept_api_version(state, kind), self._manager(urn, state, inputs)
            )
            raise IncompleteError(Outcome(resource_id, kept), error) from None

    def job_ready(self, live: Object) -> bool:
        """Tell whether the Job is complete in the cluster; an unknown one counts as complete."""
        try:
            found = self.cluster.get_again(live)
            if found is not None:
                self.waiter("").judge({}, found)
        except NotReady:
            return False
        except PluginError:
            return True
        return True

    def _waited(
        self,
        urn: Urn,
        inputs: Object,
        live: Object,
        before: Object | None,
        timeout: float,
        outcome: Callable[[Object], Outcome],
    ) -> Outcome:
        try:
            return outcome(self.waiter(urn.text).until_ready(inputs, live, before, timeout))
        except NotReady as error:
            raise IncompleteError(outcome(error.live), error) from None

    def _manager(self, urn: Urn, state: Mapping[str, Any], inputs: Object) -> str:
        return annotation(inputs, PATCH_FIELD_MANAGER) or kept_manager(state) or field_manager(urn.text)

    def _force(self, inputs: Object, live: Object | None) -> bool:
        if is_true(inputs, PATCH_FORCE) or self.settings.patch_force:
            return True
        # Objects older than server-side apply say nothing about who owns what.
        return live is not None and not items(live, "metadata", "managedFields")
