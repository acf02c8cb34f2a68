"""Who judges: the `provider` of an assertion, or of a test's options, as one provider for each role."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sagemaker_eval.config.explaining import KeyProblem, listed, misshapen
from sagemaker_eval.config.file_values import assertion_value
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.slips import nearest_key
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import EMPTY, Json, Place, ProviderSpec, UserCode

ROLES = ("text", "embedding", "classification", "moderation")
ANY_ROLE = "any"
"""The role of a provider that is named without one."""

Build = Callable[[Json, Place], ProviderSpec]
"""The provider that an id, a label or an object means. Raises `ConfigError`."""


def read_graders(raw: Json, where: Place, build: Build) -> Mapping[str, ProviderSpec]:
    """Providers by role: one for any role, or a map of roles. Raises `ConfigError`."""
    if raw is None:
        return EMPTY
    if isinstance(raw, str):
        return {ANY_ROLE: build(raw, where)}
    if not isinstance(raw, Mapping):
        raise misshapen("a provider, or a map of roles", raw, where)
    roles = [key for key in raw if key in ROLES]
    if not roles:
        return {ANY_ROLE: build(raw, where)}
    problems = Problems()
    for key in raw:
        if key not in ROLES:
            nearest = nearest_key(key, ROLES)
            hint = f"did you mean `{nearest}`?" if nearest else f"the roles are {listed(ROLES)}"
            problems.keep(KeyProblem(f"unknown role `{key}` of a grader", within(where, key), hint))
    built = problems.attempt_each(roles, lambda role: (role, build(raw[role], within(where, role))))
    problems.check()
    return dict(built)


def read_rubric_prompt(raw: Json, where: Place, base_path: str) -> Json:
    """A grader's prompt: text, chat messages, or several prompts in a list or a map; `file://` names are read."""
    if isinstance(raw, str):
        return _text(raw, where, base_path)
    if isinstance(raw, list):
        return [_text(part, within(where, index), base_path) for index, part in enumerate(raw)]
    if isinstance(raw, Mapping):
        return {key: _text(part, within(where, key), base_path) for key, part in raw.items()}
    raise misshapen("text, a list or a map", raw, where)


def _text(value: Json, where: Place, base_path: str) -> Json:
    read = assertion_value(value, base_path, where)
    if isinstance(read, UserCode):
        raise ConfigError.of("a grader's prompt cannot be a script", where, "give it as text, .txt, .json or .yaml")
    return read
