"""What `sageval validate` does: what comes before the first call of a run, and a line about what there is."""

from __future__ import annotations

from sagemaker_eval.cli.ending import refuse_unwritable
from sagemaker_eval.cli.exit_codes import FINE
from sagemaker_eval.cli.preparing import Prepared, prepared
from sagemaker_eval.cli.requests import EvalRequest
from sagemaker_eval.cli.streams import stdout, writing_to_stdout
from sagemaker_eval.reporting.figures import counted


def validate(request: EvalRequest) -> int:
    """Check, and say what was found. `request.check_only` keeps AWS out of it. Raises `ConfigError`."""
    with prepared(request) as run:
        refuse_unwritable(run.suite.output_paths)
        _tell_of_unasserted(run)
        line = f"valid: {', '.join(_counts(run))}"
    with writing_to_stdout():
        stdout().print(line, soft_wrap=True, highlight=False)
    return FINE


def _counts(run: Prepared) -> list[str]:
    suite = run.suite
    assertions = sum(len(test.assertions) for test in suite.tests)
    return [
        counted(len(suite.providers), "provider"),
        counted(len(suite.prompts), "prompt"),
        counted(len(suite.tests), "test"),
        counted(run.plan.total, "case"),
        counted(assertions, "assertion"),
    ]


def _tell_of_unasserted(run: Prepared) -> None:
    tests = len(run.suite.tests)
    if bare := run.plan.unasserted:
        what = (
            "no test has"
            if bare == tests
            else f"{bare:,} of {counted(tests, 'test')} {'has' if bare == 1 else 'have'} no"
        )
        which = "an assertion" if bare == tests else "assertion"
        run.notices(f"{what} {which}: answers are shown and not judged")
