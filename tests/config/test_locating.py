from __future__ import annotations

import os
from pathlib import Path

import pytest

from sagemaker_eval.config.locating import locate
from sagemaker_eval.model import Place

CONFIG = """\
description: test
providers:
  - id: echo
    config:
      maxTokens: many
prompts: &prompts [a, b]
copy: *prompts
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "sageval.yaml"
    path.write_text(CONFIG)
    return str(path)


@pytest.mark.parametrize(
    ("pointer", "line", "column"),
    [
        (("description",), 1, 14),
        (("providers", 0), 3, 5),
        (("providers", 0, "config", "maxTokens"), 5, 18),
        (("prompts", 1), 6, 23),
        ((), 1, 1),
    ],
)
def test_a_value_is_found_by_its_pointer(config: str, pointer: tuple[str | int, ...], line: int, column: int) -> None:
    place = Place(config, pointer=pointer)
    assert locate(place) == Place(config, line, column, pointer)


def test_a_key_is_found_too(config: str) -> None:
    place = locate(Place(config, pointer=("providers", 0, "config", "maxTokens")), key=True)
    assert (place.line, place.column) == (5, 7)


@pytest.mark.parametrize("key", [True, False])
def test_the_nearest_enclosing_value_stands_in(config: str, key: bool) -> None:
    place = locate(Place(config, pointer=("providers", 0, "label", "x")), key)
    assert (place.line, place.column) == (3, 5)


def test_what_an_alias_brings_in_stands_where_it_is_written(config: str) -> None:
    place = locate(Place(config, pointer=("copy", 1)))
    assert (place.line, place.column) == (6, 23)


def test_a_list_entry_has_no_key(config: str) -> None:
    assert locate(Place(config, pointer=("prompts", 1)), key=True).column == 23


def test_json_is_located_as_well(tmp_path: Path) -> None:
    path = tmp_path / "f.json"
    path.write_text('{"a":\n  {"b": [1,\n\t2]}}')
    place = locate(Place(str(path), pointer=("a", "b", 1)))
    assert (place.line, place.column) == (3, 2)


def test_a_place_with_a_line_stays(config: str) -> None:
    place = Place(config, 4, pointer=("providers",))
    assert locate(place) is place


@pytest.mark.parametrize(("name", "content"), [("f.csv", "a\n1\n"), ("f.yaml", "a: ["), ("f.yaml", None)])
def test_where_nothing_can_be_found_the_place_stays(tmp_path: Path, name: str, content: str | None) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    place = Place(str(tmp_path / name), pointer=("a",))
    assert locate(place) is place


def test_a_changed_file_is_read_again(config: str) -> None:
    place = Place(config, pointer=("providers",))
    assert locate(place).line == 3
    Path(config).write_text("# new\n# lines\n" + CONFIG)
    os.utime(config, ns=(1, 1))
    assert locate(place).line == 5
