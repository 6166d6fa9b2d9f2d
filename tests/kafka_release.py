"""Writes components/kafka_release.json from Kafka's own jars: `python -m tests.kafka_release FOLDER_OF_JARS`.

The jars are those of the testbed (`tests/testbed/build.sh` gets them), Java 17 is needed. Sources: the documentation
that Kafka generates from its broker configuration (`kafka.server.KafkaConfig`, field "Update Mode") and
`kafka-features.sh version-mapping`.
"""

import html
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[1] / "components" / "kafka_release.json"
_ENTRY = re.compile(
    r'<a id="brokerconfigs_(?P<name>[^"]+)".*?Default:</th><td>(?P<default>[^<]*)'
    r".*?Update Mode:</th><td>(?P<mode>[^<]*)",
    re.DOTALL,
)
_POOL = re.compile(r"\bthreads?\b|\bfetchers\b")
_LEVEL = re.compile(r"^metadata\.version=(\d+) ", re.MULTILINE)


def release(jars: Path) -> dict[str, Any]:
    """What Kafka says of itself. Raises CalledProcessError where Java fails."""
    [core] = jars.glob("kafka_2.13-*.jar")
    version = core.stem.partition("-")[2]
    entries = _ENTRY.finditer(_java(jars, "kafka.server.KafkaConfig"))
    defaults = {html.unescape(entry["name"]): entry["default"] for entry in entries if entry["mode"] == "cluster-wide"}
    return {
        "source": f"Kafka {version}, by python -m tests.kafka_release",
        "clusterWide": sorted(defaults),
        "threadPools": {name: int(defaults[name]) for name in sorted(defaults) if _POOL.search(name)},
        "metadataVersions": {
            release: _metadata_level(jars, release)
            for release in (f"4.{minor}" for minor in range(int(version.split(".")[1]) + 1))
        },
    }


def text(found: dict[str, Any]) -> str:
    """The file's content."""
    return json.dumps(found, indent=1) + "\n"


def _metadata_level(jars: Path, release: str) -> int:
    out = _java(jars, "org.apache.kafka.tools.FeatureCommand", "version-mapping", "--release-version", release)
    found = _LEVEL.search(out)
    assert found, out
    return int(found[1])


def _java(jars: Path, *command: str) -> str:
    java = ["java", "-Xmx128m", "-cp", f"{jars}/*", *command]
    return subprocess.run(java, capture_output=True, text=True, check=True, timeout=120).stdout


if __name__ == "__main__":
    FILE.write_text(text(release(Path(sys.argv[1]))))
