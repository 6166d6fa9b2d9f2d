"""Pure: differences, their paths, quantities, replacing fields."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from toolchain.standins.kubernetes.diff import (
    Change,
    contains,
    differences,
    format_path,
    parse_path,
    quantity,
)
from toolchain.standins.kubernetes.errors import PluginError
from toolchain.standins.kubernetes.naming import Kind
from toolchain.standins.kubernetes.replace_rules import replacing_fields
from toolchain.standins.properties import UNKNOWN


def found(old: Any, new: Any, before: Any = None, rules: Any = ()) -> dict[str, tuple[Change, bool]]:
    return {d.text: (d.change, d.replaces) for d in differences(old, new, before or old, rules)}


def test_nothing_changed() -> None:
    assert found({"spec": {"a": [1, {"b": None}]}}, {"spec": {"a": [1, {"b": None}]}}) == {}


def test_added_changed_and_removed_fields() -> None:
    old = {"metadata": {"labels": {"a.b/c": "1"}}, "gone": 1}
    new = {"metadata": {"labels": {"a.b/c": "2"}}, "new": [1]}
    assert found(old, new) == {
        'metadata.labels["a.b/c"]': (Change.UPDATE, False),
        "gone": (Change.DELETE, False),
        "new": (Change.ADD, False),
    }


def test_list_items_are_compared_by_their_place() -> None:
    assert found({"l": [1, 2]}, {"l": [1, 3, 4]}) == {
        "l[1]": (Change.UPDATE, False),
        "l[2]": (Change.ADD, False),
    }
    assert found({"l": [1, 2]}, {"l": [1]}) == {"l[1]": (Change.DELETE, False)}


def test_unknown_is_a_change() -> None:
    assert found({"data": {"a": "1"}}, {"data": {"a": UNKNOWN}}) == {"data.a": (Change.UPDATE, False)}


def test_true_is_not_one() -> None:
    assert found({"a": True}, {"a": 1}) == {"a": (Change.UPDATE, False)}


@pytest.mark.parametrize("empty", [False, 0, "", [], {}])
def test_empty_value_that_the_server_leaves_out_is_no_change(empty: Any) -> None:
    assert found({}, {"a": empty}, before={"a": empty}) == {}
    assert found({}, {"a": empty}, before={"x": 1}) == {"a": (Change.ADD, False)}


def test_equal_quantities_are_the_same_only_where_quantities_belong() -> None:
    assert found({"limits": {"cpu": "1"}}, {"limits": {"cpu": "1000m"}}) == {}
    assert found({"limits": {"cpu": "1"}}, {"limits": {"cpu": 1}}) == {}
    assert found({"data": {"cpu": "1"}}, {"data": {"cpu": "1000m"}}) == {"data.cpu": (Change.UPDATE, False)}


@pytest.mark.parametrize(
    ("written", "value"),
    [("1Gi", 2**30), ("1e3", 1000), ("100m", Decimal("0.1")), ("5", 5), (2, 2), ("1.5G", 1_500_000_000)],
)
def test_quantity(written: Any, value: Any) -> None:
    assert quantity(written) == value


@pytest.mark.parametrize("written", ["", "a", "1GB", None, True and "x1", []])
def test_no_quantity(written: Any) -> None:
    assert quantity(written) is None


@pytest.mark.parametrize("written", ["a.b", 'a["b.c"]', "a[0].b", 'a["q\\"uote"].c', "a[12][3]"])
def test_paths_are_read_as_written(written: str) -> None:
    assert format_path(parse_path(written)) == written


def test_path_that_cannot_be_read() -> None:
    with pytest.raises(PluginError, match="cannot be read from"):
        parse_path("a[")


def test_wildcard_contains_any_part() -> None:
    assert contains(parse_path("spec.containers[*].image"), ("spec", "containers", 3, "image"))
    assert not contains(("spec", "a"), ("spec",))


def replaces(kind: Kind, old: Any, new: Any, **mutable: bool) -> list[str]:
    settings = {"immutable": False, "configmaps_mutable": False, "secrets_mutable": False} | mutable
    rules = replacing_fields(kind, **settings)
    return [d.text for d in differences(old, new, old, rules) if d.replaces]


STATEFUL_SET = Kind("apps", "v1", "StatefulSet")
CONFIG_MAP = Kind("", "v1", "ConfigMap")


def test_identity_replaces_any_kind() -> None:
    assert replaces(Kind("x.test", "v1", "Any"), {"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}) == [
        "metadata.name"
    ]


@pytest.mark.parametrize(
    "name", ["podManagementPolicy", "revisionHistoryLimit", "selector", "serviceName", "volumeClaimTemplates"]
)
def test_statefulset_fields_that_replace(name: str) -> None:
    assert replaces(STATEFUL_SET, {"spec": {name: "a"}}, {"spec": {name: "b"}}) == [f"spec.{name}"]
    assert replaces(STATEFUL_SET, {"spec": {}}, {"spec": {name: "b"}}) == [f"spec.{name}"]


def test_replacing_field_inside_an_added_parent() -> None:
    assert replaces(STATEFUL_SET, {}, {"spec": {"serviceName": "a"}}) == ["spec"]
    assert replaces(STATEFUL_SET, {}, {"spec": {"replicas": 3}}) == []


def test_statefulset_fields_that_update() -> None:
    old = {"spec": {"replicas": 3, "template": {"a": 1}}}
    assert replaces(STATEFUL_SET, old, {"spec": {"replicas": 5, "template": {"a": 2}}}) == []


def test_config_map_and_secret_data() -> None:
    old, new = {"data": {"a": "1"}}, {"data": {"a": "2"}}
    assert replaces(CONFIG_MAP, old, new) == ["data.a"]
    assert replaces(CONFIG_MAP, old, new, configmaps_mutable=True) == []
    assert replaces(CONFIG_MAP, old, new, configmaps_mutable=True, immutable=True) == ["data.a"]
    secret = Kind("", "v1", "Secret")
    assert replaces(secret, old, new) == ["data.a"]
    assert replaces(secret, old, new, secrets_mutable=True) == []


def test_container_fields_of_a_pod() -> None:
    old = {"spec": {"containers": [{"image": "a", "env": [{"name": "x", "value": "1"}]}]}}
    new = {"spec": {"containers": [{"image": "a", "env": [{"name": "x", "value": "2"}]}]}}
    assert replaces(Kind("", "v1", "Pod"), old, new) == ["spec.containers[0].env[0].value"]
    grown = {"spec": {"containers": [*old["spec"]["containers"], {"image": "b"}]}}
    assert replaces(Kind("", "v1", "Pod"), old, grown) == ["spec.containers[1]"]


def test_claim_size_grows_in_place() -> None:
    old = {"spec": {"resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "a"}}
    new = {"spec": {"resources": {"requests": {"storage": "2Gi"}}, "storageClassName": "a"}}
    assert replaces(Kind("", "v1", "PersistentVolumeClaim"), old, new) == []
    moved = {"spec": {**new["spec"], "storageClassName": "b"}}
    assert replaces(Kind("", "v1", "PersistentVolumeClaim"), old, moved) == ["spec.storageClassName"]
