"""How one workload tells by itself that it is a broker, and what its settings are: the readers' own lists, as CEL.

Settings that stand in a ConfigMap, a Secret or the image are not known here.
"""

import re
from typing import Final

from policies.admission.cel import pattern, quote, strings
from policies.readers.images import CLIENTS, CONVENTIONS, Convention
from policies.readers.plain import ENOUGH, EVIDENCE, OTHER_WORK, STRONG, TALKS
from policies.readers.sources import ENTRYPOINT, READS_VARIABLES, STARTS, key_of
from policies.readers.versions import default_of

_BY_ITSELF: Final = tuple(name for name, one in CONVENTIONS.items() if one is not Convention.STRIMZI)
_BITNAMI: Final = tuple(name for name, one in CONVENTIONS.items() if one is Convention.BITNAMI)


def _image(names: tuple[tuple[str, str], ...]) -> str:
    named = "|".join(f"{owner}/{repository}" for owner, repository in names)
    return quote(f"(?:^|/)(?:{named})(?::[^/]*)?(?:@.*)?$")


def variables_of(key: str) -> tuple[str, ...]:
    """The variables that may mean a setting, by any convention."""
    upper = key.replace(".", "_").upper()
    names = (f"KAFKA_{upper}", f"KAFKA_CFG_{upper}")
    return tuple(name for name in names if key in {key_of(name, one) for one in Convention})


def _override(key: str) -> str:
    return rf"""--override[\s=]+["']?{re.escape(key)}="""


_CLIENT: Final = quote(rf"(?i)(?:^|/)[^/:@]*(?:{'|'.join(CLIENTS)})[^/:@]*(?::[^/]*)?(?:@.*)?$")
_OWN_COMMAND: Final = "(c.?command.orValue([]) + c.?args.orValue([]))"
_TOLD: Final = f"{_OWN_COMMAND}.join(' ')"
_EVIDENT: Final = strings(sorted({name for key in EVIDENCE for name in variables_of(key)}))
_NAMES: Final = f"c.?env.orValue([]).map(e, e.name).filter(n, n in {_EVIDENT})"
_MENTIONS: Final = f"((c.?image.orValue('') + w).lowerAscii().contains('kafka') || {_NAMES}.size() > 0)"
_KNOWN: Final = f"c.?image.orValue('').matches({_image(tuple(CONVENTIONS))})"
_KNOWN_BROKER: Final = f"c.?image.orValue('').matches({_image(_BY_ITSELF)})"
# The API server counts what an expression costs, and refuses what costs too much: a text (`w`) is put together once
# and searched once, whatever is looked for (`t`).
_OVERRIDES: Final = (
    f"w.findAll({quote(_override('@').replace('@', '[a-z.]+'))}, 200)"
    r""".map(o, o.replace('--override', '').replace('=', ' ').replace('"', ' ').replace('\'', ' ').trim())"""
)
_EXPORTS: Final = "w.findAll('KAFKA_[A-Z_]+=', 200).map(o, o.replace('=', ''))"
_KEYS: Final = f"[{', '.join(strings((key, *variables_of(key))) for key in sorted(EVIDENCE))}]"
_SERVES: Final = strings(sorted({name for key in STRONG for name in (key, *variables_of(key))}))
IS_BROKER: Final = (
    f"[{_TOLD}].exists(w, {_MENTIONS}"
    f" && ({_KNOWN} || !c.?image.orValue('').matches({_CLIENT}))"
    f" && (w.matches({pattern(STARTS)})"
    f" || ({_KNOWN_BROKER} && {_OWN_COMMAND}.size() == 0)"
    f" || (!w.matches({pattern(OTHER_WORK)})"
    f" && [{_OVERRIDES} + ({_KNOWN_BROKER} ? [] : {_NAMES} + {_EXPORTS})]"
    f".exists(t, {_KEYS}.filter(k, k.exists(n, n in t)).size() >= {ENOUGH}"
    f" && (!c.?env.orValue([]).exists(e, e.name.matches({pattern(TALKS)})) || {_SERVES}.exists(n, n in t))))))"
)
"""Whether a container `c` is a broker or controller."""

_C: Final = "variables.broker"
VARIABLES: Final = {
    "spec": "object.spec.template.spec",
    "labels": "object.spec.template.?metadata.?labels.orValue({})",
    "replicas": "object.spec.?replicas.orValue(1)",
    "broker": f"variables.spec.containers.filter(c, {IS_BROKER})[0]",
    "told": f"({_C}.?command.orValue([]) + {_C}.?args.orValue([])).join(' ')",
    "image": f"{_C}.?image.orValue('')",
    "known": f"variables.image.matches({_image(_BY_ITSELF)})",
    "bitnami": f"variables.image.matches({_image(_BITNAMI)})",
    "byEntrypoint": f"variables.told == '' || variables.told.matches({pattern(ENTRYPOINT)})",
    "byFile": f"variables.told.matches({pattern(STARTS)}) && !variables.told.matches({pattern(READS_VARIABLES)})",
    # The variables that the image takes settings from.
    "env": f"variables.byEntrypoint || !(variables.known || variables.byFile) ? {_C}.?env.orValue([]) : []",
    # Nothing but the container itself can hold settings, so that Kafka's defaults hold for those that it lacks.
    "closed": "variables.known && !variables.bitnami && variables.byEntrypoint"
    f" && {_C}.?envFrom.orValue([]).size() == 0"
    " && variables.spec.?volumes.orValue([]).all(v, !has(v.configMap) && !has(v.projected) && !has(v.secret))",
}


def setting(key: str, default: bool = False) -> str:
    """CEL of a setting as text; empty where it is not known. `default`: Kafka's, where these are brokers and no
    other can be.
    """
    plain, *more = variables_of(key)
    names = strings((plain, *more))
    mine = f"variables.env.filter(e, e.name in (variables.bitnami ? {strings(more)} : variables.known ? ['{plain}'] : "
    mine += f"{names}))"
    override = quote(_override(key) + r"""["']?[^\s"'\\;&|]*""")
    value, _ = default_of(key, None)
    absent = (
        f"(variables.closed && variables.roles.contains('broker') ? {quote(value)} : '')" if default and value else "''"
    )
    # What stands in a start script may be set in more ways than can be read here.
    mentioned = " || ".join(f"variables.told.contains({quote(text)})" for text in (key, plain, *more))
    return (
        f"[({mentioned}) ? (variables.told.findAll({override}).size() == 1"
        f" ? variables.told.find({override}).split({quote(key + '=')})[1] : '')"
        f" : ({mine}.size() == 0 ? {absent} : {mine}.map(e, e.?value.orValue(''))[{mine}.size() - 1])]"
        ".map(v, v.contains('$') ? '' : v.replace('\"', '').replace(\"'\", '').trim())[0]"
    )
