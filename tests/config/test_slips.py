from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.config.schema import ConfigEntry, ProviderEntry
from sagemaker_eval.config.slips import nearest_key

LETTER = st.sampled_from("abcdefghijklmnopqrstuvwxyz")
NAME = st.text(LETTER, min_size=2, max_size=20)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("TESTS", "tests"),
        ("tsets", "tests"),
        ("test", "tests"),
        ("teste", "tests"),
        ("providres", "providers"),
        ("max_error_rate", "maxErrorRate"),
        ("quite-another-thing", None),
        ("", None),
    ],
)
def test_a_slip_of_the_pen_comes_before_likeness(written: str, meant: str | None) -> None:
    assert nearest_key(written, ConfigEntry.known_keys()) == meant


@pytest.mark.parametrize("written", ["di", "ID", "i", "ip", "idd"])
def test_short_names_have_slips_too(written: str) -> None:
    assert nearest_key(written, ProviderEntry.known_keys()) == "id"


def test_of_several_slips_the_likest_counts() -> None:
    assert nearest_key("labels", ["lapels", "label"]) == "label"


@given(NAME, st.data())
def test_every_slip_leads_back(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name) - 1))
    letter = data.draw(LETTER)
    slips = (
        name[:at] + name[at + 1 :],
        name[:at] + letter + name[at:],
        name[:at] + letter + name[at + 1 :],
        name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
        name.upper(),
    )
    assert {nearest_key(slip, ["-", name]) for slip in slips} == {name}
