"""Whether parts belong together, and what they lack of the whole run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.running.merge_parts import Part
from sagemaker_eval.running.run_record import ColumnRecord, RunRecord

_OF_ONE_RUN = ("description", "tags", "outputPath")
"""Members of a configuration that parts of one run may differ in."""

_OF_ONE_PART = ("shard", "cache", "maxConcurrency")
"""Options of a run that its parts may differ in."""

_CHOOSING = ("filters", "failing", "errors_only", "variables", "repeat", "grader")
"""Options of a command that decide which cases there are."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What parts lack of the whole run: shards by their numbers of `shards`, and cases."""

    shards: tuple[int, ...] = ()
    of: int = 0
    unfinished: tuple[str, ...] = ()
    """The parts that have cases without a result."""

    def __bool__(self) -> bool:
        return bool(self.shards or self.unfinished)

    def __str__(self) -> str:
        told = list(self.unfinished)
        if self.shards:
            word, verb = ("shard", "is") if len(self.shards) == 1 else ("shards", "are")
            told.insert(0, f"{word} {', '.join(map(str, self.shards))} of {self.of} {verb} missing")
        return "; ".join(told)


def missing_of(parts: Sequence[Part]) -> Missing:
    """What parts of one run lack. Rows without a document cannot tell."""
    if any(part.knows and part.shard is None for part in parts):
        whole = sum(next(part.planned for part in parts if part.knows))
        lost = whole - len({slot for part in parts for slot in part.slots()})
        return Missing(unfinished=(f"{lost:,} of {whole:,} cases have no result",) if lost > 0 else ())
    shards: dict[int, list[Part]] = {}
    count = 0
    for part in parts:
        if part.shard is not None:
            count = int(part.shard["count"])
            shards.setdefault(int(part.shard["index"]), []).append(part)
    absent = tuple(number for number in range(1, count + 1) if number not in shards)
    unfinished = []
    for number, same in sorted(shards.items()):
        done, planned = max(part.finished for part in same), same[0].record.total
        if done < planned:
            unfinished.append(f"shard {number} of {count} has {done:,} of {planned:,} cases")
    return Missing(absent, count, tuple(unfinished))


def refuse_mixture(parts: Sequence[Part]) -> None:
    """Raise `ConfigError` where parts are not of one run: other columns, another configuration, another split."""
    knowing = [part for part in parts if part.knows]
    first = knowing[0] if knowing else parts[0]
    for part in parts:
        if part is first:
            continue
        difference = _difference(first, part) if part.knows else _strange_rows(first, part)
        if difference:
            raise ConfigError.of(
                f"`{first.name}` and `{part.name}` do not belong together: {difference}",
                hint="merge runs of one configuration, made with the same options",
            )
    shards = [part for part in parts if part.shard is not None]
    for part in shards[1:]:
        _refuse_other_shards(shards[0], part)


def _refuse_other_shards(first: Part, part: Part) -> None:
    one, other = first.shard or {}, part.shard or {}
    names = f"`{first.name}` and `{part.name}`"
    if one["count"] != other["count"]:
        raise ConfigError.of(
            f"{names} are shards of different splits: {one['index']}/{one['count']} and "
            f"{other['index']}/{other['count']}",
            hint="merge all shards of one split",
        )
    if one["suite"] != other["suite"]:
        raise ConfigError.of(
            f"{names} are shards of different tests",
            hint="run all shards from the same files and options; a sample needs `--filter-sample-seed`",
        )
    if one["split"] != other["split"]:
        raise ConfigError.of(
            f"{names} were split by different latencies", hint="give all shards the same `--shard-from`"
        )


def _difference(first: Part, other: Part) -> str | None:
    """What tells that two parts are of different runs; None where nothing does."""
    if _named(first.record.columns) != _named(other.record.columns):
        return "their providers or prompts differ"
    if set(first.record.var_names) != set(other.record.var_names):
        return "the variables of their tests differ"
    one, two = _configuration(first.record), _configuration(other.record)
    if key := next((key for key in sorted({*one, *two}) if one.get(key) != two.get(key)), None):
        return f"their configurations differ in `{key}`"
    one, two = _options(first.record), _options(other.record)
    if key := next((key for key in sorted({*one, *two}) if one.get(key) != two.get(key)), None):
        return f"their options differ in `{key}`"
    path = next((path for path, digest in first.record.files.items() if _changed(other.record, path, digest)), None)
    if path is not None:
        return f"`{path}` was changed between them"
    if first.record.command and other.record.command:
        for option in _CHOOSING:
            if first.record.command.get(option) != other.record.command.get(option):
                return f"their options differ in `{option}`"
    if first.planned != other.planned and not (first.shard and other.shard):
        return f"one has {sum(first.planned):,} cases, the other {sum(other.planned):,}"
    return None


def _named(columns: Sequence[ColumnRecord]) -> list[tuple[str, str]]:
    return [(column.prompt_id, column.provider_name) for column in columns]


def _configuration(record: RunRecord) -> dict[str, Any]:
    return {key: value for key, value in json.loads(json.dumps(record.config)).items() if key not in _OF_ONE_RUN}


def _options(record: RunRecord) -> dict[str, Any]:
    return {key: value for key, value in record.options.items() if key not in _OF_ONE_PART}


def _changed(record: RunRecord, path: str, digest: str) -> bool:
    return record.files.get(path, digest) != digest


def _strange_rows(first: Part, rows: Part) -> str | None:
    """Why rows without a document are not those of a run."""
    width = len(first.record.columns)
    if len(rows.record.columns) > width or (not first.knows and len(rows.record.columns) != width):
        return "one has more columns than the other"
    for mine, theirs in zip(first.record.columns, rows.record.columns, strict=False):
        if theirs.prompt_id and (mine.prompt_id, mine.provider_name) != (theirs.prompt_id, theirs.provider_name):
            return "their providers or prompts differ"
    return None
