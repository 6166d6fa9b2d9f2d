"""The pack through the real engine: on this project's program, and on one that knows nothing of it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from policies.rules import RULES, Severity
from tests.policies.manifests import CASES, base, load
from tests.stack import ROOT, Stack
from toolchain.review import UNREACHABLE
from toolchain.stack import LOCAL_KINDS

PACK = str(ROOT / "policies")
# Objects by the type of their resource, as pulumi_kubernetes and the expansion of charts register them. The
# kubeconfig is an output: on the first preview nothing of the cluster is known.
PROGRAM = """
import json
from pathlib import Path
import pulumi
from pulumi_command import local

made = local.Command("cluster", create="echo '{}'")
provider = pulumi.ProviderResource("kubernetes", "kubernetes", {"kubeconfig": made.stdout})
for index, one in enumerate(json.loads(Path("objects.json").read_text())):
    group, _, version = one["apiVersion"].rpartition("/")
    token = f"kubernetes:{group or 'core'}/{version}:{one['kind']}"
    pulumi.CustomResource(token, f"{index}-{one['metadata']['name']}", one, pulumi.ResourceOptions(provider=provider))
"""


@pytest.fixture(autouse=True, scope="module")
def engine() -> None:
    """Skips, in words, where `make setup` has not run."""
    if not shutil.which("pulumi"):
        pytest.skip("no engine: pulumi is not on PATH; make setup gets it")


class Other:
    """A program of somebody else, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        options = {"toolchain": "pip", "virtualenv": sys.prefix}
        project = {"name": "other", "runtime": {"name": "python", "options": options}}
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
        (folder / "__main__.py").write_text(PROGRAM)
        (folder / "state").mkdir()
        self.deploys([])
        self.run("stack", "init", "test")

    def deploys(self, objects: list[dict[str, Any]]) -> None:
        (self.folder / "objects.json").write_text(json.dumps(objects))

    def configure(self, given: dict[str, Any]) -> list[str]:
        path = self.folder / "policy.json"
        path.write_text(json.dumps(given))
        return ["--policy-pack-config", str(path)]

    def run(self, *arguments: str) -> tuple[int, str]:
        process = subprocess.run(
            ["pulumi", *arguments, "--non-interactive", "--color=never"],
            cwd=self.folder,
            env={**os.environ, "PULUMI_BACKEND_URL": f"file://{self.folder}/state", "PULUMI_CONFIG_PASSPHRASE": "test"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        return process.returncode, process.stdout

    def preview(self, *arguments: str) -> tuple[int, str]:
        return self.run("preview", "--stack", "test", "--policy-pack", PACK, *arguments)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Other:
    return Other(tmp_path_factory.mktemp("other"))


def documents(path: Path, namespace: str) -> list[dict[str, Any]]:
    """A case's objects, in a namespace of their own."""
    text = json.dumps(load(path).documents)
    text = re.sub(r'"namespace": "[^"]*"', f'"namespace": "{namespace}"', text)
    objects: list[dict[str, Any]] = json.loads(text.replace('"fast"', f'"fast-{namespace}"'))
    return objects


def mandatory(out: str) -> set[str]:
    """The rules that are told as mandatory."""
    found: set[str] = set()
    for part in re.split(r"\n\s+- (?=\[)", out):
        if part.startswith("[mandatory]"):
            found |= set(re.findall(r"\(([a-z-]+): ", part))
    return found


@pytest.mark.parametrize("name", ["sim", "dev", "prod"])
def test_the_programs_own_stacks_pass(name: str, tmp_path: Path) -> None:
    """As they are in their files, none exempt; a preview needs neither Docker nor a cluster. Where the file's would be
    made in a cloud, Kafka is put on one that is there: tests/unit/test_clouds.py has the rest.
    """
    given = yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text())["config"]
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(UNREACHABLE)
    environment = {"KWOK_WORKDIR": str(tmp_path / "kwok"), "KUBECONFIG": str(kubeconfig)}
    config = {key.removeprefix("kafka-ha:"): value for key, value in given.items()}
    if config["cluster"]["kind"] not in LOCAL_KINDS:
        config["cluster"] = {"kind": "existing", "zones": config["cluster"]["zones"]}
    (tmp_path / "stack").mkdir()
    stack = Stack.create(tmp_path / "stack", name, config, environment)
    out = stack.pulumi("preview", "--stack", name, "--policy-pack", PACK)
    assert "StatefulSet" in out
    assert "kafka-ha@v" in out, "the pack took part"
    assert mandatory(out) == set()
    assert "undecided" not in out
    assert ("(combined-mode: " in out) is (name != "prod")


def test_every_mandatory_rule_stops_what_is_unsafe(other: Other) -> None:
    """On a first preview, the cluster not known yet: each rule has its case, all in one program."""
    errors = {rule.id for rule in RULES if rule.severity is Severity.ERROR}
    objects = []
    for rule in errors:
        path = next(path for path in CASES if path.parent.name == rule and path.stem.startswith("fail"))
        objects += documents(path, f"case-{rule}")
    other.deploys(objects)
    code, out = other.preview()
    assert code
    assert mandatory(out) == errors
    code, out = other.run("up", "--yes", "--stack", "test", "--policy-pack", PACK)
    assert code
    assert mandatory(out) == errors
    _, state = other.run("stack", "export", "--stack", "test")
    assert "kubernetes:" not in state, "nothing was created"


def test_a_safe_program_passes(other: Other) -> None:
    names = ("official", "confluent", "bitnami", "own", "strimzi", "cfk", "redpanda")
    other.deploys([one for name in names for one in base(name)])
    code, out = other.preview()
    assert code == 0, out
    assert mandatory(out) == set()


def test_configuration_holds(other: Other) -> None:
    path = next(path for path in CASES if path.parent.name == "min-isr")
    other.deploys(documents(path, "shop"))
    code, out = other.preview()
    assert (bool(code), mandatory(out)) == (True, {"min-isr"})

    code, out = other.preview(*other.configure({"kafka": {"rules": {"min-isr": "advisory"}}}))
    assert (code, mandatory(out)) == (0, set())
    assert "(min-isr: " in out

    exemption = {"namespace": "shop", "reason": "a test of one day", "until": "2999-12-31"}
    code, out = other.preview(*other.configure({"kafka": {"exemptions": [exemption]}}))
    assert (code, "(min-isr: " in out) == (0, False)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"kafka": {"production": "yes"}}, "kafka: production: Invalid type"),  # by the schema
        ({"kafka": {"rules": {"min-irs": "advisory"}}}, "rules.min-irs: there is no such rule; did you mean min-isr?"),
        (
            {"kafka": {"exemptions": [{"reason": "of none", "until": "2999-12-31"}]}},
            "set namespace, name or both",
        ),
        ({"kafak": "mandatory"}, "there is no 'kafak'; did you mean kafka?"),
        ({"kafak": {"production": True}}, 'invalid enforcement level ""'),  # by the engine
    ],
)
def test_a_mistake_in_the_configuration_fails_closed(other: Other, given: dict[str, Any], says: str) -> None:
    other.deploys(base("official"))
    code, out = other.preview(*other.configure(given))
    assert code
    assert says in out
    assert "StatefulSet" not in out, "nothing was judged, or planned"


def test_remedies_are_opt_in(other: Other) -> None:
    path = next(path for path in CASES if path.stem == "fail-official-absent-is-thirty")
    other.deploys(documents(path, "shop"))
    code, out = other.preview()
    assert mandatory(out) == {"grace-period"}
    longer = {"rules": {"grace-period": {"minimum": 300}}}
    for kafka in ({}, longer):  # set right as it is configured, else the rule would refuse it all the same
        code, out = other.preview(*other.configure({"kafka": kafka, "kafka-remedies": "remediate"}))
        assert code == 0, out
        assert "kafka-remedies" in out


def test_exported_state_is_analysed(other: Other, tmp_path: Path) -> None:
    path = next(path for path in CASES if path.parent.name == "disruption-budget-missing")
    urn, when = "urn:pulumi:test::other::", "2026-01-01T00:00:00Z"
    root = f"{urn}pulumi:pulumi:Stack::other-test"
    resources: list[dict[str, Any]] = [{"urn": root, "type": "pulumi:pulumi:Stack", "custom": False}]
    for index, one in enumerate(documents(path, "shop")):
        group, _, version = one["apiVersion"].rpartition("/")
        kind = f"kubernetes:{group or 'core'}/{version}:{one['kind']}"
        state = {"urn": f"{urn}{kind}::{index}", "type": kind, "custom": True, "id": str(index), "parent": root}
        resources.append({**state, "inputs": one, "outputs": one, "created": when, "modified": when})
    manifest = {"time": when, "magic": "", "version": ""}
    file = tmp_path / "state.json"
    file.write_text(json.dumps({"version": 3, "deployment": {"manifest": manifest, "resources": resources}}))
    code, out = other.run("policy", "analyze", "--policy-pack", PACK, "--file", str(file))
    assert code
    assert "(disruption-budget-missing: " in out
