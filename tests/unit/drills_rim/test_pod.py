"""The drill's pod."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drills.pods import manifests
from tests.unit.drills_rim.cluster import TARGET

POD = manifests.pod("server", TARGET.image, "python:3", "topic", TARGET.bootstrap)


def test_it_keeps_to_the_restricted_standard() -> None:
    """Kubernetes documentation, Pod Security Standards, restricted."""
    spec: dict[str, Any] = POD["spec"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert spec["automountServiceAccountToken"] is False


def test_nothing_takes_it_for_a_broker() -> None:
    assert not set(POD["metadata"]["labels"].items()) & {
        ("app.kubernetes.io/name", "kafka"),
        ("app.kubernetes.io/instance", "kafka"),
    }


def test_it_goes_where_it_is_told() -> None:
    [term] = POD["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    assert term == {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["server"]}]}
    assert "affinity" not in manifests.pod(None, "k", "p", "t", "b")["spec"]


def test_where_security_is_on_all_its_programs_come_in_as_a_node() -> None:
    spec = manifests.pod(None, "k", "p", "t", "b", "kafka-tls")["spec"]
    assert spec["volumes"][-1]["secret"] == {"secretName": "kafka-tls", "defaultMode": 0o440}
    for container in spec["containers"]:
        assert {"name": "TLS", "value": "/etc/kafka-tls"} in container["env"]
        assert container["volumeMounts"][-1]["mountPath"] == "/etc/kafka-tls"
    given = "security.protocol=SASL_SSL\n"
    told = manifests.config_map(given, secured=True)["data"]["client.properties"].splitlines()
    assert dict(line.split("=", 1) for line in told)["security.protocol"] == "SSL", "the last one counts"
    assert "ssl.keystore.location=/drill/node.pem" in told
    assert "TLS" not in str(POD)
    assert manifests.config_map(given)["data"]["client.properties"] == given


def test_the_monitor_needs_nothing_but_its_files(tmp_path: Path) -> None:
    """As they are mounted, by a Python without this checkout."""
    data = manifests.config_map("")["data"]
    for item in POD["spec"]["volumes"][0]["configMap"]["items"]:
        file = tmp_path / item["path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(data[item["key"]])
    code = f"import sys; sys.path = [{str(tmp_path)!r}, *sys.path]; import drills.pods.monitor as m; print(m.__file__)"
    out = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == str(tmp_path / "drills/pods/monitor.py")


@pytest.mark.parametrize(
    ("key", "hashed"),
    # org.apache.kafka.common.utils.UtilsTest, testMurmur2
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_keys_are_hashed_as_kafka_does(key: str, hashed: int) -> None:
    assert manifests.murmur2(key.encode()) == hashed % 2**32


@given(st.integers(1, 60))
def test_the_keys_reach_every_partition_and_no_fewer_do(partitions: int) -> None:
    def hit(keys: int) -> set[int]:
        return {(manifests.murmur2(str(key).encode()) & 0x7FFFFFFF) % partitions for key in range(keys)}

    keys = manifests.keys_for(partitions)
    assert hit(keys) == set(range(partitions))
    assert hit(keys - 1) != set(range(partitions))


def test_properties_are_the_given_over_those_of_a_client() -> None:
    told = manifests.properties("# a comment\nacks=all\n\nretries=2\nsasl.jaas.config=a b=c;\n")
    assert told.splitlines() == ["enable.idempotence=true", "retries=2", "acks=all", "sasl.jaas.config=a b=c;"]
    assert manifests.properties("").splitlines() == ["enable.idempotence=true", "retries=2147483647"]


def test_the_config_map_is_json_and_small() -> None:
    assert len(json.dumps(manifests.config_map("acks=all\n"))) < 2**20 / 8
