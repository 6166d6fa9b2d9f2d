"""Where Pulumi starts the policy pack, and `python -m policies check` the command; it builds the one or calls the
other, nothing else.
"""

import sys
from pathlib import Path

if __package__ == "policies":
    from policies.check import main

    sys.exit(main())

# Pulumi runs this folder by its path: its modules are found as `policies` from the folder above.
_HERE = Path(__file__).resolve().parent
sys.path[:] = [str(_HERE.parent), *(entry for entry in sys.path if Path(entry).resolve() != _HERE)]

from pulumi_policy import PolicyPack  # noqa: E402

from policies.pack import NAME, policies  # noqa: E402
from policies.refusal import refuse_mistakes  # noqa: E402
from policies.session import Session  # noqa: E402

session = Session()
refuse_mistakes(session)
PolicyPack(NAME, policies(session))
