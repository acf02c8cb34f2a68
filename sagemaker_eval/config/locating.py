"""Finding the line of a value: asked only for what is printed, so that plain loading need not keep lines."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from pathlib import Path

from sagemaker_eval.config.yaml_composer import Mark, Places
from sagemaker_eval.config.yaml_loader import parse_yaml_with_places, read_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place

_ENDINGS = frozenset((".yaml", ".yml", ".json"))


def locate(place: Place, key: bool = False) -> Place:
    """`place` with line and column of the value that its pointer leads to, or with `key` of the key it stands under.

    Where the pointer leads nowhere, the nearest enclosing value counts. A place that has a line already, or whose file
    is not YAML or JSON that can be read, comes back as it is.
    """
    if place.line is not None or Path(place.path).suffix.lower() not in _ENDINGS:
        return place
    try:
        status = Path(place.path).stat()
        places = _places(place.path, status.st_mtime_ns, status.st_size)
    except (OSError, ValueError, ConfigError):
        return place
    mark = _nearest(places, place, key)
    return dataclasses.replace(place, line=mark[0], column=mark[1]) if mark else place


@lru_cache(maxsize=8)
def _places(path: str, _modified: int, _size: int) -> Places:
    return parse_yaml_with_places(read_text(path), path)[1]


def _nearest(places: Places, place: Place, key: bool) -> Mark | None:
    if key and place.pointer in places.keys:
        return places.keys[place.pointer]
    for length in range(len(place.pointer), -1, -1):
        mark = places.values.get(place.pointer[:length])
        if mark:
            return mark
    return None
