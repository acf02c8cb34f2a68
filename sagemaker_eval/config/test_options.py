"""`options` of a test: its switches checked, its output transform as code, everything else as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sagemaker_eval.config.explaining import KeyProblem, check, not_yet_supported
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.schema import TestOptions
from sagemaker_eval.model import EMPTY, Json, Place, UserCode


def read_options(raw: Json, where: Place, base_path: str, notice: Callable[[str], None]) -> Mapping[str, Json]:
    """The options that are set, with `transform` as a `UserCode`. Raises `ConfigError`."""
    if raw is None:
        return EMPTY
    problems = Problems()
    known = problems.attempt(lambda: check(TestOptions, raw, where))
    for key in sorted(TestOptions.later.intersection(raw)) if isinstance(raw, Mapping) else ():
        if not _is_embedding_choice(key, raw[key]):
            problems.keep(not_yet_supported(key, within(where, key)))
    if known and known.transform and known.postprocess:
        hint = "keep `transform`: `postprocess` is its old name"
        problem = KeyProblem("`transform` and `postprocess` stand side by side", within(where, "postprocess"), hint)
        problems.keep(problem)
    problems.check()
    assert known is not None
    options = {key: value for key, value in known.model_dump(by_alias=True).items() if value is not None}
    for key in ("transform", "postprocess"):
        if key in options:
            options["transform"] = UserCode(options.pop(key), base_path, within(where, key))
            if key == "postprocess":
                notice("`postprocess` is the old name of `transform`: it has the same effect")
    return options


def _is_embedding_choice(key: str, value: Json) -> bool:
    """Whether an option only names the embedding endpoint of similarity assertions.

    It decides nothing for any other assertion, so that it can stand in a configuration without being passed over.
    """
    return key == "provider" and isinstance(value, Mapping) and set(value) == {"embedding"}
