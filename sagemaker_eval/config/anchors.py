"""Which top-level keys of a YAML text hold anchors: such keys exist for what refers to them."""

from __future__ import annotations

from collections.abc import Iterator

import yaml


def anchored_keys(text: str) -> frozenset[str]:
    """The top-level keys under which an anchor (`&name`) is defined; none where the text is no YAML map."""
    events = yaml.parse(text, yaml.SafeLoader)
    found: set[str] = set()
    try:
        root = next(event for event in events if isinstance(event, yaml.NodeEvent))
        while isinstance(root, yaml.MappingStartEvent) and isinstance(key := next(events), yaml.ScalarEvent):
            if _next_value_defines_anchor(events):
                found.add(key.value)
    except (yaml.YAMLError, StopIteration):
        return frozenset()
    return frozenset(found)


def _next_value_defines_anchor(events: Iterator[yaml.Event]) -> bool:
    depth, found = 0, False
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.anchor is not None:
            found = True
        if depth == 0:
            break
    return found
