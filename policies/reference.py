"""The rules as a page: `python -m policies.reference` writes docs/policies.md, and a test holds it current."""

from collections.abc import Iterator
from pathlib import Path

from policies.admission.objects import EXPORTED, TARGETS
from policies.rules import GROUPS, Limits, Rule, Severity

PAGE = Path(__file__).resolve().parents[1] / "docs" / "policies.md"
_HEAD = """\
# Policies: what is refused, and why

<!-- Written by `python -m policies.reference` from the rules themselves; change the rules, not this page. -->

`pulumi preview --policy-pack policies` judges every Kafka that a program would deploy: this project's, plain
StatefulSets and Deployments (Apache's, Confluent's, Bitnami's and your own images), Strimzi, Confluent for
Kubernetes and Redpanda. What it needs from several resources, such as the disruption budget of a StatefulSet, it
decides at the end of the preview from the inputs that were shown, so also when there is no cluster yet.

- **mandatory** stops the deployment, **advisory** is shown. *Production* is mandatory where `production` is set.
- What can't be known in a preview is told as undecided, never passed in silence. `undecided: mandatory` makes
  that stop the deployment too.
- `pulumi up --skip-preview` has no preview to end: what takes several resources is told only after they were made.
- A setting that is absent is judged by the default of the Kafka version that the image names.
- Values of variables and settings that may be secret are never shown.

## Configuration

One file for all rules, `--policy-pack-config FILE`. A mistake in it is an error that says which name was meant, and
nothing is deployed.

```json
{
  "kafka": {
    "production": true,
    "undecided": "advisory",
    "rules": {
      "min-isr": "mandatory",
      "grace-period": {"enforcement": "advisory", "minimum": 90},
      "zone-spread": {"key": "topology.kubernetes.io/zone"}
    },
    "exemptions": [
      {"namespace": "lab-*", "name": "*", "rules": ["brokers"], "reason": "goes in May", "until": "2027-05-31"}
    ]
  },
  "kafka-remedies": "remediate"
}
```

- `rules`: by rule `mandatory`, `advisory` or `disabled`, and the parameters of the tables below.
- `exemptions`: clusters by namespace and name (`*` stands for anything), with a reason and a last day. After that
  day the rules hold again, and the pack says so.
- `kafka-remedies`: off unless it is set to `remediate`; then a missing spread and a short grace period of a
  StatefulSet, and missing `publishNotReadyAddresses` of its Service, are set right instead of refused, by the same
  parameters, and not where their rule is disabled or a cluster exempt from it.
- Of a policy that there is not (`kafak`) Pulumi only says `invalid enforcement level ""`, unless the file gives it a
  level. `python -m policies check --config FILE …` tells every mistake in words, without an engine.
"""

_COMMAND = """\
## Without Pulumi

`python -m policies check FILE…` judges manifests: files of YAML or JSON, folders of them, `-` for standard input. It
takes the same configuration by `--config FILE`.

```sh
helm template shop ./chart | python -m policies check -
python -m policies check --output sarif manifests/ > kafka.sarif    # for GitHub's upload-sarif; json for other tools
```

- It exits with 0 where nothing mandatory is violated, with 1 where something is, with 2 where an input or the
  configuration can't be read, or holds no object at all.
- Everything named is judged together. Where an object is described twice, as in folders for dev and for prod, each
  folder or file that does so is judged by itself with what is in none of the others.
"""

_ADMISSION = """\
## In the API server

What one object decides by itself the API server can refuse, whoever sends it: `python -m policies export` prints
ValidatingAdmissionPolicies and their bindings (Kubernetes 1.30 and later), with the ids, words and parameters of the
rules here.

```sh
python -m policies export --warn | kubectl apply -f -                                       # first see what it would do
python -m policies export --namespace-selector stage=prod | kubectl apply -f -              # then refuse
kubectl delete validatingadmissionpolicies,validatingadmissionpolicybindings -l app.kubernetes.io/part-of=kafka-ha
```

- `--enforce` (the default) refuses what a mandatory rule forbids and warns of the rest. `--warn` and `--audit` refuse
  nothing. `--config FILE` takes the same configuration; exemptions are left out, since the API server's policies don't
  know the day: leave namespaces out by `--namespace-selector`.
- They hold on create **and** update: what was unsafe before can't be changed until it is safe, only deleted.
- A broker is told from clients, Connect, UIs and tools by the same lists as above. A setting that stands in a
  ConfigMap, in a Secret or in the image is not seen there and passes; so do rules that need several objects. The pack
  and `python -m policies check` decide those.

"""


def page() -> str:
    """The whole page."""
    rules = (line for name, rules in GROUPS.items() for line in _group(name, rules))
    return "\n".join((_HEAD, *rules, _COMMAND, *_admission()))


def _admission() -> Iterator[str]:
    yield _ADMISSION.rstrip("\n") + "\n"
    yield "| rule | " + " | ".join(target.title for target in TARGETS) + " |"
    yield "|---|" + "---|" * len(TARGETS)
    for rule in EXPORTED:
        marks = ("yes" if rule in {one.rule for one in target.checks} else "" for target in TARGETS)
        yield f"| {rule} | {' | '.join(marks)} |"
    yield ""


def _group(name: str, rules: tuple[Rule, ...]) -> Iterator[str]:
    yield f"## {name}\n"
    yield "| rule | does | why | remedy | from | parameters |"
    yield "|---|---|---|---|---|---|"
    for rule in rules:
        level = "mandatory" if rule.severity is Severity.ERROR else "advisory"
        level += "; production: mandatory" if rule.strict_in_production else ""
        limits = Limits()
        settings = ", ".join(f"`{name}`: {getattr(limits, at)}" for name, at in rule.parameters.items())
        cells = (f"[{rule.id}]({rule.url})", level, _sentence(rule.why), rule.remedy, rule.framework, settings)
        yield f"| {' | '.join(cells)} |"
    yield ""


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
