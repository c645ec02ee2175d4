"""The modules beside this file import each other by their own names, as the script generate.py does."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
