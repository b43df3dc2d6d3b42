"""``python -m mlda_core.cli``: run the command without its entry point."""

import sys

from mlda_core.cli.main import app

sys.exit(app())
