"""`options` of a test: its switches checked, code and graders made out, everything else as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sagemaker_eval.config.explaining import KeyProblem, check, located
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.grader_choice import Build, read_graders, read_rubric_prompt
from sagemaker_eval.config.places import within
from sagemaker_eval.config.schema import TestOptions
from sagemaker_eval.config.slips import slip_of
from sagemaker_eval.model import EMPTY, Json, Place, UserCode


def read_options(
    raw: Json, where: Place, base_path: str, build_grader: Build, notice: Callable[[str], None]
) -> Mapping[str, Json]:
    """The options that are set: code as `UserCode`, `provider` as providers by role. Raises `ConfigError`."""
    if raw is None:
        return EMPTY
    problems = Problems()
    known = problems.attempt(lambda: check(TestOptions, raw, where))
    written = raw if isinstance(raw, Mapping) else {}
    graders = problems.attempt(lambda: read_graders(written.get("provider"), within(where, "provider"), build_grader))
    rubric = written.get("rubricPrompt")
    if rubric is not None:
        place = within(where, "rubricPrompt")
        rubric = problems.attempt(lambda: read_rubric_prompt(rubric, place, base_path))
    if known and known.transform and known.postprocess:
        hint = "keep `transform`: `postprocess` is its old name"
        problem = KeyProblem("`transform` and `postprocess` stand side by side", within(where, "postprocess"), hint)
        problems.keep(problem)
    problems.check()
    assert known is not None
    for key in known.model_extra or ():
        if (meant := slip_of(key, TestOptions.known_keys())) is not None:
            at = located(KeyProblem("", within(where, key)))
            notice(f"{at}: `{key}` is no option of a test that has an effect; did you mean `{meant}`?")
    shaped_elsewhere = {"provider", "rubric_prompt"}
    options = known.model_dump(by_alias=True, exclude_none=True, exclude=shaped_elsewhere)
    options |= {key: value for key, value in (("provider", graders), ("rubricPrompt", rubric)) if value}
    return _with_code(options, where, base_path, notice)


def _with_code(
    options: dict[str, Json], where: Place, base_path: str, notice: Callable[[str], None]
) -> Mapping[str, Json]:
    for key in ("transform", "postprocess", "transformVars"):
        if key in options:
            name = "transform" if key == "postprocess" else key
            options[name] = UserCode(options.pop(key), base_path, within(where, key))
            if key == "postprocess":
                notice("`postprocess` is the old name of `transform`: it has the same effect")
    return options
