"""Kafka's command line tools, and kubectl, on the cluster that a command was given.

From the environment: NAMESPACE, BROKER_PODS, BOOTSTRAP, KUBECONFIG_CONTENT, KUBE_CONTEXT, and COMMAND_CONFIG, the file
in the pods by which the tools log in, where that is needed.
"""

import re
import tempfile
from collections.abc import Mapping

from components.scripts.process import Refused, run

_SECONDS = 120
_ANSWERS = (r"had an error: (.+)", r"Error while executing topic command ?: (.+)", r"Exception: (.+)")
# Not /dev/stdin: to open that anew, the container's user would have to own it.
_WITH_FILE = 'file=$(mktemp) && cat >"$file" && "$@" "$file"; status=$?; rm -f "$file"; exit $status'


class KafkaRefused(Refused):
    """Kafka itself refuses what was asked; the message is what it says."""


class KafkaTools:
    """Runs Kafka's tools, and other commands, in the brokers' pods."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def run(self, tool: str, *arguments: str, file: str | None = None) -> str:
        """Standard output of a tool such as `kafka-topics.sh` or `kafka-cluster.sh unregister`. `file`: what is to be
        in the file that the last argument asks for. Raises Refused, KafkaRefused where Kafka answered.
        """
        place = ["--bootstrap-server", self._environment["BOOTSTRAP"]]
        if login := self._environment.get("COMMAND_CONFIG"):
            place += ["--command-config", login]
        command = (*f"/opt/kafka/bin/{tool}".split(), *place, *arguments)
        if file is not None:
            command = ("bash", "-c", _WITH_FILE, "bash", *command)
        return self.first("kafka", *command, stdin=file)

    def first(self, container: str, *command: str, stdin: str | None = None) -> str:
        """Standard output of a command in a container of the first broker's pod that answers. Raises Refused,
        KafkaRefused where Kafka answered.
        """
        failure = Refused("no broker's pod is given.")
        interactive = [] if stdin is None else ["-i"]
        for pod in self._environment["BROKER_PODS"].split():
            try:
                return self.kubectl("exec", *interactive, pod, "-c", container, "--", *command, stdin=stdin)
            except Refused as error:
                if answer := answer_in(str(error)):  # the same from every pod
                    raise KafkaRefused(answer) from error
                failure = error
        raise failure

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Standard output of kubectl in the brokers' namespace. Raises Refused."""
        environment = self._environment
        with tempfile.NamedTemporaryFile("w", suffix=".kubeconfig") as file:
            file.write(environment["KUBECONFIG_CONTENT"])
            file.flush()
            command = ["kubectl", f"--kubeconfig={file.name}", f"--namespace={environment['NAMESPACE']}"]
            if context := environment.get("KUBE_CONTEXT"):
                command.append(f"--context={context}")
            return run(*command, *arguments, stdin=stdin, timeout=_SECONDS)


def answer_in(failure: str) -> str | None:
    """What Kafka says in the failure of a tool, without the tool's stack trace; None where it says nothing."""
    found = next((found for pattern in _ANSWERS if (found := re.search(pattern, failure))), None)
    return found[1].rpartition("Exception: ")[2].strip().rstrip(".") if found else None
