"""A replay of a large run: complete, the same each time, and fast."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.soak.conftest import Workshop

pytestmark = pytest.mark.soak


def test_ten_thousand_cases_are_replayed_in_seconds(workshop: Workshop, scaled: Callable[..., int]) -> None:
    cases = scaled(10_000)
    (workshop.folder / "tests.csv").write_text("n\n" + "".join(f"{n}\n" for n in range(cases)), "utf-8")
    config = workshop.write(
        {
            "prompts": ["Say {{n}}"],
            "providers": ["sagemaker:openai:m"],
            "tests": "file://tests.csv",
        }
    )
    cassette = str(workshop.folder / "run.cassette")
    recording = workshop.run(config, workshop.environ(workshop.serve()), record=cassette, cache=False)
    assert (recording.code, len(recording.rows)) == (0, cases)
    began = time.perf_counter()
    replay = workshop.run(config, workshop.environ(), replay=cassette)
    took = time.perf_counter() - began
    sys.stderr.write(f"\n{cases:,} cases replayed in {took:.2f} s\n")
    again = workshop.run(config, workshop.environ(), replay=cassette)
    assert replay.code == 0
    assert replay.rows == recording.rows
    assert again.document == replay.document
