from __future__ import annotations

from xml.etree.ElementTree import fromstring

from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.sandbox.object_listing import Listed, reply

KEYS = st.lists(st.text("ab/", min_size=1, max_size=5), unique=True, max_size=12)
SPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


def entries(keys: list[str], **query: str) -> list[list[str]]:
    """What each page lists, keys and folders, until there is no further page."""
    objects = [Listed(key, '"0"', 1, 0.0) for key in sorted(keys)]
    pages = []
    token: str | None = None
    while True:
        page = fromstring(reply("bucket", objects, query | ({"continuation-token": token} if token else {})).body)
        found = [*page.iterfind(f"{SPACE}Contents/{SPACE}Key"), *page.iterfind(f"{SPACE}CommonPrefixes/{SPACE}Prefix")]
        pages.append([each.text or "" for each in found])
        token = page.findtext(f"{SPACE}NextContinuationToken")
        assert page.findtext(f"{SPACE}IsTruncated") == ("true" if token else "false")
        if token is None:
            return pages


@given(KEYS, st.sampled_from(["", "a", "a/"]), st.sampled_from(["", "/"]), st.integers(1, 4))
def test_pages_hold_together_what_one_page_holds(keys: list[str], prefix: str, delimiter: str, size: int) -> None:
    (whole,) = entries(keys, prefix=prefix, delimiter=delimiter)

    pages = entries(keys, prefix=prefix, delimiter=delimiter, **{"max-keys": str(size)})

    assert sorted(entry for page in pages for entry in page) == sorted(whole)
    assert all(len(page) == size for page in pages[:-1])


@given(KEYS)
def test_folders_stand_for_the_keys_below_them(keys: list[str]) -> None:
    (found,) = entries(keys, delimiter="/")

    assert set(found) == {key[: key.index("/") + 1] if "/" in key else key for key in keys}


def test_no_keys_may_be_asked_for() -> None:
    assert entries(["a", "b"], **{"max-keys": "0"}) == [[]]
