"""What a change does in every environment, for its pull request: verdicts, differences, and what no preview can judge.

Each stack is previewed in a folder of its own, with a state of its own: no cluster is asked, no credentials are needed,
and no stack of anybody is touched. It is compared with a preview of the commit that the change starts from.
"""

from __future__ import annotations

import difflib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from toolchain.errors import ToolError
from toolchain.stack import LOCAL_KINDS, PROJECT

LONGEST = 65_000  # GitHub takes 65,536 characters of a comment
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # Pulumi's word for what only the deployment knows
SECRET = "4dabf18193072939515e22adb298388d"  # its key in what is secret
_CLUSTER = f"{PROJECT}:cluster"
_NOBODY = "nobody.kubeconfig"
UNREACHABLE = """
apiVersion: v1
kind: Config
current-context: none
contexts: [{name: none, context: {cluster: none, user: none}}]
clusters: [{name: none, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: none, user: {token: none}}]
"""
"""A kubeconfig of a cluster that nobody is."""

Objects = Mapping[str, Mapping[str, Any]]
"""The inputs of resources, by type and name."""


@dataclass(frozen=True)
class Preview:
    """What the engine told of a program."""

    objects: Objects
    refused: tuple[str, ...]
    advice: tuple[str, ...]
    unjudged: tuple[str, ...]
    errors: tuple[str, ...]

    @property
    def fails(self) -> bool:
        """Whether `up` would be refused."""
        return bool(self.refused or self.errors)


def stacks(checkout: Path) -> list[str]:
    """The environments: a file each."""
    return sorted(path.name.split(".")[1] for path in checkout.glob("Pulumi.*.yaml"))


def review(
    checkout: Path, base: str | None, environ: Mapping[str, str], manifests: Path | None = None
) -> tuple[str, bool]:
    """The text of a review, and whether any environment fails. `base` is the commit that is compared with; `manifests`
    a folder for what each environment would have of Kubernetes' objects.

    Raises:
        ToolError: there is no such commit.
    """
    sections, fails = [], False
    with _checked_out(checkout, base) as before:
        for stack in stacks(checkout):
            found, left_out = _preview(checkout, checkout, stack, environ)
            known = before is not None and (before / f"Pulumi.{stack}.yaml").exists()
            old = _preview(before, checkout, stack, environ)[0] if before and known else None
            fails |= found.fails
            sections.append(_section(stack, found, left_out, old))
            if manifests and (listed := kubernetes_list(found.objects)):
                manifests.mkdir(parents=True, exist_ok=True)
                (manifests / f"Pulumi.{stack}.yaml").write_text(listed, encoding="utf-8")
    return joined(sections), fails


def read_events(lines: Sequence[str]) -> Preview:
    """What is told in the engine's log of events, a line of JSON each. Pure."""
    objects: dict[str, Mapping[str, Any]] = {}
    told: dict[str, list[str]] = {"mandatory": [], "advisory": [], "warning": [], "error": []}
    for event in map(json.loads, lines):
        if before := event.get("resourcePreEvent"):
            step = before["metadata"]
            own = step["type"].startswith("pulumi:")  # the stack, and providers, which hold the settings again
            if step["op"] != "delete" and step.get("new") and not own:
                objects[_name(step["urn"])] = _shown(step["new"].get("inputs") or {})
        elif policy := event.get("policyEvent"):
            # Its first line is the policy's description.
            told.get(policy["enforcementLevel"], []).append(_sentence(policy["message"].partition("\n")[2]))
        elif diagnostic := event.get("diagnosticEvent"):
            told.get(diagnostic["severity"], []).append(_sentence(diagnostic["message"]))
    undecided = [one for one in told["advisory"] if _undecided(one)]
    return Preview(
        objects,
        _once(told["mandatory"]),
        _once(one for one in told["advisory"] if not _undecided(one)),
        _once([*told["warning"], *undecided]),
        _once(told["error"]),
    )


def difference(old: Objects, new: Objects) -> str:
    """What a change makes of the resources' inputs. Pure."""
    lines: list[str] = []
    for name in sorted({*old, *new}):
        before, after = (_text(side[name]).splitlines() if name in side else [] for side in (old, new))
        changed = difflib.unified_diff(
            before, after, name if name in old else "-", name if name in new else "-", n=3, lineterm=""
        )
        lines += changed
    return "\n".join(lines)


def kubernetes_list(objects: Objects) -> str:
    """The objects of Kubernetes among the resources, on one line: findings then stand at the file's top. Empty where
    there are none. Pure.
    """
    items = [one for one in objects.values() if "kind" in one and "apiVersion" in one]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}) + "\n" if items else ""


def joined(sections: Sequence[tuple[str, str]]) -> str:
    """One text of heads and differences; the differences are cut where it would be too long. Pure."""
    heads = sum(len(head) + 100 for head, _ in sections)
    room = max(LONGEST - heads, 0) // max(len(sections), 1)
    return "\n".join(head + _folded(changes, room) for head, changes in sections)


def _section(stack: str, found: Preview, left_out: str | None, old: Preview | None) -> tuple[str, str]:
    """What is said of a stack, and its difference."""
    verdict = "**fails**" if found.fails else "passes"
    lines = [f"### `{stack}` {verdict}", ""]
    lines += [f"- **refused**: {one}" for one in found.refused]
    lines += [f"- **error**: {one}" for one in found.errors]
    lines += [f"- advice: {one}" for one in found.advice]
    unjudged = [*([left_out] if left_out else []), *found.unjudged, "what runs: no cluster was asked"]
    lines += [f"- not judged: {one}" for one in unjudged]
    changes = ""
    if found.errors:
        pass
    elif old is None:
        lines.append(f"- nothing to compare with: all of its {len(found.objects)} resources are new")
        changes = "\n".join(f"+ {name}" for name in sorted(found.objects))
    elif old.errors:
        lines.append(f"- not compared: the commit before can't be previewed: {old.errors[0]}")
    else:
        changes = difference(old.objects, found.objects)
        lines += [] if changes else [f"- no difference in {len(found.objects)} resources"]
    return "\n".join([*lines, ""]), changes


def _folded(changes: str, room: int) -> str:
    if not changes:
        return ""
    if len(changes) > room:
        kept = changes[:room].rpartition("\n")[0]
        changes = f"{kept}\n… and {changes.count(chr(10)) - kept.count(chr(10))} lines more: make review"
    return f"\n<details><summary>difference</summary>\n\n`````diff\n{changes}\n`````\n\n</details>\n"


def _preview(checkout: Path, tools: Path, stack: str, environ: Mapping[str, str]) -> tuple[Preview, str | None]:
    """What the program of `checkout` makes of a stack, by the Python packages and the policies of `tools`; and what
    was left out of it.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / PROJECT
        folder.mkdir()
        for path in checkout.iterdir():
            if not path.name.startswith((".", "Pulumi.")) or path.name == "Pulumi.yaml":
                (folder / path.name).symlink_to(path)
        (folder / ".venv").symlink_to(tools / ".venv")
        (folder / _NOBODY).write_text(UNREACHABLE, encoding="utf-8")
        settings, left_out = previewable((checkout / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8"))
        (folder / f"Pulumi.{stack}.yaml").write_text(settings, encoding="utf-8")
        state = Path(temporary) / "state"
        state.mkdir()
        own = {
            **environ,
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "review",
            "PULUMI_DEBUG_COMMANDS": "true",  # for --event-log
            "KWOK_WORKDIR": str(state / "kwok"),
        }
        own.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
        events = Path(temporary) / "events"
        _run(["stack", "init", stack], folder, own)
        pack = str(tools / "policies")
        code, said = _run(["preview", "-s", stack, "--policy-pack", pack, "--event-log", str(events)], folder, own)
        found = read_events(events.read_text(encoding="utf-8").splitlines() if events.exists() else [])
        if code and not found.fails:
            found = Preview({}, (), (), (), (said.strip() or f"pulumi ended with {code}",))
        return found, left_out


def previewable(text: str) -> tuple[str, str | None]:
    """A stack's file without what is encrypted for it alone; a cloud's cluster becomes one that is there and does not
    answer, for it can't be looked at without credentials.
    """
    given = yaml.safe_load(text)["config"]
    cluster = given.get(_CLUSTER)
    left_out = None
    if isinstance(cluster, dict) and cluster.get("kind") not in LOCAL_KINDS:
        left_out = f"the cluster ({cluster.get('kind')}), its nodes and storage: that needs credentials, `make preview`"
        zones = {"zones": cluster["zones"]} if "zones" in cluster else {}
        given[_CLUSTER] = {"kind": "existing", "kubeconfig": _NOBODY, **zones}
    return yaml.safe_dump({"config": given}), left_out


@contextmanager
def _checked_out(checkout: Path, commit: str | None) -> Iterator[Path | None]:
    """A commit's files, in a folder for as long as they are needed."""
    if commit is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as temporary:
        packed = Path(temporary) / "commit.tar"
        packing = ["git", "archive", "--output", str(packed), commit]
        done = subprocess.run(packing, cwd=checkout, capture_output=True, text=True)
        if done.returncode:
            raise ToolError(f"BASE={commit}: {done.stderr.strip()}")
        folder = Path(temporary) / PROJECT
        shutil.unpack_archive(packed, folder)
        yield folder


def _run(arguments: list[str], folder: Path, environ: Mapping[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        ["pulumi", *arguments, "--non-interactive", "--color=never"],
        cwd=folder,
        env=dict(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


def _name(urn: str) -> str:
    *_, types, name = urn.split("::")
    return f"{types.rpartition('$')[2]} {name}"


def _sentence(message: str) -> str:
    return " ".join(message.split())


def _undecided(sentence: str) -> bool:
    return "undecided" in sentence


def _once(sentences: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentences))


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as such, so that their lines are compared."""


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent)


def _text(inputs: Mapping[str, Any]) -> str:
    return yaml.dump(inputs, Dumper=_Dumper, width=200, sort_keys=True)


def _shown(value: Any) -> Any:
    """Inputs without what the SDK adds of its own, and words for what is secret or not known yet."""
    if isinstance(value, dict):
        if SECRET in value:
            return "[secret]"
        return {key: _shown(inner) for key, inner in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [_shown(inner) for inner in value]
    return "[known when deployed]" if value == UNKNOWN else value
