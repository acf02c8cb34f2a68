"""Several configuration files as one: what adds up, what is put together by key, and what the last file decides.

Prompts, providers, tests, scenarios and output paths add up in the order of the files. Maps of settings are put
together key by key, and the later file wins. Descriptions are joined.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, TypeVar

from sagemaker_eval.config.schema import CommandLineOptions, ConfigEntry, Entry, EvaluateOptions
from sagemaker_eval.model import Json, TestCase

E = TypeVar("E", bound=Entry)

_ADDED_UP = frozenset({"extensions", "derivedMetrics", "outputPath", "prompts", "providers", "scenarios", "tests"})
_BY_KEY = frozenset({"commandLineOptions", "env", "evaluateOptions", "filters", "metadata", "nunjucksFilters", "tags"})
_BY_KEY_IN_A_TEST = frozenset({"metadata", "options", "vars"})


def merged_documents(documents: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    """The documents of all files as one, for the record of a run; `targets` become `providers` where there are two."""
    if len(documents) == 1:
        return dict(documents[0])
    renamed = ({"providers" if key == "targets" else key: value for key, value in one.items()} for one in documents)
    return reduce(_merged_maps, renamed, {})


def _merged_maps(earlier: dict[str, Json], later: Mapping[str, Json]) -> dict[str, Json]:
    merged = dict(earlier)
    for key, value in later.items():
        if value is not None:
            merged[key] = value if merged.get(key) is None else _merged_value(key, merged[key], value)
    return merged


def _merged_value(key: str, earlier: Json, later: Json) -> Json:
    both_maps = isinstance(earlier, Mapping) and isinstance(later, Mapping)
    if key == "description":
        return f"{earlier}, {later}"
    if key == "defaultTest":
        return _merged_default(earlier, later) if both_maps else later if isinstance(later, str) else earlier
    if both_maps and (key in _BY_KEY or key == "prompts"):
        return {**earlier, **later}
    if key in _ADDED_UP:
        return [*_as_list(earlier), *_as_list(later)]
    return later


def _merged_default(earlier: Mapping[str, Json], later: Mapping[str, Json]) -> dict[str, Json]:
    merged = {**earlier, **later}
    for key in _BY_KEY_IN_A_TEST:
        maps = [one[key] for one in (earlier, later) if isinstance(one.get(key), Mapping)]
        if len(maps) == 2:
            merged[key] = {**maps[0], **maps[1]}
    lists = [one["assert"] for one in (earlier, later) if isinstance(one.get("assert"), list)]
    return {**merged, "assert": [*lists[0], *lists[1]]} if len(lists) == 2 else merged


def _as_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def merged_entries(entries: Sequence[ConfigEntry]) -> ConfigEntry:
    """The plain settings of all files; what the files list (prompts, tests and the like) is left out of several."""
    if len(entries) == 1:
        return entries[0]
    settings = {
        "description": ", ".join(entry.description for entry in entries if entry.description) or None,
        "tags": _by_key(entry.tags for entry in entries),
        "metadata": _by_key(entry.metadata for entry in entries),
        "evaluate_options": _later_wins(EvaluateOptions, (entry.evaluate_options for entry in entries)),
        "command_line_options": _later_wins(CommandLineOptions, (entry.command_line_options for entry in entries)),
        "cache": _last(entry.cache for entry in entries),
        "max_error_rate": _last(entry.max_error_rate for entry in entries),
    }
    return ConfigEntry().model_copy(update=settings)


def _by_key(maps: Iterable[Mapping[str, Json] | None]) -> dict[str, Json]:
    return {key: value for one in maps for key, value in (one or {}).items()}


def _later_wins(model: type[E], blocks: Iterable[E | None]) -> E:
    set_here = {
        name: value
        for block in blocks
        if block is not None
        for name in model.model_fields
        if (value := getattr(block, name)) is not None
    }
    return model().model_copy(update=set_here)


def _last(values: Iterable[Any]) -> Any:
    said = [value for value in values if value is not None]
    return said[-1] if said else None


def merged_default_tests(tests: Iterable[TestCase]) -> TestCase:
    """What all tests start from: variables, options and metadata by key, assertions added up, the rest from the last
    that says something.
    """
    return reduce(_merged_tests, tests, TestCase())


def _merged_tests(earlier: TestCase, later: TestCase) -> TestCase:
    changes: dict[str, Any] = {"assertions": earlier.assertions + later.assertions}
    for field in dataclasses.fields(TestCase):
        before, after = getattr(earlier, field.name), getattr(later, field.name)
        if field.name in _BY_KEY_IN_A_TEST:
            changes[field.name] = {**before, **after}
        elif field.name not in changes:
            changes[field.name] = before if after is None else after
    return TestCase(**changes)
