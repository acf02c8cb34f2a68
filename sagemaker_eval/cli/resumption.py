"""`--resume`, `--retry-errors` and `--rerun`: the command of an earlier run, to be carried out once more."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from sagemaker_eval.cli.requests import EvalRequest
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, compact_json
from sagemaker_eval.running.folders import LATEST, recorded_run, runs_folder
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.plan import Plan
from sagemaker_eval.running.reading import find_run_or_folder, is_run
from sagemaker_eval.running.resuming import Again, digests, is_same_plan, rebased, refuse_changes, wanted_slots
from sagemaker_eval.running.run_files import read_record, read_so_far
from sagemaker_eval.running.run_record import RunEnd, RunRecord
from sagemaker_eval.running.selection import Filters

_OF_THE_RUN = (
    "config",
    "prompts",
    "providers",
    "tests",
    "repeat",
    "variables",
    "description",
    "grader",
    "filters",
    "failing",
    "errors_only",
    "tags",
    "strict",
    "sandbox",
    "sandbox_script",
    "shard",
    "shard_by",
    "shard_from",
)
"""Options that say what is run: a run that is gone on with has its own."""

_OF_THE_MOMENT = (
    "env_files",
    "outputs",
    "max_concurrency",
    "cache",
    "delay_ms",
    "table",
    "table_cell_max_length",
    "progress_bar",
    "verbose",
    "fail_under",
    "failed_exit_code",
    "record",
    "replay",
)
"""Options that a run has from its first command unless the new one says otherwise."""

_FOLDER = "folder"
_HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Resumption:
    """An earlier run that is gone on with."""

    folder: Path
    record: RunRecord
    again: Again
    allow_changes: bool
    so_far: RunEnd | None
    """What the run used so far, as far as that is known."""

    def journal(self, record: RunRecord, plan: Plan, files: Mapping[str, str]) -> tuple[Journal, bytearray]:
        """The journal, open, and the slots to run; `record` and `files` are those of the configuration as it is now.

        Raises `ConfigError` where that is no longer what the run was made from, unless changes are allowed.
        """
        if not self.allow_changes:
            refuse_changes(self.record, files, record)
        elif not is_same_plan(self.record, record) or files != self.record.files:
            with Journal.reopen(self.folder) as old:
                rebased(old, replace(record, run_id=self.record.run_id, started_at=self.record.started_at), plan)
        journal = Journal.reopen(self.folder)
        return journal, wanted_slots(journal, plan, self.again)


def resumed(request: EvalRequest) -> tuple[EvalRequest, Resumption | None]:
    """The request with the options of the run that it goes on with, and that run; None for a run of its own.

    Raises `ConfigError` where there is no such run, or where options are given that the run has already.
    """
    name, again = _asked(request)
    if name is None:
        return request, None
    folder = _earlier_run(name, again, request.process).resolve()
    record = read_record(folder)
    _refuse_other_options(request, record.run_id)
    _refuse_hidden_options(record)
    so_far = read_so_far(folder)
    os.chdir(record.command.get(_FOLDER) or ".")
    return _with_command(request, record.command), Resumption(folder, record, again, request.allow_changes, so_far)


def _asked(request: EvalRequest) -> tuple[str | None, Again]:
    if request.resume and request.retry_errors:
        raise ConfigError.of(
            "--resume and --retry-errors exclude each other", hint="--retry-errors RUN resumes as well"
        )
    if request.retry_errors:
        return request.retry_errors, Again.ERRORS
    if request.rerun:
        return request.resume or "latest", Again(request.rerun)
    return request.resume, Again.NONE


def _earlier_run(name: str, again: Again, environ: Mapping[str, str]) -> Path:
    """The folder of the run that is gone on with; `latest` is the newest one that has something left to do.

    Raises `ConfigError` where there is none.
    """
    if name != LATEST or again is not Again.NONE:
        return find_run_or_folder(name, environ)
    folder = recorded_run(name, environ, unfinished=True)
    if not is_run(folder):
        raise ConfigError.of(
            f"no run below `{runs_folder(environ)}` is unfinished",
            hint="`sageval list` shows the runs; --retry-errors runs errored cases of a finished one again",
        )
    return folder


def _refuse_other_options(request: EvalRequest, run_id: str) -> None:
    plain = EvalRequest()
    given = [name for name in _OF_THE_RUN if getattr(request, name) != getattr(plain, name)]
    if request.allow_changes:
        given = [name for name in given if name != "config"]
    if given:
        option = _option(given[0])
        raise ConfigError.of(
            f"run {run_id} has its own options: `{option}` cannot be given as well",
            hint="leave it out; with --allow-changes another `-c` is taken",
        )


def _option(name: str) -> str:
    """How the command line calls a field of the request."""
    return "--var" if name == "variables" else f"--{name.replace('_', '-').removesuffix('s')}"


def _refuse_hidden_options(record: RunRecord) -> None:
    """Raise `ConfigError` where the run had a secret among its options: secrets are not on record."""
    for name in record.command.get(_HIDDEN) or ():
        raise ConfigError.of(
            f"run {record.run_id} cannot be gone on with: its {_option(name)} held a secret, which is not on record",
            hint="start it anew, with the secret in an environment variable that the configuration reads",
        )


def stored_command(request: EvalRequest, scrub: Callable[[str], str] = str) -> dict[str, Json]:
    """What `run.json` keeps of a command, so that it can be carried out again from the same folder.

    `scrub` takes the secrets out; which options had any is kept too.
    """
    told = {name: getattr(request, name) for name in (*_OF_THE_RUN, *_OF_THE_MOMENT)}
    told |= {"filters": asdict(replace(request.filters, earlier=None)), "variables": dict(request.variables)}
    written = {name: compact_json(value) for name, value in told.items()}
    shown = {name: scrub(text) for name, text in written.items()}
    hidden = [name for name in shown if shown[name] != written[name]]
    return {**{name: json.loads(text) for name, text in shown.items()}, _HIDDEN: hidden, _FOLDER: os.getcwd()}


def _with_command(request: EvalRequest, told: Mapping[str, Any]) -> EvalRequest:
    """The request with what the earlier command said, in the types that options have."""
    plain = EvalRequest()
    taken: dict[str, Any] = {}
    for name in (*_OF_THE_RUN, *_OF_THE_MOMENT):
        if name in told and getattr(request, name) == getattr(plain, name):
            value = told[name]
            taken[name] = tuple(value) if isinstance(value, list) else value
    taken["filters"] = _filters(told.get("filters") or {})
    return replace(request, **taken)


def _filters(told: Mapping[str, Any]) -> Filters:
    known = {each.name for each in fields(Filters)}
    values = {name: value for name, value in told.items() if name in known and value is not None}
    if "range" in values:
        values["range"] = tuple(values["range"])
    if "metadata" in values:
        values["metadata"] = tuple((name, value) for name, value in values["metadata"])
    return Filters(**values)


def file_digests(paths: tuple[str, ...], shown: Callable[[bytes], bytes] = bytes) -> dict[str, str]:
    """The digests of what a run is made from, without its secrets, which may change, as `.env` files may."""
    return digests((path for path in paths if not os.path.basename(path).startswith(".env")), shown)
