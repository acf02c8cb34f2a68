"""From YAML events to a JSON document, without the nodes between: seven times as fast as `yaml.load`.

The document has string keys only, no cycles, at most `MAX_DEPTH` levels and, aliases expanded, a number of
values that is bounded by the length of the text: whoever walks it may recurse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import yaml

from sagemaker_eval.config.yaml_places import MERGE_KEY, Mark, Places, Pointer
from sagemaker_eval.config.yaml_scalars import TAG_PREFIX, key_text, plain_scalar, short_tag, tagged_scalar
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place

MAX_DEPTH = 200

_NO_KEY: Any = object()
_MERGE: Any = object()


class DuplicateKey(Exception):
    """A key stands twice in one map, and without `Places` nobody knows where it stood first."""


class Composer:
    """Builds one document; `max_aliased` bounds the values that its aliases repeat.

    `places`, if given, is filled on the way, which takes half as long again.
    """

    def __init__(self, path: str, max_aliased: int, places: Places | None = None) -> None:
        self._path = path
        self._max_aliased = max_aliased
        self._places = places
        self._documents: list[Json] = []
        self._started = False
        self._container: list[Json] | dict[str, Json] = self._documents
        self._key: Any = _NO_KEY
        self._merged: set[str] = set()
        self._pointer: Pointer = ()
        self._stack: list[tuple[list[Json] | dict[str, Json], Any, set[str], Pointer]] = []
        self._anchors: dict[str, Json] = {}
        self._anchored: dict[str, Pointer] = {}
        self._shared_keys: dict[str, str] = {}
        self._aliased_nodes = 0
        self._extents: dict[int, tuple[Json, int, int]] = {}

    def document(self, events: Iterable[yaml.Event]) -> Json:
        """The document that the events tell, None if they tell of none. Raises `ConfigError`, `DuplicateKey`."""
        handlers: dict[type[yaml.Event], Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._mapping_start,
            yaml.SequenceStartEvent: self._sequence_start,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document_start,
        }
        for event in events:
            handler = handlers.get(type(event))
            if handler:
                handler(event)
        return self._documents[0] if self._documents else None

    def _document_start(self, event: yaml.DocumentStartEvent) -> None:
        if self._started:
            self._refuse(event, "a second YAML document begins here", "keep one document per file, without `---`")
        self._started = True

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        text = event.value
        try:
            if event.tag is not None:
                value = tagged_scalar(event.tag, text)
            else:
                value = text if event.style else plain_scalar(text)
        except ValueError as error:
            self._refuse(event, _scalar_problem(error, text))
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        if self._places is not None:
            self._note_value(event)
        self._attach(value, event)

    def _mapping_start(self, event: yaml.MappingStartEvent) -> None:
        self._start({}, "map", event)

    def _sequence_start(self, event: yaml.SequenceStartEvent) -> None:
        self._start([], "seq", event)

    def _start(self, container: list[Json] | dict[str, Json], kind: str, event: yaml.CollectionStartEvent) -> None:
        if event.tag is not None and event.tag not in ("!", TAG_PREFIX + kind):
            what = "map" if kind == "map" else "list"
            self._refuse(event, f"the tag `{short_tag(event.tag)}` is not supported on a {what}")
        if self._key is _NO_KEY and isinstance(self._container, dict):
            self._refuse(event, "a key is a list or a map", _TEMPLATE_HINT)
        if len(self._stack) >= MAX_DEPTH:
            self._refuse(event, f"values are nested more than {MAX_DEPTH} levels deep")
        if event.anchor is not None:
            self._anchors[event.anchor] = container
        self._stack.append((self._container, self._key, self._merged, self._pointer))
        if self._places is not None:
            self._pointer = self._note_value(event)
            if event.anchor is not None:
                self._anchored[event.anchor] = self._pointer
        self._container, self._key, self._merged = container, _NO_KEY, set()

    def _end(self, event: yaml.CollectionEndEvent) -> None:
        value = self._container
        self._container, self._key, self._merged, self._pointer = self._stack.pop()
        self._attach(value, event)

    def _alias(self, event: yaml.AliasEvent) -> None:
        name = event.anchor
        if name not in self._anchors:
            self._refuse(event, f"the alias `*{name}` has no anchor `&{name}` before it")
        value = self._anchors[name]
        if value is self._container or any(value is container for container, *_ in self._stack):
            self._refuse(event, f"the alias `*{name}` stands inside the value it refers to")
        self._bound_expansion(value, event)
        if self._places is not None:
            pointer = self._note_value(event)
            if isinstance(value, list | dict):
                self._places.aliases[pointer] = self._anchored[name]
        self._attach(value, event)

    def _bound_expansion(self, value: Json, event: yaml.AliasEvent) -> None:
        nodes, depth = self._extent(value)
        self._aliased_nodes += nodes
        if self._aliased_nodes > self._max_aliased:
            self._refuse(event, f"aliases expand to more than {self._max_aliased:,} values")
        if len(self._stack) + depth > MAX_DEPTH:
            self._refuse(event, f"values are nested more than {MAX_DEPTH} levels deep")

    def _extent(self, value: Json) -> tuple[int, int]:
        """How many values `value` holds, itself included and aliases expanded, and how many levels."""
        if not isinstance(value, list | dict):
            return 1, 0
        if id(value) not in self._extents:
            children = [self._extent(child) for child in (value.values() if isinstance(value, dict) else value)]
            nodes = 1 + sum(child_nodes for child_nodes, _ in children)
            depth = 1 + max((child_depth for _, child_depth in children), default=0)
            self._extents[id(value)] = value, nodes, depth
        return self._extents[id(value)][1:]

    def _attach(self, value: Json, event: yaml.Event) -> None:
        container = self._container
        if isinstance(container, list):
            container.append(value)
        elif self._key is _NO_KEY:
            self._take_key(value, container, event)
        elif self._key is _MERGE:
            self._merge(value, container, event)
            self._key = _NO_KEY
        else:
            container[self._key] = value
            self._key = _NO_KEY

    def _take_key(self, value: Json, mapping: dict[str, Json], event: yaml.Event) -> None:
        if value == MERGE_KEY and isinstance(event, yaml.ScalarEvent) and not event.style and event.tag is None:
            self._key = _MERGE
            return
        if isinstance(value, list | dict):
            self._refuse(event, "a key is a list or a map")
        key = value if isinstance(value, str) else key_text(value)
        if key in mapping:
            if key not in self._merged:
                self._refuse_duplicate(key, event)
            self._merged.discard(key)
        self._key = self._shared_keys.setdefault(key, key)
        if self._places is not None:
            self._places.keys[(*self._pointer, key)] = _mark(event)

    def _merge(self, value: Json, mapping: dict[str, Json], event: yaml.Event) -> None:
        """Merge keys (https://yaml.org/type/merge.html): what is written wins, then what is merged earlier."""
        for source in value if isinstance(value, list) else [value]:
            if not isinstance(source, dict):
                self._refuse(event, "a merge key `<<` needs a map or a list of maps")
            for key, inherited in source.items():
                if key not in mapping:
                    mapping[key] = inherited
                    self._merged.add(key)

    def _note_value(self, event: yaml.Event) -> Pointer:
        """Note the place of the value that starts here, if it is one; return its pointer."""
        assert self._places is not None
        container = self._container
        if container is self._documents:
            pointer = self._pointer
        elif isinstance(container, list):
            pointer = (*self._pointer, len(container))
        elif self._key is _NO_KEY:
            return self._pointer
        else:
            pointer = (*self._pointer, MERGE_KEY if self._key is _MERGE else self._key)
        self._places.values[pointer] = _mark(event)
        return pointer

    def _refuse_duplicate(self, key: str, event: yaml.Event) -> NoReturn:
        if self._places is None:
            raise DuplicateKey
        first = self._places.keys[(*self._pointer, key)][0]
        line = _mark(event)[0]
        message = f"the key `{key}` stands twice in one map, on lines {first} and {line}"
        self._refuse(event, message, "rename or remove one of them")

    def _refuse(self, event: yaml.Event, message: str, hint: str | None = None) -> NoReturn:
        raise ConfigError.of(message, Place(self._path, *_mark(event)), hint)


_TEMPLATE_HINT = 'put text that begins with `{` or `[` in quotes: `"{{name}}"`'


def _mark(event: yaml.Event) -> Mark:
    mark: Any = event.start_mark
    return mark.line + 1, mark.column + 1


def _scalar_problem(error: ValueError, text: str) -> str:
    too_long = "integer string conversion" in str(error)
    return f"a number of {len(text)} digits is too long" if too_long else str(error)
