"""Pure: names, inputs and state, field managers, properties."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from toolchain.standins.kubernetes.errors import PluginError
from toolchain.standins.kubernetes.inputs import checkpoint, imported_inputs, normalize, prune, split_checkpoint
from toolchain.standins.kubernetes.managers import owns, taken_over, with_ignored
from toolchain.standins.kubernetes.naming import (
    Kind,
    Urn,
    assumed_namespaced,
    is_list,
    kind_of_type,
    object_id,
    parse_id,
    random_suffix,
)
from toolchain.standins.properties import (
    UNKNOWN,
    Secret,
    from_struct,
    has_unknowns,
    mark_secrets,
    to_struct,
)


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("kubernetes:apps/v1:StatefulSet", Kind("apps", "v1", "StatefulSet")),
        ("kubernetes:core/v1:ConfigMap", Kind("", "v1", "ConfigMap")),
        ("kubernetes:core/v1:ConfigMapPatch", Kind("", "v1", "ConfigMap")),
        ("kubernetes:storage.k8s.io/v1:StorageClass", Kind("storage.k8s.io", "v1", "StorageClass")),
        ("kubernetes:kafka.strimzi.io/v1:KafkaPatch", Kind("kafka.strimzi.io", "v1", "KafkaPatch")),
    ],
)
def test_kind_of_a_type(token: str, kind: Kind) -> None:
    assert kind_of_type(token) == kind


def test_helm_release_is_refused_in_words() -> None:
    with pytest.raises(PluginError, match=r"helm.sh/v3:Release is not supported by the kubernetes stand-in"):
        kind_of_type("kubernetes:helm.sh/v3:Release")


@pytest.mark.parametrize("token", ["aws:s3:Bucket", "kubernetes:v1:Pod", "kubernetes:core/v1:"])
def test_strange_type_is_refused(token: str) -> None:
    with pytest.raises(PluginError, match="must be kubernetes:<group>/<version>:<Kind>"):
        kind_of_type(token)


def test_lists_are_recognised_but_not_those_of_custom_resources() -> None:
    assert is_list("kubernetes:core/v1:ConfigMapList")
    assert not is_list("kubernetes:example.test/v1:ShoppingList")


def test_scope_without_a_cluster() -> None:
    assert not assumed_namespaced(Kind("storage.k8s.io", "v1", "StorageClass"))
    assert assumed_namespaced(Kind("apps", "v1", "StatefulSet"))
    assert assumed_namespaced(Kind("example.test", "v1", "Node"))


def test_urn_of_a_child_with_colons_in_its_name() -> None:
    urn = Urn.parse("urn:pulumi:s::p::a:b:C$kubernetes:core/v1:Pod::one::two")
    assert (urn.type, urn.name) == ("kubernetes:core/v1:Pod", "one::two")


def test_ids() -> None:
    assert parse_id(object_id("ns", "a")) == ("ns", "a")
    assert parse_id(object_id("", "a")) == ("", "a")
    with pytest.raises(PluginError, match="must be NAMESPACE/NAME"):
        parse_id("a/b/c")


def test_suffix_follows_the_seed() -> None:
    assert random_suffix(b"seed", "a") == random_suffix(b"seed", "a") != random_suffix(b"other", "a")
    assert len(random_suffix(b"", "a")) == 8


def test_live_object_in_the_shape_of_its_inputs() -> None:
    live = {"spec": {"a": 1, "b": [{"x": 1, "y": 2}], "c": 3}, "status": {}}
    shape = {"spec": {"a": 9, "b": [{"x": 0}, {"x": 5}], "off": False}, "metadata": {"labels": {"l": ""}}}
    assert prune(live, shape) == {"spec": {"a": 1, "b": [{"x": 1}]}}
    assert prune({**live, "metadata": {"labels": {}}}, shape, keep_empty=True) == {
        "spec": {"a": 1, "b": [{"x": 1}], "off": False},
        "metadata": {"labels": {}},
    }


def test_secret_is_kept_as_the_server_keeps_it() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "data": {"a": "eA=="}, "stringData": {"b": "y"}}
    kept = normalize(secret)
    assert kept["data"] == {"a": "eA==", "b": base64.b64encode(b"y").decode()}
    assert "stringData" not in kept


def test_unknown_string_data_stays_unknown() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "stringData": {"b": UNKNOWN}}
    assert normalize(secret)["data"] == {"b": UNKNOWN}


def test_checkpoint_keeps_secrets_and_splits_again() -> None:
    inputs: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1", "b": "2"}}
    live = {**inputs, "metadata": {"uid": "u"}}
    state = checkpoint(inputs, live, {"data": {"a": Secret("1")}}, "v1", "me")
    assert state["data"] == {"a": Secret("1"), "b": "2"}
    assert state["__inputs"]["data"] == {"a": Secret("1"), "b": "2"}
    assert split_checkpoint(state) == (inputs, live)


def test_import_drops_what_only_the_server_sets() -> None:
    live = {
        "kind": "Deployment",
        "metadata": {
            "name": "a",
            "uid": "u",
            "managedFields": [],
            "annotations": {"deployment.kubernetes.io/revision": "1"},
        },
        "status": {"replicas": 1},
    }
    assert imported_inputs(live) == {"kind": "Deployment", "metadata": {"name": "a"}}


def managed(*entries: tuple[str, str, dict[str, Any]]) -> dict[str, Any]:
    fields = [{"manager": m, "operation": o, "fieldsV1": f} for m, o, f in entries]
    return {"metadata": {"managedFields": fields}}


def test_fields_of_the_creator_are_taken_over() -> None:
    obj = managed(
        ("pulumi-kubernetes", "Update", {"f:data": {"f:a": {}}}),
        ("me", "Apply", {"f:data": {"f:b": {}}}),
        ("controller", "Update", {"f:status": {}}),
    )
    fields = taken_over(obj, "me")
    assert fields is not None
    assert [(f["manager"], f["fieldsV1"]) for f in fields] == [
        ("me", {"f:data": {"f:b": {}, "f:a": {}}}),
        ("controller", {"f:status": {}}),
    ]
    assert taken_over(managed(("me", "Apply", {})), "me") is None


def test_ignored_field_of_others_is_left_to_them() -> None:
    live = {"spec": {"replicas": 7, "x": 1}} | managed(("scaler", "Update", {"f:spec": {"f:replicas": {}}}))
    assert owns(live, "me", ("spec", "replicas")) == (False, True)
    inputs = {"spec": {"replicas": 3, "x": 2}}
    assert with_ignored(inputs, live, "me", [("spec", "replicas")]) == {"spec": {"x": 2}}
    assert with_ignored(inputs, live, "me", [("spec", "x")]) == {"spec": {"replicas": 3, "x": 1}}


def test_properties_survive_the_wire() -> None:
    values = {"a": 1, "b": [Secret("x"), None, 1.5, True], "u": UNKNOWN, "d": {"e": Secret({"f": UNKNOWN})}}
    assert from_struct(to_struct(values)) == values
    assert has_unknowns(values)


def test_list_with_a_secret_becomes_secret_as_a_whole() -> None:
    assert mark_secrets({"a": [1, 2]}, {"a": [Secret(1), 2]}) == {"a": Secret([1, 2])}
