"""The top level of a document: which of its keys count, and the plain settings among them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from sagemaker_eval.config import keys
from sagemaker_eval.config.anchors import anchored_keys
from sagemaker_eval.config.config_file import ConfigFile
from sagemaker_eval.config.explaining import KeyProblem, check, listed, misshapen
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.places import within
from sagemaker_eval.config.schema import ConfigEntry
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place

_WITHOUT_EFFECT: Mapping[str, frozenset[str]] = {
    "commandLineOptions": keys.NO_EFFECT_COMMAND_LINE_OPTIONS,
    "evaluateOptions": keys.NO_EFFECT_EVALUATE_OPTIONS,
}

_ELSEWHERE = {
    "config": "give `--config`: the files are chosen before any of them is read",
    "prompts": "write them under `prompts` at the top level",
    "providers": "write them under `providers` at the top level; `filterProviders` runs some of them",
    "tests": "write them under `tests` at the top level",
    "vars": "write the tests under `tests` at the top level; variables for all of them are `var`",
}
"""Options that would make a configuration override itself, and where to say it instead."""

_SYNONYMS = (("envPath", "envFile"), ("filterProviders", "filterTargets"))


def read_top_level(document: Mapping[str, Json], written: ConfigFile, notice: Callable[[str], None]) -> ConfigEntry:
    """The document as an entry, without the keys that are the user's own or out of scope. Raises `ConfigError`."""
    free = {key for key in document if key.startswith("x-") or key == "$schema"}
    for key in sorted(keys.OUT_OF_SCOPE.intersection(document)):
        notice(f"`{key}` is out of scope for sageval: it has no effect")
    known = {*ConfigEntry.known_keys(), *ConfigEntry.later, *keys.OUT_OF_SCOPE}
    free |= written.shared_keys - known
    if not known.union(free).issuperset(document):
        free |= anchored_keys(written.text) - known
    kept = {key: value for key, value in document.items() if key not in free and key not in keys.OUT_OF_SCOPE}
    problems = Problems()
    for name in _WITHOUT_EFFECT.keys() & kept.keys():
        kept[name] = _heeded(kept[name], within(written.where, name), notice, problems)
    entry = problems.attempt(lambda: check(ConfigEntry, kept, written.where))
    problems.check()
    assert entry is not None
    return entry


def _heeded(block: Json, where: Place, notice: Callable[[str], None], problems: Problems) -> Json:
    """A block of options without those that have no effect, which are told, and those that cannot stand there."""
    if not isinstance(block, Mapping):
        return block
    name = str(where.pointer[-1])
    ignored = _WITHOUT_EFFECT[name].intersection(block)
    misplaced = {key for key in _ELSEWHERE.keys() & block.keys() if name == "commandLineOptions"}
    for key in sorted(ignored):
        notice(f"`{name}.{key}` is out of scope for sageval: it has no effect")
    for key in misplaced:
        problems.keep(KeyProblem(f"`{key}` cannot be set in `{name}`", within(where, key), _ELSEWHERE[key]))
    for one, other in _SYNONYMS:
        if block.get(one) is not None and block.get(other) is not None:
            hint = f"keep one of them: `{other}` is another name for `{one}`"
            problems.keep(KeyProblem(f"`{one}` and `{other}` stand side by side", within(where, other), hint))
    return {key: value for key, value in block.items() if key not in ignored | misplaced}


def named_providers(document: Mapping[str, Json], where: Place) -> tuple[Json, Place]:
    """`providers`, or `targets`, its other name, and where it stands; None for neither. Raises for both."""
    present = [key for key in ("providers", "targets") if document.get(key) is not None]
    if len(present) > 1:
        hint = "keep one of them: `targets` is another name for `providers`"
        raise ConfigError.of("`providers` and `targets` stand side by side", within(where, "targets"), hint)
    key = present[0] if present else "providers"
    return document.get(key), within(where, key)


def placed_paths(source: Json, where: Place) -> list[tuple[Json, Place]]:
    """Each path of a text or a list, with its place; none where there is neither."""
    if isinstance(source, list):
        return [(path, within(where, index)) for index, path in enumerate(source)]
    return [] if source is None else [(source, where)]


def output_paths(paths: Sequence[tuple[Json, Place]], names: KnownNames) -> tuple[str, ...]:
    """The files to write, each once. Raises `ConfigError` for what is no path and for unknown endings."""
    problems = Problems()
    checked = problems.attempt_each(paths, lambda item: _output_path(item[0], item[1], names))
    problems.check()
    return tuple(dict.fromkeys(checked))


def _output_path(path: Json, where: Place, names: KnownNames) -> str:
    if not isinstance(path, str):
        raise misshapen("a path", path, where)
    name = os.path.basename(path).lower()
    if not name.endswith(names.outputs):
        ending = os.path.splitext(name)[1]
        what = f"`{path}` has the unknown ending `{ending}`" if ending else f"`{path}` has no ending"
        raise ConfigError.of(what, where, f"the ending picks the format: {listed(names.outputs)}")
    return path
