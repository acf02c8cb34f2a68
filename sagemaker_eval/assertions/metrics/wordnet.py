"""The senses of words, out of the index files of a WordNet database.

Their form is that of https://wordnet.princeton.edu/documentation/wndb5wn.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from sagemaker_eval.errors import ConfigError

_FILES = ("index.noun", "index.verb", "index.adj", "index.adv")


class Senses:
    """The synonym sets that each word belongs to."""

    def __init__(self, by_word: Mapping[str, frozenset[str]]) -> None:
        self._by_word = by_word

    def of(self, word: str) -> frozenset[str]:
        """Names of the synonym sets of a word; none of one that is unknown."""
        return self._by_word.get(word, frozenset())


@cache
def senses_in(folder: str) -> Senses:
    """The senses in a WordNet folder, or its `dict` folder. Raises `ConfigError` where its index files are missing."""
    root = Path(folder).expanduser()
    for place in (root, root / "dict"):
        files = [place / name for name in _FILES]
        if all(file.is_file() for file in files):
            return Senses(_read(files))
    raise ConfigError.of(
        f"the folder `{folder}` holds no WordNet database",
        hint=f"it has to hold {', '.join(_FILES)}, as wordnet-base or NLTK's `wordnet` corpus have them",
    )


def _read(files: list[Path]) -> dict[str, frozenset[str]]:
    """Each line: lemma, part of speech, how many senses, how many pointer kinds and those, two counts, the senses."""
    found: dict[str, frozenset[str]] = {}
    for file in files:
        for line in file.read_text("utf-8").splitlines():
            if line.startswith(" "):  # the licence at the top
                continue
            lemma, part, count, *_ = fields = line.split()
            senses = frozenset(part + offset for offset in fields[len(fields) - int(count) :])
            found[lemma] = found.get(lemma, frozenset()) | senses
    return found
