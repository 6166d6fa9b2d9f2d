"""What the engine starts: the plugin's folder is what programs in other languages name, the code is beside it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from components.plugin.server import serve
from kafka_ha import __version__

serve(__version__, sys.argv[1])
