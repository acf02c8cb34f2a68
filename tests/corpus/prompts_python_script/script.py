"""Writes a prompt for the variables given as the first argument."""

from __future__ import annotations

import json
import sys

context = json.loads(sys.argv[1])
sys.stdout.write(f"Where does the {context['vars']['river']} rise, and where does {{{{river}}}} end?\n")
