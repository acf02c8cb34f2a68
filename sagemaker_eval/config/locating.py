"""Finding the line of a value: asked only for what is printed, so that plain loading need not keep lines."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from pathlib import Path

from sagemaker_eval.config.json_pointers import written_at
from sagemaker_eval.config.yaml_loader import parse_yaml_with_places, read_text
from sagemaker_eval.config.yaml_places import Mark, Places, Pointer
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place

_ENDINGS = frozenset((".yaml", ".yml", ".json"))


def locate(place: Place, key: bool = False) -> Place:
    """`place` with line and column of the value that its pointer leads to, or with `key` of the key it stands under.

    The pointer is that of the document with its references expanded: a step through a `$ref`, an alias or a merge key
    goes on at what it stands for. Where it leads nowhere, the nearest enclosing value counts. A place that has a line
    already, or whose file is not YAML or JSON that can be read, comes back as it is.
    """
    if place.line is not None or Path(place.path).suffix.lower() not in _ENDINGS:
        return place
    try:
        status = Path(place.path).stat()
        document, places = _places(place.path, status.st_mtime_ns, status.st_size)
    except (OSError, ValueError, ConfigError):
        return place
    mark = _nearest(places, places.written(written_at(document, place.pointer)), key)
    return dataclasses.replace(place, line=mark[0], column=mark[1]) if mark else place


@lru_cache(maxsize=8)
def _places(path: str, _modified: int, _size: int) -> tuple[Json, Places]:
    return parse_yaml_with_places(read_text(path), path)


def _nearest(places: Places, pointer: Pointer, key: bool) -> Mark | None:
    if key and pointer in places.keys:
        return places.keys[pointer]
    for length in range(len(pointer), -1, -1):
        mark = places.values.get(pointer[:length])
        if mark:
            return mark
    return None
