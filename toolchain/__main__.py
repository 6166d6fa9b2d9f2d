"""`python -m toolchain`: the fast paths answer without loading what only work needs."""

from __future__ import annotations

import os
import sys

from toolchain import quick


def main() -> None:
    """Answers at once where nothing is to be done, else hands over to the command line."""
    code = quick.answer(sys.argv[1:], os.environ)
    if code is None:
        from toolchain.cli import run

        code = run()
    sys.exit(code)


if __name__ == "__main__":
    main()
