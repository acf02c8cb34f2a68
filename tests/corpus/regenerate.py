"""Ask promptfoo itself what it makes of each entry of the corpus, and write its answers down.

    python tests/corpus/regenerate.py [ENTRY ...]

Without names every entry is run anew. The tests never run this: they read the `expected.json` files that it writes.
It needs Node 22.22 or later and promptfoo 0.123.1 on PATH, for example out of a scratch folder:

    npm install node@22 promptfoo@0.123.1 && export PATH="$PWD/node_modules/.bin:$PATH"
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parent
PROMPTFOO = "0.123.1"
NODE = (22, 22)
SECONDS_PER_ENTRY = 120
OPTIONS = ("--no-cache", "--no-table", "--no-progress-bar", "-j", "1", "-o", "out.json")
_OF_THE_RUN = {"__evalId", "__evalStepId", "__repeatIndex", "_conversation"}


def main(names: Sequence[str]) -> int:
    """Run the entries `names`, or all; 2 where something that is needed is missing."""
    missing = _what_is_missing()
    if missing:
        sys.stderr.write(f"error: {missing}\n{__doc__}")
        return 2
    folders = [CORPUS / name for name in names] or entries()
    for folder in folders:
        if not folder.is_dir():
            sys.stderr.write(f"error: there is no entry `{folder.name}`\n")
            return 2
    for folder in folders:
        expected = ask(folder)
        (folder / "expected.json").write_text(json.dumps(expected, indent=2, ensure_ascii=False) + "\n", "utf-8")
        sys.stdout.write(f"{folder.name}: {_in_words(expected)}\n")
        sys.stdout.flush()
    return 0


def entries() -> list[Path]:
    """The folders of the corpus, in the order of their names."""
    return sorted(path for path in CORPUS.iterdir() if path.is_dir() and not path.name.startswith(("_", ".")))


def ask(entry: Path) -> dict[str, Any]:
    """What promptfoo makes of an entry: `{"cells": […]}`, or `{"refused": true}` where it wrote no results."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve() / "work"
        shutil.copytree(entry, folder)
        command = _command_line(folder)
        subprocess.run(
            ["promptfoo", "eval", *command["arguments"], *OPTIONS],
            cwd=folder,
            env=_environment(folder.parent, command["environment"]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS_PER_ENTRY,
            check=False,
        )
        written = folder / "out.json"
        if not written.exists():
            return {"refused": True}
        text = written.read_text("utf-8").replace(str(folder), ".")
    return {"cells": sorted(map(_cell, json.loads(text)["results"]["results"]), key=_place)}


def _command_line(folder: Path) -> dict[str, Any]:
    path = folder / "arguments.json"
    given = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {"arguments": ["-c", "promptfooconfig.yaml"], "environment": {}} | given


def _environment(scratch: Path, extra: dict[str, str]) -> dict[str, str]:
    """Nothing of whoever runs this but PATH; nothing written but below `scratch`; nothing sent anywhere."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(scratch / "home"),
        "TMPDIR": str(scratch),
        "PROMPTFOO_CONFIG_DIR": str(scratch / "promptfoo"),
        "PROMPTFOO_PYTHON": sys.executable,
        "PROMPTFOO_DISABLE_TELEMETRY": "1",
        "PROMPTFOO_DISABLE_UPDATE": "1",
        "PROMPTFOO_DISABLE_SHARING": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        **extra,
    }


def _cell(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "testIdx": row["testIdx"],
        "promptIdx": row["promptIdx"],
        "provider": row["provider"].get("label") or row["provider"]["id"],
        "prompt": row["prompt"]["raw"],
        "vars": {name: value for name, value in row["vars"].items() if name not in _OF_THE_RUN},
        "output": (row.get("response") or {}).get("output"),
        "success": row["success"],
        "score": row["score"],
        "failureReason": row["failureReason"],
        "namedScores": row["namedScores"],
        "error": row["failureReason"] == 2,
    }


def _place(cell: dict[str, Any]) -> tuple[int, int]:
    return cell["testIdx"], cell["promptIdx"]


def _in_words(expected: dict[str, Any]) -> str:
    return "refused" if "refused" in expected else f"{len(expected['cells'])} cells"


def _what_is_missing() -> str | None:
    node = tuple(int(part) for part in re.findall(r"\d+", _version("node"))[:2])
    if node < NODE:
        return f"Node {'.'.join(map(str, NODE))} or later is not on PATH"
    if _version("promptfoo") != PROMPTFOO:
        return f"promptfoo {PROMPTFOO} is not on PATH"
    return None


def _version(program: str) -> str:
    """What `program --version` prints, empty where it does not run."""
    quiet = {**os.environ, "PROMPTFOO_DISABLE_UPDATE": "1", "PROMPTFOO_DISABLE_TELEMETRY": "1"}
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, env=quiet, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
