"""What `sageval list` shows."""

from __future__ import annotations

import inspect
import textwrap

from sagemaker_eval.assertions.base import ASSERTIONS, COMPARISONS
from sagemaker_eval.cli.preparing import REGISTERED
from sagemaker_eval.cli.streams import stdout, writing_to_stdout
from sagemaker_eval.config.assertion_specs import SET

assert REGISTERED

_SET_HELP = "All assertions under `assert` pass, or their score reaches the set's `threshold`."
_NARROWEST = 40


def list_assertions() -> None:
    """Print each type and the first paragraph of its help, in the order of their names."""
    helps = {name: _summary(ASSERTIONS.get(name)) for name in ASSERTIONS}
    helps |= {name: _summary(COMPARISONS.get(name)) for name in COMPARISONS} | {SET: _SET_HELP}
    console = stdout()
    margin = max(map(len, helps)) + 2
    width = max(console.width - margin, _NARROWEST)
    with writing_to_stdout():
        for name in sorted(helps):
            first, *more = textwrap.wrap(helps[name], width) or [""]
            console.print(f"{name:<{margin}}{first}", markup=False, highlight=False, soft_wrap=True)
            for line in more:
                console.print(f"{'':<{margin}}{line}", markup=False, highlight=False, soft_wrap=True)
        console.print("\n`not-` before a type turns it round.", markup=False, highlight=False)


def _summary(entry: object) -> str:
    paragraph = (inspect.getdoc(entry) or "").split("\n\n")[0]
    return " ".join(paragraph.split())
