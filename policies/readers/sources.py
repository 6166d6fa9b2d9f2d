"""The broker settings of a container, from wherever its image takes them: environment variables, mounted property
files, options of the command line, exported variables of a start script.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from policies.manifest import UNKNOWN, Doc, Manifest
from policies.readers.images import Convention
from policies.readers.typed import TypedSettings
from policies.readers.versions import Version, default_of
from policies.rules.model import Fact
from policies.world import World

# Variables of the images themselves, which are no settings of the broker.
_NO_SETTING: Final = frozenset(
    f"KAFKA_{name}"
    for name in (
        *(
            "VERSION",
            "HOME",
            "DEBUG",
            "DATA_DIR",
            "HEAP_OPTS",
            "OPTS",
            "JMX_OPTS",
            "JVM_PERFORMANCE_OPTS",
            "GC_LOG_OPTS",
        ),
        *("LOG4J_OPTS", "LOG4J_ROOT_LOGLEVEL", "LOG4J_LOGGERS", "TOOLS_LOG4J_LOGLEVEL", "JMX_HOSTNAME", "JMX_PORT"),
        *("CLUSTER_ID", "KRAFT_CLUSTER_ID", "ENABLE_KRAFT"),
    )
)
STARTS: Final = re.compile(
    r"kafka-server-start|\bkafka\.Kafka\b|/etc/(?:kafka|confluent)/docker/run\b"
    r"|/opt/bitnami/scripts/kafka/(?:entrypoint|run)\.sh|KafkaRaftServer"
)
ENTRYPOINT: Final = re.compile(
    r"/etc/(?:kafka|confluent)/docker/run\b|/opt/bitnami/scripts/kafka/(?:entrypoint|run)\.sh"
)
READS_VARIABLES: Final = re.compile(r"KAFKA_|(?:^|[\s;&|($])(?:env|printenv|envsubst|compgen)\b")
_OVERRIDE = re.compile(r"""--override[\s=]+["']?([A-Za-z][\w.\-]*)=("[^"]*"|'[^']*'|[^\s"'\\;&|]*)""")
_EXPORT = re.compile(r"""(?:^|[\s;&|])(?:export\s+)?(KAFKA_[A-Z0-9_]+)=("[^"]*"|'[^']*'|[^\s"';&|]*)""")
_PROPERTY_FILE = re.compile(r"\.properties(\.\w+)?$|^(server|broker|controller|kraft)[-.]?(conf|config)$")
_OTHER_FILE = re.compile(
    r"log4j|connect|producer|consumer|client|admin|tools|zookeeper|mirror|registry|jmx|cruise", re.IGNORECASE
)
_SCRIPTS = (".sh", ".bash", ".template")
_PER_POD = "it is computed when the pod starts"
# What the server.properties of Kafka's own distribution says, which some images start from.
_DISTRIBUTION: Final = dict.fromkeys(
    (
        "offsets.topic.replication.factor",
        "transaction.state.log.replication.factor",
        "transaction.state.log.min.isr",
        "share.coordinator.state.topic.replication.factor",
        "share.coordinator.state.topic.min.isr",
    ),
    "1",
)


@dataclass
class Settings(TypedSettings):
    """The settings of a broker. `open_reason` says why one that is not here may yet be set; empty when none can."""

    path: str
    convention: Convention
    version: Version | None
    values: dict[str, Fact[str]] = field(default_factory=dict)
    open_reason: str = ""
    command: str = ""
    scripts: Mapping[str, str] = field(default_factory=dict)
    distribution: bool = False
    file: str = ""

    def written(self, key: str) -> Fact[str]:
        """The setting as it is written, no default."""
        if key in self.values:
            return self.values[key]
        path = f"{self.file}[{key}]" if self.file else f"{self.path}[{self.variable(key)}]"
        if self.open_reason:
            return Fact(path, undecided=self.open_reason)
        if key in self.command:
            return Fact(path, undecided="the start script may set it")
        return Fact(path)

    def text(self, key: str) -> Fact[str]:
        """The setting, or the default of that version of Kafka."""
        fact = self.written(key)
        if fact.value is not None or fact.undecided:
            return fact
        if self.distribution and key in _DISTRIBUTION and default_of(key, self.version)[0]:
            return Fact(fact.path, _DISTRIBUTION[key], note="the server.properties that the image brings")
        value, note = default_of(key, self.version)
        return Fact(fact.path, value, note=note if value is not None else "")

    def variable(self, key: str) -> str:
        """How the image calls a setting."""
        if self.convention is Convention.BITNAMI:
            return "KAFKA_CFG_" + key.replace(".", "_").upper()
        if self.convention in (Convention.OFFICIAL, Convention.CONFLUENT):
            return "KAFKA_" + key.replace("-", "___").replace("_", "__").replace(".", "_").upper()
        return key


def key_of(variable: str, convention: Convention) -> str | None:
    """The setting that a variable means to an image; None where it is none."""
    if variable in _NO_SETTING or not variable.startswith("KAFKA_"):
        return None
    if convention is Convention.BITNAMI:
        if variable.startswith("KAFKA_CFG_"):
            return variable[len("KAFKA_CFG_") :].replace("_", ".").lower()
        return {"KAFKA_BROKER_ID": "broker.id", "KAFKA_NODE_ID": "node.id"}.get(variable)
    if convention is Convention.OWN and variable.startswith("KAFKA_CFG_"):
        return variable[len("KAFKA_CFG_") :].replace("_", ".").lower()
    key = variable[len("KAFKA_") :].lower().replace("_", ".")
    return key.replace("...", "-").replace("..", "_")


def parse_properties(text: str) -> Iterator[tuple[str, str]]:
    """Keys and values of a Java property file. A backslash at its end continues a line, but no comment."""
    whole = ""
    for line in (*text.splitlines(), ""):
        if not whole and line.strip()[:1] in ("", "#", "!"):
            continue
        whole += line.lstrip()
        if (len(whole) - len(whole.rstrip("\\"))) % 2:
            whole = whole[:-1]
            continue
        key, _, value = re.sub(r"\s*[=:]\s*|\s+", "=", whole.strip(), count=1).partition("=")
        yield key.replace("\\", ""), value.strip()
        whole = ""


def literal(path: str, value: object) -> Fact[str]:
    """A value that is written out; one that a shell or Kubernetes fills in is not known."""
    if not isinstance(value, str):
        return Doc(value, path).text()
    text = value.strip()
    if len(text) > 1 and text[0] in "\"'" and text[-1] == text[0]:
        text = text[1:-1]
    return Fact(path, undecided=_PER_POD) if "$" in text or "`" in text or "{{" in text else Fact(path, text)


def read_settings(
    pod: Doc, container: Doc, owner: Manifest, world: World, convention: Convention, version: Version | None
) -> Settings:
    """The settings of a broker's container."""
    settings = Settings(container["env"].path, convention, version)
    files, scripts, hidden = _mounted(pod, container, owner, world)
    told = " ".join(part.plain() for name in ("command", "args") for part in container[name].each())
    own_command = bool(told) or container["command"].unknown or container["args"].unknown
    settings.scripts = scripts
    settings.command = "\n".join((told, *scripts.values()))
    # Of several files in one ConfigMap, as for brokers and for controllers, those count that the command names.
    named = [one for one in files if re.search(rf"(?<![\w.-]){re.escape(one[0])}", settings.command)]
    for _, path, text in named or files:
        settings.file = path
        settings.values.update((key, literal(f"{path}[{key}]", value)) for key, value in parse_properties(text))
    through_entrypoint = not own_command or bool(ENTRYPOINT.search(settings.command))
    if through_entrypoint or (convention is Convention.OWN and not _by_file_alone(settings.command)):
        for name, fact in _environment(container, owner, world, settings):
            if key := key_of(name, convention):
                settings.values[key] = fact
        for name, value in _EXPORT.findall(settings.command):
            if key := key_of(name, convention):
                settings.values[key] = literal(f"{container['command'].path}[{name}]", value)
    for key, value in _OVERRIDE.findall(settings.command):
        settings.values[key] = literal(f"{container['command'].path}[--override {key}]", value)
    if hidden:
        settings.open_reason = hidden
    elif not settings.open_reason and not files and (convention is Convention.OWN or not through_entrypoint):
        settings.open_reason = "files in the image may set it"
    settings.distribution = not files and (
        convention is Convention.BITNAMI or (convention is Convention.OFFICIAL and not settings.values)
    )
    return settings


def _by_file_alone(command: str) -> bool:
    """Whether a command starts Kafka itself, whose own start script looks at no variable that is a setting."""
    return bool(STARTS.search(command)) and not ENTRYPOINT.search(command) and not READS_VARIABLES.search(command)


def _within_reach(pod: Doc, container: Doc) -> set[str] | None:
    """The volumes that a container sees, itself or by what an init container copied for it; None while not known."""
    mounts = container["volumeMounts"]
    if not mounts.whole or any(mount["name"].unknown for mount in mounts.each()):
        return None
    seen = {mount["name"].plain() for mount in mounts.each()}
    passing = {volume["name"].plain() for volume in pod["volumes"].each() if not volume["emptyDir"].absent} & seen
    for one in pod["initContainers"].each():
        theirs = {mount["name"].plain() for mount in one["volumeMounts"].each()}
        seen |= theirs if passing & theirs else set()
    return seen


def _mounted(
    pod: Doc, container: Doc, owner: Manifest, world: World
) -> tuple[list[tuple[str, str, str]], dict[str, str], str]:
    """Property files, by name, path and content, and scripts, both from ConfigMaps, and why there may be others."""
    files: list[tuple[str, str, str]] = []
    scripts: dict[str, str] = {}
    hidden = ""
    seen = _within_reach(pod, container)
    for volume in pod["volumes"].each():
        if volume.unknown:
            hidden = "the volumes are computed by the deployment"
        elif seen is not None and volume["name"].plain() not in seen:
            continue
        for source in (volume, *volume["projected"]["sources"].each()):
            reference = source["configMap"]
            if reference.absent or source.unknown or not _may_tell(reference["items"]):
                continue
            name = reference["name"]
            held = world.find("", "ConfigMap", name.plain(), owner.namespace) if name.plain() else None
            if held is None:
                hidden = (
                    world.missing(f"ConfigMap {name.plain()}")
                    if name.plain()
                    else f"{name.path} is computed by the deployment"
                )
                continue
            if not held.doc["data"].whole:
                hidden = f"the content of {held.path} is computed by the deployment"
            if any(_is_settings(key) for key, _ in held.doc["binaryData"].items()):
                hidden = f"{held.path} holds it as binaryData"
            names = {item["key"].plain(): item["path"].plain() for item in reference["items"].each()}
            for key, value in held.doc["data"].items():
                if _is_settings(key):
                    if value.unknown:
                        hidden = f"the content of {held.path} is computed by the deployment"
                    else:
                        files.append((names.get(key) or key, f"{held.path}: data[{key}]", value.plain()))
                elif key.endswith(_SCRIPTS) or value.plain().startswith("#!"):
                    scripts[names.get(key) or key] = value.plain()
        if any(item["key"].plain().endswith("server.properties") for item in volume["secret"]["items"].each()):
            hidden = "it stands in a Secret"
    return files, scripts, hidden


def _is_settings(file: str) -> bool:
    return bool(_PROPERTY_FILE.search(file)) and not _OTHER_FILE.search(file)


def _may_tell(items: Doc) -> bool:
    """Whether files that are picked from a ConfigMap may be settings or scripts: a CA's certificate is neither."""
    names = [item[key].plain() for item in items.each() for key in ("key", "path")]
    return not names or any(not name or _is_settings(name) or name.endswith(_SCRIPTS) for name in names)


def _environment(container: Doc, owner: Manifest, world: World, settings: Settings) -> Iterator[tuple[str, Fact[str]]]:
    for source in container["envFrom"].each():
        if not source["secretRef"].absent or source.unknown:
            settings.open_reason = "a Secret may set it"
        name = source["configMapRef"]["name"]
        if name.absent and not name.unknown:
            continue
        held = world.find("", "ConfigMap", name.plain(), owner.namespace)
        if held is None:
            settings.open_reason = (
                world.missing(f"ConfigMap {name.plain()}") if name.plain() else f"{name.path} is not known"
            )
            continue
        if not held.doc["data"].whole:
            settings.open_reason = f"the content of {held.path} is computed by the deployment"
        for key, value in held.doc["data"].items():
            yield source["prefix"].plain() + key, literal(f"{held.path}: data[{key}]", value.value)
    if not container["env"].whole or container.unknown:
        settings.open_reason = "the variables are computed by the deployment"
    for entry in container["env"].each():
        if not (variable := entry["name"].plain()):
            settings.open_reason = "the variables are computed by the deployment"
        yield variable, _variable(entry, owner, world)


def _variable(entry: Doc, owner: Manifest, world: World) -> Fact[str]:
    reference = entry["valueFrom"]
    if reference.absent:
        return literal(entry.path, "" if entry["value"].absent else entry["value"].value)
    source = reference["configMapKeyRef"]
    name, key = source["name"].plain(), source["key"].plain()
    if name and key:
        held = world.find("", "ConfigMap", name, owner.namespace)
        value = held.doc["data"][key].value if held else UNKNOWN
        return (
            literal(f"{held.path}: data[{key}]", value)
            if held
            else Fact(entry.path, undecided=world.missing(f"ConfigMap {name}"))
        )
    return Fact(entry.path, undecided="it comes from a Secret" if not reference["secretKeyRef"].absent else _PER_POD)
