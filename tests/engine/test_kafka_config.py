"""Whatever settings are accepted: Kafka's own parser accepts the files that nodes start from, whatever their role."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.kafka_plan import KafkaPlan, plan_kafka
from components.kafka_settings import KafkaSettings
from tests.local_kafka import JARS
from tests.unit.test_any_settings import KAFKA, ZONES, read

_JAVA = """
import java.nio.file.*;
import java.util.*;

public class Validate {
    public static void main(String[] files) throws Exception {
        for (String file : files) {
            Properties properties = new Properties();
            try (var in = Files.newBufferedReader(Path.of(file))) { properties.load(in); }
            try {
                new kafka.server.KafkaConfig(properties);
            } catch (Exception refused) {
                System.out.println(file + ": " + refused.getMessage());
            }
        }
    }
}
"""
_EACH: list[dict[str, Any]] = [
    {},
    {"dedicatedControllers": {}},
    {"dedicatedControllers": {}, "faultTolerance": 2},
    {"faultTolerance": 2, "storage": {"volumes": 3}},
    {"security": {}},
    {"dedicatedControllers": {}, "security": {}},
    {"security": {"external": {"hosts": "kafka-{id}.example.com"}}},
]


def refused(folder: Path, plans: list[KafkaPlan]) -> list[str]:
    """What Kafka says of the files of these plans' nodes, less what it takes."""
    if not JARS.is_dir() or shutil.which("javac") is None:
        pytest.skip(f"no Kafka: {JARS} or a JDK is missing (make testbed gets them)")
    (folder / "Validate.java").write_text(_JAVA)
    files = []
    for number, plan in enumerate(plans):
        for nodes in plan.groups:
            file = folder / f"{number}-{nodes.component}.properties"
            advertised = ",".join(f"{one.name}://{nodes.pods[0]}:{one.port}" for one in nodes.listeners)
            own = f"node.id={nodes.first_id}\nbroker.rack=a\nadvertised.listeners={advertised}\n"
            file.write_text(plan.files(nodes)["server.properties"] + own)
            files.append(str(file))
    java = ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{JARS}/*", str(folder / "Validate.java"), *files]
    return subprocess.run(java, capture_output=True, text=True, check=True).stdout.splitlines()


def test_each_role_starts(tmp_path: Path) -> None:
    plans = [plan_kafka(KafkaSettings.model_validate(each), ("a", "b", "c"), "test") for each in _EACH]
    assert refused(tmp_path, plans) == []


@settings(max_examples=1, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.lists(KAFKA, min_size=60, max_size=60))
def test_any_settings_give_files_that_kafka_takes(tmp_path_factory: pytest.TempPathFactory, many: list[Any]) -> None:
    found = (read({"cluster": {"kind": "kwok", "zones": ZONES}, "kafka": kafka})[0] for kafka in many)
    plans = [plan_kafka(one.kafka, one.cluster.zones, "test") for one in found if one]
    assert len(plans) > 5
    # A value of an own property that Kafka does not take is the user's: Kafka tells it at the start.
    names = [name for one in plans for name in one.settings.properties]
    told = [
        line for line in refused(tmp_path_factory.mktemp("files"), plans) if not any(name in line for name in names)
    ]
    assert told == []
