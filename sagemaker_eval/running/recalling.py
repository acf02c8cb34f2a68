"""Answers that a resumed run has on record: they are judged once more, and no endpoint is asked for them."""

from __future__ import annotations

from functools import lru_cache

from sagemaker_eval.model import Case
from sagemaker_eval.providers.base import Provider
from sagemaker_eval.providers.pool import ProviderPool
from sagemaker_eval.providers.services import Services
from sagemaker_eval.running.answering import Answering
from sagemaker_eval.running.earlier_answers import EarlierAnswer
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.recorded_answers import answer_of
from sagemaker_eval.running.regrading import Earlier, Readers
from sagemaker_eval.running.resuming import Wanted

_KEPT = 256


class Recalled:
    """The answers of the cases of which nothing but `Wanted.JUDGING` is wanted."""

    def __init__(self, journal: Journal, wanted: bytearray) -> None:
        self._journal = journal
        self._wanted = wanted
        self._kept = lru_cache(_KEPT)(self._read)

    def of(self, case: Case) -> EarlierAnswer | None:
        """None for a case that is to be asked."""
        return self._kept(case.index) if self._wanted[case.index] == Wanted.JUDGING else None

    def _read(self, slot: int) -> EarlierAnswer | None:
        row = self._journal.latest(slot)
        return None if row is None else answer_of(row)


class RecallingAnswers(Answering):
    """Takes recalled answers from the record, and asks for all others."""

    def __init__(self, pool: ProviderPool, services: Services, recalled: Recalled) -> None:
        super().__init__(pool)
        self._recalled = recalled
        self._readers = Readers(services)

    def provider(self, case: Case) -> Provider:
        earlier = self._recalled.of(case)
        if earlier is None:
            return super().provider(case)
        return Earlier(earlier, self._readers.of(case.row.test.provider or case.column.provider))
