"""Makes the SDK's protocol stubs importable without importing the SDK itself, for a quick start.

Importing `pulumi.runtime.proto` normally runs `pulumi/__init__.py`, which loads the whole SDK: three times
the time that the stubs need. A resource plugin needs the stubs only.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path


def only_the_protocol() -> None:
    """Let `import pulumi.runtime.proto` load the stubs alone.

    To be called first thing in a process that never needs the rest of the SDK; does nothing where the SDK is
    already imported.
    """
    if "pulumi" in sys.modules:
        return
    spec = importlib.util.find_spec("pulumi")
    if spec is None or spec.origin is None:
        return
    folder = Path(spec.origin).parent
    for name, path in (("pulumi", folder), ("pulumi.runtime", folder / "runtime")):
        package = types.ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package
