"""The executable `pulumi-resource-pulumi-python`: becomes the SDK's own server, in the project's Python.

The engine starts it in the project's folder, and gives the runtime's options of Pulumi.yaml as variables
`PULUMI_RUNTIME_…`.
"""

from __future__ import annotations

import os
import sys

from toolchain.standins.language.options import Options, OptionsError


def main() -> None:
    """Replaces this process by `python -m pulumi.dynamic`; exit code 1 where the project's Python is not there."""
    given = {name: os.environ.get(f"PULUMI_RUNTIME_{name.upper()}") for name in ("toolchain", "virtualenv")}
    try:
        options = Options.of(os.getcwd(), {name: value for name, value in given.items() if value})
        if missing := options.missing():
            raise OptionsError(missing)
        python = options.python
    except OptionsError as error:
        sys.exit(str(error))
    # Unbuffered: the engine waits for the port on standard output.
    os.execve(python, [python, "-u", "-m", "pulumi.dynamic", *sys.argv[1:]], options.environment())


if __name__ == "__main__":
    main()
