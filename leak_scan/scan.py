#!/usr/bin/env python3
"""Runs the leak scan from a checkout, with nothing to install."""

from __future__ import annotations

import sys
from pathlib import Path

# `python3 -I` leaves out the folder it is started in, which may hold anything, and this one too.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from coze_leak_scan.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
