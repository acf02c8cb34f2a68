"""What `sageval init` does: ask for what is not given, write the files of a first evaluation, say what comes next."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import typer

from sagemaker_eval.cli.files import write_files
from sagemaker_eval.cli.preparing import known_names
from sagemaker_eval.cli.starter import CONFIG, EMBEDDING, SCHEMA, Choices, starter_files
from sagemaker_eval.config.explaining import check, unknown_name
from sagemaker_eval.config.references import display_path
from sagemaker_eval.config.schema import SageMakerConfig
from sagemaker_eval.errors import ConfigError, Problem, SagevalError
from sagemaker_eval.model import Place

DEFAULT_MODEL_TYPE = "openai"
DEFAULT_ENDPOINT = "my-endpoint"

Check = Callable[[str], object]
"""Raises `ConfigError` for a value that cannot be used."""


@dataclass(frozen=True, slots=True)
class InitRequest:
    """The options of one `sageval init`; None is what was not given."""

    folder: str = "."
    model_type: str | None = None
    endpoint: str | None = None
    region: str | None = None
    force: bool = False
    process: Mapping[str, str] = field(default_factory=dict, repr=False)


def initialise(request: InitRequest) -> None:
    """Write the files and say so. Raises `ConfigError` for values that cannot be used and files that are there."""
    _check_given(request)
    _refuse_existing(request)
    choices = _choices(request, asking=_at_a_terminal())
    files = {Path(request.folder, path): text for path, text in starter_files(choices).items()}
    _refuse_existing(request, files)
    write_files(files)
    for path in files:
        typer.echo(f"wrote {display_path(str(path))}")
    typer.echo(_next_steps(request.folder))


def _choices(request: InitRequest, asking: bool) -> Choices:
    """What was given; the rest from whoever is there to be asked, else the defaults."""
    region = request.process.get("AWS_REGION") or request.process.get("AWS_DEFAULT_REGION") or ""
    region = region if _is_sound(region, _check_region) else ""
    answer = _ask if asking else _default
    types = ", ".join(_model_types())
    model_type = request.model_type or answer(f"Model type ({types})", DEFAULT_MODEL_TYPE, _check_model_type)
    endpoint = request.endpoint or answer("Name of the SageMaker endpoint", DEFAULT_ENDPOINT, _check_endpoint)
    region = request.region or answer("AWS region (empty: as your AWS settings say)", region, _check_region)
    return Choices(model_type, endpoint, region or None, with_schema=Path(request.folder, SCHEMA).is_file())


def _default(text: str, default: str, check_value: Check) -> str:
    return default


def _ask(text: str, default: str, check_value: Check) -> str:
    """The answer at the terminal; asked again until it can be used."""

    def usable(value: str) -> str:
        try:
            check_value(value)
        except ConfigError as error:
            problem = error.problems[0]
            raise typer.BadParameter(f"{problem.message}{f' ({problem.hint})' if problem.hint else ''}") from error
        return value

    try:
        answer: str = typer.prompt(text, default=default, value_proc=usable, show_default=bool(default), err=True)
    except typer.Abort:
        raise SagevalError("nothing was written: the questions were not answered") from None
    return answer


def _at_a_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _model_types() -> tuple[str, ...]:
    return (*known_names().formats, EMBEDDING)


def _check_model_type(value: str) -> None:
    if value not in _model_types():
        raise ConfigError([unknown_name("model type", value, _model_types(), Place("--model-type"))])


def _check_endpoint(value: str) -> None:
    check(SageMakerConfig, {"endpoint": value}, Place("--endpoint"))


def _check_region(value: str) -> None:
    if value:
        check(SageMakerConfig, {"region": value}, Place("--region"))


def _is_sound(value: str, check_value: Check) -> bool:
    try:
        check_value(value)
    except ConfigError:
        return False
    return True


def _check_given(request: InitRequest) -> None:
    """Raise one `ConfigError` for all options that cannot be used."""
    given = (
        (request.model_type, _check_model_type),
        (request.endpoint, _check_endpoint),
        (request.region, _check_region),
    )
    problems: list[Problem] = []
    for value, check_value in given:
        try:
            if value is not None:
                check_value(value)
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)


def _refuse_existing(request: InitRequest, paths: Mapping[Path, str] | None = None) -> None:
    """Raise `ConfigError` where files would be replaced; at first, before anything is asked, for the configuration."""
    looked_at = paths if paths is not None else [Path(request.folder, CONFIG)]
    there = [path for path in looked_at if os.path.lexists(path)]
    if there and not request.force:
        hint = "`--force` replaces it"
        raise ConfigError(Problem(f"`{display_path(str(path))}` is there already", None, hint) for path in there)


def _next_steps(folder: str) -> str:
    where = "" if os.path.abspath(folder) == os.getcwd() else f" -c {display_path(folder)}"
    return (
        f"next:\n"
        f"  sageval validate{where}\n"
        f"  sageval eval{where} --sandbox    (the built-in stand-in; no AWS account needed)\n"
        f"  sageval eval{where}              (your endpoint)"
    )
