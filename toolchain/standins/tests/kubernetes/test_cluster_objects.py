"""Over a real API server: creating, changing, reading and deleting objects of many kinds."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest

from toolchain.standins.properties import Secret
from toolchain.standins.tests.kubernetes.driver import PluginProcess, Resource, message

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
CRD = {
    "metadata": {"name": "brokers.example.test"},
    "spec": {
        "group": "example.test",
        "scope": "Namespaced",
        "names": {"plural": "brokers", "singular": "broker", "kind": "Broker"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {"spec": {"type": "object", "x_kubernetes_preserve_unknown_fields": True}},
                    }
                },
            }
        ],
    },
}


def test_unnamed_object_gets_a_name_and_keeps_it(live: PluginProcess, namespace: str) -> None:
    config = Resource(live, CONFIG_MAP, "settings")
    made = config.create({"metadata": {"namespace": namespace}, "data": {"a": "1"}})
    assert config.id.startswith(f"{namespace}/settings-")
    assert made["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}
    assert config.check({"metadata": {"namespace": namespace}})["metadata"]["name"] == made["metadata"]["name"]


def test_changed_data_replaces_a_config_map(live: PluginProcess, namespace: str) -> None:
    config = Resource(live, CONFIG_MAP, "settings")
    config.create({"metadata": {"namespace": namespace}, "data": {"a": "1"}})
    wanted = {"metadata": {"namespace": namespace}, "data": {"a": "2"}}
    assert config.changed(wanted) == {"data.a": "UPDATE_REPLACE"}
    assert not config.diff(wanted).deleteBeforeReplace


def test_named_config_map_is_deleted_before_its_replacement(live: PluginProcess, namespace: str) -> None:
    config = Resource(live, CONFIG_MAP, "settings")
    metadata = {"namespace": namespace, "name": "settings"}
    config.create({"metadata": metadata, "data": {"a": "1"}})
    assert config.diff({"metadata": metadata, "data": {"a": "2"}}).deleteBeforeReplace


def test_removed_field_of_a_created_object_goes_away(live: PluginProcess, namespace: str) -> None:
    config = Resource(live, CONFIG_MAP, "settings")
    config.create({"metadata": {"namespace": namespace, "labels": {"a": "", "b": "1"}}})
    config.update({"metadata": {"namespace": namespace, "labels": {"a": ""}}})
    assert config.plain["metadata"]["labels"] == {"a": ""}
    assert config.changed({"metadata": {"namespace": namespace, "labels": {"a": ""}}}) == {}


def test_preview_changes_nothing(live: PluginProcess, namespace: str) -> None:
    config = Resource(live, CONFIG_MAP, "settings")
    inputs = {"metadata": {"namespace": namespace, "name": "settings"}, "data": {"a": "1"}}
    assert config.create(inputs, preview=True)["data"] == {"a": "1"}
    config.create(inputs)
    assert config.update({**inputs, "data": {"a": "2"}}, preview=True)["data"] == {"a": "2"}
    assert config.refresh()
    assert config.plain["data"] == {"a": "1"}


def test_preview_in_a_namespace_that_is_yet_to_come(live: PluginProcess) -> None:
    config = Resource(live, CONFIG_MAP, "settings")
    inputs = {"metadata": {"namespace": "later", "name": "settings"}}
    assert config.create(inputs, preview=True)["metadata"]["name"] == "settings"


def test_refused_object_names_it_and_says_why(live: PluginProcess, namespace: str) -> None:
    broken = Resource(live, "kubernetes:core/v1:Service", "broken")
    with pytest.raises(grpc.RpcError) as error:
        broken.create({"metadata": {"namespace": namespace, "name": "broken"}, "spec": {"ports": []}})
    assert message(error.value).startswith(f"Service {namespace}/broken was not created; the API server says:")


def test_existing_object_is_not_taken_over_silently(live: PluginProcess, namespace: str) -> None:
    inputs = {"metadata": {"namespace": namespace, "name": "settings"}}
    Resource(live, CONFIG_MAP, "one").create(inputs)
    with pytest.raises(grpc.RpcError) as error:
        Resource(live, CONFIG_MAP, "two").create(inputs)
    assert "exists already in the cluster; adopt it with `pulumi import`" in message(error.value)


def test_secret_stays_secret_and_string_data_is_no_difference(live: PluginProcess, namespace: str) -> None:
    secret = Resource(live, "kubernetes:core/v1:Secret", "password")
    inputs = {"metadata": {"namespace": namespace}, "stringData": {"password": Secret("hunter2")}}
    secret.create(inputs)
    assert isinstance(secret.inputs["data"], Secret)
    assert isinstance(secret.state["data"], Secret)
    assert isinstance(secret.state["__inputs"]["data"], Secret)
    assert secret.changed(inputs) == {}
    assert secret.changed({**inputs, "stringData": {"password": "other"}}) == {"data.password": "UPDATE_REPLACE"}


def test_deleted_outside_is_seen_on_refresh_and_deleting_is_fine(live: PluginProcess, namespace: str) -> None:
    config = Resource(live, CONFIG_MAP, "settings")
    config.create({"metadata": {"namespace": namespace}})
    Resource(live, CONFIG_MAP, "settings", id=config.id, state=config.state).delete()
    assert not config.refresh()
    config.delete()


def test_drift_is_a_difference_after_refresh(live: PluginProcess, namespace: str) -> None:
    inputs = {"metadata": {"namespace": namespace, "name": "settings"}, "data": {"a": "1"}}
    config = Resource(live, CONFIG_MAP, "settings")
    config.create(inputs)
    other = Resource(live, CONFIG_MAP, "settings", config.id, config.inputs, config.state)
    other.update({**inputs, "data": {"a": "9"}})
    assert config.refresh()
    assert config.changed(inputs) == {"data.a": "UPDATE_REPLACE"}


def test_import_gives_inputs_that_show_no_difference(live: PluginProcess, namespace: str) -> None:
    inputs = {"metadata": {"namespace": namespace, "name": "settings", "labels": {"a": "b"}}, "data": {"a": "1"}}
    Resource(live, CONFIG_MAP, "settings").create(inputs)
    imported = Resource(live, CONFIG_MAP, "imported", id=f"{namespace}/settings")
    assert imported.refresh()
    assert imported.inputs == {"apiVersion": "v1", "kind": "ConfigMap", **inputs}
    assert imported.changed(inputs) == {}


def test_conflict_names_the_owner_and_the_way_out(live: PluginProcess, namespace: str) -> None:
    inputs = {"metadata": {"namespace": namespace, "name": "settings"}, "data": {"a": "1"}}
    config = Resource(live, CONFIG_MAP, "settings")
    config.create(inputs)
    patch = Resource(live, "kubernetes:core/v1:ConfigMapPatch", "patch")
    metadata = {**inputs["metadata"], "annotations": {"pulumi.com/patchForce": "true"}}
    patch.create({"metadata": metadata, "data": {"a": "2"}})
    with pytest.raises(grpc.RpcError) as error:
        config.update({**inputs, "data": {"a": "3"}})
    assert "another field manager owns .data.a" in message(error.value)
    assert 'pulumi.com/patchForce: "true"' in message(error.value)


def test_patch_gives_up_only_its_own_fields(live: PluginProcess, namespace: str) -> None:
    inputs = {"metadata": {"namespace": namespace, "name": "settings"}, "data": {"a": "1"}}
    config = Resource(live, CONFIG_MAP, "settings")
    config.create(inputs)
    patch = Resource(live, "kubernetes:core/v1:ConfigMapPatch", "patch")
    patch.create({"metadata": inputs["metadata"], "data": {"b": "2"}})
    assert patch.plain["data"] == {"a": "1", "b": "2"}
    assert patch.changed({"metadata": inputs["metadata"], "data": {"b": "3"}}) == {"data.b": "UPDATE"}
    patch.delete()
    assert config.refresh()
    assert config.plain["data"] == {"a": "1"}


def test_custom_resource_right_after_its_definition(live: PluginProcess, namespace: str) -> None:
    definition = Resource(live, "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", "crd")
    definition.create(CRD)
    assert definition.changed(CRD) == {}
    broker = Resource(live, "kubernetes:example.test/v1:Broker", "one")
    inputs = {"metadata": {"namespace": namespace, "name": "one"}, "spec": {"racks": 3}}
    broker.create(inputs)
    assert broker.changed({**inputs, "spec": {"racks": 4}}) == {"spec.racks": "UPDATE"}
    broker.update({**inputs, "spec": {"racks": 4}})
    assert broker.plain["spec"] == {"racks": 4}
    definition.delete()
    assert not broker.refresh()
    broker.delete()


def test_ignored_change_keeps_what_is_in_the_cluster(live: PluginProcess, namespace: str) -> None:
    inputs = {"metadata": {"namespace": namespace, "name": "settings"}, "data": {"a": "1", "b": "1"}}
    config = Resource(live, "kubernetes:core/v1:ConfigMap", "settings")
    config.create(inputs)
    wanted = {**inputs, "data": {"a": "2", "b": "2"}}
    assert list(config.diff(wanted, ["data.a"]).detailedDiff) == ["data.b"]
    config.update(wanted, ignore=["data.a"])
    assert config.plain["data"] == {"a": "1", "b": "2"}


def test_storage_class_and_local_volume(live: PluginProcess) -> None:
    storage = Resource(live, "kubernetes:storage.k8s.io/v1:StorageClass", "local")
    inputs = {
        "metadata": {"name": "local"},
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "WaitForFirstConsumer",
    }
    storage.create(inputs)
    assert storage.id == "local"
    assert storage.changed({**inputs, "provisioner": "other"}) == {"provisioner": "UPDATE_REPLACE"}
    volume = Resource(live, "kubernetes:core/v1:PersistentVolume", "volume")
    made = volume.create(
        {
            "metadata": {"name": "volume"},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "capacity": {"storage": "1024Mi"},
                "storageClassName": "local",
                "local": {"path": "/data"},
                "nodeAffinity": {
                    "required": {
                        "nodeSelectorTerms": [
                            {
                                "matchExpressions": [
                                    {
                                        "key": "kubernetes.io/hostname",
                                        "operator": "In",
                                        "values": ["node-zone-a"],
                                    }
                                ]
                            }
                        ]
                    }
                },
            },
        }
    )
    assert made["status"]["phase"] == "Available"
    assert volume.changed(volume.inputs) == {}
    volume.delete()
    storage.delete()


def test_upsert_takes_over_what_exists(plugin: PluginProcess, cluster_kubeconfig: str, namespace: str) -> None:
    plugin.configure(kubeconfig=cluster_kubeconfig, upsertExistingObjects="true")
    inputs = {"metadata": {"namespace": namespace, "name": "settings"}, "data": {"a": "1"}}
    for name in ("interrupted", "interrupted", "another"):
        assert Resource(plugin, CONFIG_MAP, name).create(inputs)["data"] == {"a": "1"}


def test_kubeconfig_as_path_and_default_namespace(
    plugin: PluginProcess, cluster_kubeconfig: str, namespace: str, tmp_path: Path
) -> None:
    path = tmp_path / "config"
    path.write_text(cluster_kubeconfig)
    plugin.configure(kubeconfig=str(path), namespace=namespace)
    config = Resource(plugin, CONFIG_MAP, "settings")
    config.create({"metadata": {"name": "here"}})
    assert config.id == f"{namespace}/here"
