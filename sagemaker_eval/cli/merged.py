"""What `sageval merge` does: check that the parts make a whole, write their union as a run, report it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sagemaker_eval.cli.exit_codes import BELOW_PASS_RATE, FINE
from sagemaker_eval.cli.recorded import refuse_outputs, show, write_outputs
from sagemaker_eval.cli.streams import stderr
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.reporting.messages import print_notice
from sagemaker_eval.running.folders import run_folder, run_id_at
from sagemaker_eval.running.merge_checks import missing_of, refuse_mixture
from sagemaker_eval.running.merge_parts import Part, read_part
from sagemaker_eval.running.merging import merged_record, write_union
from sagemaker_eval.running.reading import recorded


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """The options of one `sageval merge`; `process` is the environment that it was started in."""

    names: tuple[str, ...]
    outputs: tuple[str, ...] = ()
    partial: bool = False
    table: bool | None = None
    as_json: bool = False
    write: bool = True
    fail_under: float | None = None
    process: Mapping[str, str] = field(default_factory=dict, repr=False)


def merge(request: MergeRequest) -> int:
    """Merge and return the exit code. Raises `ConfigError` where the parts make no whole."""
    refuse_outputs(request.outputs)
    parts = [read_part(name, request.process) for name in request.names]
    refuse_mixture(parts)
    _tell_missing(parts, request.partial)
    with _folder(request) as (run_id, folder):
        lost = write_union(parts, folder, merged_record(parts, run_id))
        for name in lost:
            print_notice(stderr(), f"the derived metric `{name}` is left out: its code cannot be read from here")
        run = recorded(folder)
        write_outputs(run, request.outputs)
        show(run, request.table, None, request.as_json)
        if request.write:
            print_notice(stderr(), f"run recorded in {folder}")
    rate = run.summary.total.pass_rate or 0.0
    return BELOW_PASS_RATE if request.fail_under is not None and rate * 100 < request.fail_under else FINE


def _tell_missing(parts: Sequence[Part], partial: bool) -> None:
    missing = missing_of(parts)
    if not missing:
        return
    if not partial:
        raise ConfigError.of(str(missing), hint="run or resume what is missing, or merge what there is with --partial")
    print_notice(stderr(), str(missing))


@contextmanager
def _folder(request: MergeRequest) -> Iterator[tuple[str, Path]]:
    """(id, folder) of the new run; it is removed again where it does not become whole."""
    run_id = run_id_at(datetime.now(UTC))
    with run_folder(run_id, request.process, keep=request.write) as folder:
        try:
            yield run_id, folder
        except BaseException:
            if not (folder / "end.json").exists():
                shutil.rmtree(folder, ignore_errors=True)
            raise
