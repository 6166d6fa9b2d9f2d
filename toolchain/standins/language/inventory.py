"""Lists the packages of the Python that runs it, as JSON on standard output.

Run as a script by the program's own Python, so it uses the standard library alone and no new syntax.
"""

import importlib.metadata
import json
import os
import re
import sys


def packages() -> "list[dict[str, object]]":
    """Return each distribution's name, version, requirements, and pulumi-plugin.json if it has one."""
    found = {}
    for distribution in importlib.metadata.distributions():
        # Each access to .metadata reads the file again.
        metadata = distribution.metadata
        name = metadata["Name"]
        if not name or name in found:
            continue
        found[name] = {
            "name": re.sub(r"[-_.]+", "-", name).lower(),
            "version": metadata["Version"],
            "requires": metadata.get_all("Requires-Dist") or [],
            "plugin": _plugin(distribution, name.replace("-", "_")),
        }
    return list(found.values())


def _plugin(distribution: importlib.metadata.Distribution, module: str) -> object:
    path = os.path.join(str(distribution.locate_file(module)), "pulumi-plugin.json")
    if not os.path.isfile(path):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)


if __name__ == "__main__":
    json.dump(packages(), sys.stdout)
