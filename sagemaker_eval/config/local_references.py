"""`$ref: '#/…'`: a value that is written once and used in several places.

A map with `$ref` becomes the value that its pointer leads to. Keys beside `$ref` win over the same keys of that value,
which must be a map then. Left as they are: the `parameters` of a provider's functions and tools, which are JSON
Schema, and a `$ref` into `$defs` or `definitions` that the document lacks and a map around it has.
"""

from __future__ import annotations

from dataclasses import dataclass

from sagemaker_eval.config.explaining import describe, listed, misshapen, shortened
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.json_pointers import MOST_HOPS, REFERENCE, pointer_steps, pointer_text, step_within
from sagemaker_eval.config.places import within
from sagemaker_eval.config.yaml_composer import MAX_DEPTH
from sagemaker_eval.config.yaml_places import Pointer
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place
from sagemaker_eval.registry import nearest_name

_MOST_REPEATED = 1_000_000
"""Values that the references of a document may repeat, as far as its own length allows no more."""

_OWN_DEFINITIONS = frozenset({"$defs", "definitions"})
_LOCAL = "write a pointer into this file, for example `#/assertionTemplates/short`"


@dataclass(frozen=True, slots=True)
class Expanded:
    """A document without references, and the keys at its top level that they lead to."""

    document: Json
    shared_keys: frozenset[str] = frozenset()


def expand_references(document: Json, path: str, text: str) -> Expanded:
    """The document of the file `path`, whose text is `text`, with every local reference expanded.

    The values that references share are the same objects. Raises `ConfigError` with every reference that leads to
    another file, to nothing or back to itself.
    """
    if REFERENCE not in text:
        return Expanded(document)
    expansion = _Expansion(document, path, max(_MOST_REPEATED, len(text)))
    expanded = expansion.value(document, (), 0)
    expansion.problems.check()
    return Expanded(expanded, frozenset(expansion.shared_keys))


class _Expansion:
    """One document on its way. `level` is how deep a value will lie in the expanded document."""

    def __init__(self, document: Json, path: str, most_repeated: int) -> None:
        self.problems = Problems()
        self.shared_keys: set[str] = set()
        self._document = document
        self._file = Place(path)
        self._most_repeated = most_repeated
        self._repeated = 0
        self._found: dict[tuple[str, ...], Json] = {}
        self._open: list[tuple[str, ...]] = []
        self._extents: dict[int, tuple[Json, int, int]] = {}

    def value(self, written: Json, pointer: Pointer, level: int) -> Json:
        """`written` with its references expanded: the same object where it has none."""
        if not isinstance(written, dict | list):
            return written
        if isinstance(written, dict) and REFERENCE in written:
            return self.problems.attempt(lambda: self._referred(written, pointer, level))
        expanded = written
        for step, inner in written.items() if isinstance(written, dict) else enumerate(written):
            place = (*pointer, step)
            if isinstance(inner, dict | list) and not _is_function_schema(place):
                value = self.value(inner, place, level + 1)
                if value is not inner:
                    expanded = written.copy() if expanded is written else expanded
                    expanded[step] = value
        return expanded

    def _referred(self, written: dict[str, Json], pointer: Pointer, level: int) -> Json:
        where = within(self._file, *pointer, REFERENCE)
        steps = _steps(written[REFERENCE], where)
        if self._is_own(steps, pointer):
            return written
        self.shared_keys.update(steps[:1])
        target = self._target(steps, where, level)
        self._bound(target, level, where)
        beside = {
            key: self.value(inner, (*pointer, key), level + 1) for key, inner in written.items() if key != REFERENCE
        }
        if not beside:
            return target
        if not isinstance(target, dict):
            message = f"keys stand beside `$ref`, which leads to {describe(target)}: only maps can be put together"
            raise ConfigError.of(message, where, "take the other keys out")
        return {**beside, **{key: inner for key, inner in target.items() if key not in beside}}

    def _target(self, steps: tuple[str, ...], where: Place, level: int) -> Json:
        if steps in self._found:
            return self._found[steps]
        if steps in self._open:
            message = f"`$ref` leads to a value that it stands in: `{pointer_text(steps)}`"
            raise ConfigError.of(message, where, "break the circle: a value cannot contain itself")
        if len(self._open) >= MOST_HOPS:
            raise ConfigError.of(f"more than {MOST_HOPS} references lead to one another", where)
        if level >= MAX_DEPTH:
            raise _too_deep(where)
        self._open.append(steps)
        try:
            target = self._resolved(steps, where, level)
        finally:
            self._open.pop()
        self._found[steps] = target
        return target

    def _resolved(self, steps: tuple[str, ...], where: Place, level: int) -> Json:
        """The expanded value that `steps` lead to; on the way they may pass other references."""
        value, is_expanded = self._document, False
        at: Pointer = ()
        for number, step in enumerate(steps):
            if not is_expanded and isinstance(value, dict) and REFERENCE in value and step not in value:
                value, is_expanded = self.value(value, at, level), True
            key = step_within(value, step)
            if key is None:
                raise _leads_nowhere(steps, number, value, where)
            value, at = value[key], (*at, key)
        return value if is_expanded else self.value(value, at, level)

    def _is_own(self, steps: tuple[str, ...], pointer: Pointer) -> bool:
        """Whether a reference is that of a JSON Schema around it, which has the definitions that it leads to."""
        if not steps or steps[0] not in _OWN_DEFINITIONS or steps[0] in self._document:
            return False
        value = self._document
        for step in pointer:
            value = value[step]
            if isinstance(value, dict) and steps[0] in value:
                return True
        return False

    def _bound(self, target: Json, level: int, where: Place) -> None:
        values, depth = self._extent(target)
        self._repeated += values
        if self._repeated > self._most_repeated:
            raise ConfigError.of(f"references expand to more than {self._most_repeated:,} values", where)
        if level + depth > MAX_DEPTH:
            raise _too_deep(where)

    def _extent(self, value: Json) -> tuple[int, int]:
        """How many values `value` holds, itself included, and how many levels."""
        if not isinstance(value, list | dict):
            return 1, 0
        if id(value) not in self._extents:
            children = [self._extent(child) for child in (value.values() if isinstance(value, dict) else value)]
            values = 1 + sum(inner for inner, _ in children)
            depth = 1 + max((inner for _, inner in children), default=0)
            self._extents[id(value)] = value, values, depth
        return self._extents[id(value)][1:]


def _steps(reference: Json, where: Place) -> tuple[str, ...]:
    if not isinstance(reference, str):
        raise misshapen("a pointer such as `#/assertionTemplates/short`", reference, where)
    steps = pointer_steps(reference)
    if steps is None:
        raise ConfigError.of(f"`$ref` to `{shortened(reference)}`, outside this file, is not supported", where, _LOCAL)
    return steps


def _too_deep(where: Place) -> ConfigError:
    return ConfigError.of(f"values are nested more than {MAX_DEPTH} levels deep", where)


def _leads_nowhere(steps: tuple[str, ...], number: int, value: Json, where: Place) -> ConfigError:
    known = tuple(value) if isinstance(value, dict) else ()
    nearest = nearest_name(steps[number], known)
    if nearest is not None:
        hint = f"did you mean `{pointer_text((*steps[:number], nearest, *steps[number + 1 :]))}`?"
    elif isinstance(value, list):
        hint = f"`{pointer_text(steps[:number])}` is a list of {len(value)}, counted from 0"
    else:
        hint = f"`{pointer_text(steps[:number])}` has " + (f"the keys {listed(known)}" if known else "no keys")
    return ConfigError.of(f"`$ref` leads nowhere: there is no `{pointer_text(steps)}`", where, hint)


def _is_function_schema(pointer: Pointer) -> bool:
    """Whether `pointer` leads to the `parameters` of a provider's `config.functions[]` or `config.tools[].function`."""
    match pointer:
        case ("providers" | "targets", *_, "config", "functions", int(), "parameters"):
            return True
        case ("providers" | "targets", *_, "config", "tools", int(), "function", "parameters"):
            return True
    return False
