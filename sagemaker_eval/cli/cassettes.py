"""`--record` and `--replay`: a run onto a cassette, and a run from one, which is the same each time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sagemaker_eval import __version__
from sagemaker_eval.calling.cassette import VERSION, Head
from sagemaker_eval.calling.cassette_player import Player
from sagemaker_eval.calling.cassette_recorder import Recorder
from sagemaker_eval.cli.notices import Notices
from sagemaker_eval.cli.offline import offline
from sagemaker_eval.cli.requests import EvalRequest
from sagemaker_eval.errors import ConfigError, SagevalError
from sagemaker_eval.events import RunFinished
from sagemaker_eval.model import compact_json
from sagemaker_eval.running.folders import runs_folder
from sagemaker_eval.running.plan import Plan
from sagemaker_eval.running.run_record import REPLAYED, RunRecord
from sagemaker_eval.text.files_read import note_read, note_written

Cassette = Recorder | Player | None

_EXCLUDED = ("record", "sandbox", "dry_run", "max_calls", "max_cost")
"""Options that mean nothing without calls."""


@contextmanager
def off_the_network(request: EvalRequest) -> Iterator[None]:
    """A block without connections where the request is to be replayed. Raises `ConfigError` for what excludes that."""
    _refuse_contradictions(request)
    if not request.replay:
        yield
        return
    with offline():
        yield


def _refuse_contradictions(request: EvalRequest) -> None:
    if request.record and request.dry_run:
        raise ConfigError.of("--record and --dry-run exclude each other", hint="a dry run makes no calls to record")
    if not request.replay:
        return
    for name in _EXCLUDED:
        if getattr(request, name):
            option = f"--{name.replace('_', '-')}"
            raise ConfigError.of(f"--replay and {option} exclude each other", hint="a replay makes no calls")


@contextmanager
def cassette_of(request: EvalRequest, scrub: Callable[[bytes], bytes], notices: Notices) -> Iterator[Cassette]:
    """What the run is recorded on, or answered from. Raises `ConfigError` for a cassette that cannot be read."""
    if request.replay:
        note_read(request.replay)
        with Player(request.replay, scrub) as player:
            if not player.head.complete:
                notices(f"the run that `{request.replay}` was recorded from did not finish: calls may be missing")
            yield player
    elif request.record and not request.check_only:
        note_written((request.record,))
        with Recorder(scrub) as recorder:
            yield recorder
    else:
        yield None


def began(cassette: Cassette) -> datetime:
    """The moment that results give for the begin of a run: of a replay that of the recording."""
    return datetime.fromisoformat(cassette.head.recorded_at) if isinstance(cassette, Player) else datetime.now(UTC)


def as_replayed(record: RunRecord, cassette: Cassette) -> RunRecord:
    """The record with an id that follows from cassette and configuration, where the run is a replay."""
    if not isinstance(cassette, Player):
        return record
    record = replace(record, options={**record.options, REPLAYED: cassette.head.recorded_at})
    content = [cassette.digest, record.config, record.options, record.var_names, record.total]
    content += [column.as_json() for column in record.columns]
    digest = hashlib.sha256(compact_json(content).encode("utf-8", "surrogatepass")).hexdigest()
    return replace(record, run_id=f"replay-{digest[:12]}")


def free_name(record: RunRecord, environ: Mapping[str, str]) -> str:
    """A name for the folder of a run: its id, and a number where a replay was made before."""
    runs, name, number = runs_folder(environ), record.run_id, 1
    while (runs / name).exists():
        number += 1
        name = f"{record.run_id}-{number}"
    return name


def in_order(plan: Plan, cassette: Cassette) -> Plan:
    """The plan; of a replay one that goes case by case, so that equal calls are answered in the same order each time.

    Nothing is waited for in a replay, so nothing is lost by it.
    """
    return replace(plan, stores=True) if isinstance(cassette, Player) else plan


class Tape:
    """The cassette of one run while it goes on: what is at its end written, or found to be missing.

    Where the run is gone on with (not `is_new`), what was recorded of it before is taken over.
    """

    def __init__(self, cassette: Cassette, path: str | None, record: RunRecord, *, is_new: bool) -> None:
        self._cassette = cassette
        self._path = path
        self._record = record
        self._is_whole = is_new or self._continued()

    @property
    def missed(self) -> int:
        """How many calls a replay asked for that the cassette does not have."""
        return self._cassette.missed if isinstance(self._cassette, Player) else 0

    def as_recorded(self, finished: RunFinished) -> RunFinished:
        """The end of the run; of a replay with the duration of the recording."""
        if not isinstance(self._cassette, Player):
            return finished
        return replace(finished, summary=replace(finished.summary, duration_ms=self._cassette.head.duration_ms))

    def save(self, finished: RunFinished) -> SagevalError | None:
        """Write the cassette of a run that is recorded; why that could not be done."""
        if not isinstance(self._cassette, Recorder) or self._path is None:
            return None
        record, summary = self._record, finished.summary
        is_over = finished.stopped_by is None and summary.total.finished >= record.total
        head = Head(
            cassette=VERSION,
            sageval=__version__,
            run=record.run_id,
            recorded_at=record.started_at,
            duration_ms=round(summary.duration_ms, 3),
            complete=self._is_whole and is_over,
        )
        try:
            self._cassette.write(self._path, head)
        except SagevalError as error:
            return error
        return None

    def _continued(self) -> bool:
        """Take over what an earlier part of the run recorded; whether that was there."""
        if not isinstance(self._cassette, Recorder) or self._path is None or not Path(self._path).is_file():
            return False
        try:
            with Player(self._path) as earlier:
                if earlier.head.run != self._record.run_id:
                    return False
                self._cassette.take_over(earlier.entries())
        except ConfigError:
            return False
        return True
