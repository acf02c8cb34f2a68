from __future__ import annotations

import pytest

from sagemaker_eval.config.yaml_loader import parse_yaml_with_places
from sagemaker_eval.config.yaml_places import Pointer

TEXT = """\
base: &base {tone: kind, to: all}
list: &list
  - type: equals
  - &second {type: contains}
copy: *list
one: {<<: *base, about: lunch}
several:
  <<: [{to: Kim}, *base]
  about: keys
nested: {deep: *second}
"""


@pytest.mark.parametrize(
    ("pointer", "written"),
    [
        (("base", "tone"), ("base", "tone")),
        (("copy", 1, "type"), ("list", 1, "type")),
        (("copy",), ("copy",)),
        (("one", "tone"), ("base", "tone")),
        (("one", "about"), ("one", "about")),
        (("several", "to"), ("several", "<<", 0, "to")),
        (("several", "tone"), ("base", "tone")),
        (("nested", "deep", "type"), ("list", 1, "type")),
        (("copy", 7, "type"), ("copy", 7, "type")),
        (("one", "nothing", 0), ("one", "nothing", 0)),
    ],
)
def test_what_aliases_and_merge_keys_bring_in_is_found_where_it_is_written(pointer: Pointer, written: Pointer) -> None:
    assert parse_yaml_with_places(TEXT, "a.yaml")[1].written(pointer) == written
