from __future__ import annotations

import sys
from pathlib import Path

# The tests of the kernel share layer_cases.py.
sys.path.insert(0, str(Path(__file__).parent))
