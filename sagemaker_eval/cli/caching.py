"""What `sageval cache stats`, `clear` and `prune` do."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.table import Table

from sagemaker_eval.calling.cache_folder import default_cache_folder
from sagemaker_eval.calling.cache_limits import Limits, limits_of, seconds_of, size_of
from sagemaker_eval.calling.cache_store import FILE_NAME, CacheStore
from sagemaker_eval.calling.cache_upkeep import CacheFigures, Holding, clear, figures, prune, shrink
from sagemaker_eval.cli.notices import Notices
from sagemaker_eval.cli.scrubbing import Scrubber
from sagemaker_eval.cli.streams import stdout, writing_to_stdout
from sagemaker_eval.config.environment import build_environ
from sagemaker_eval.errors import ConfigError, SagevalError
from sagemaker_eval.model import Json
from sagemaker_eval.reporting.figures import counted, percent
from sagemaker_eval.reporting.terminal import visible

_UNLIMITED = Limits(None, None)
_UNITS = ("B", "kB", "MB", "GB", "TB")
_UNNAMED = "(stored by an earlier version)"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the cache is, and within which limits it is kept."""

    folder: Path
    limits: Limits

    @property
    def path(self) -> Path:
        return self.folder / FILE_NAME

    @property
    def damaged(self) -> list[Path]:
        """Files that were moved aside since they could not be read."""
        return sorted(self.folder.glob(f"{FILE_NAME}.damaged-*"))


def show_stats(process: Mapping[str, str], *, as_json: bool) -> None:
    """Print what the cache holds. Raises `SagevalError` where it cannot be read."""
    place = _place(process)
    if place.path.exists():
        with _opened(place) as database:
            held = figures(database)
    else:
        held = CacheFigures(Holding())
    with writing_to_stdout():
        if as_json:
            typer.echo(json.dumps(_document(place, held), indent=2))
        else:
            _print_stats(place, held)


def clear_cache(process: Mapping[str, str], endpoint: str | None, *, sure: bool) -> None:
    """Drop the answers, after asking. Raises `ConfigError` where nobody can be asked, `SagevalError`."""
    place = _place(process)
    if not (place.path.exists() or place.damaged):
        _say(f"the cache is empty: there is no `{place.path}`")
        return
    of_what = "all stored answers" if endpoint is None else f"the stored answers of endpoint `{endpoint}`"
    if not sure and not _agreed(f"Drop {of_what} in {place.path}?"):
        _say("nothing was dropped")
        return
    with _opened(place) as database:
        dropped = clear(database, endpoint)
        small = shrink(database)
    for file in place.damaged if endpoint is None else ():
        file.unlink(missing_ok=True)
    _say(_dropped(dropped, small))
    if endpoint is not None and not dropped:
        _say("`sageval cache stats` shows the endpoints that have stored answers")


def prune_cache(process: Mapping[str, str], older_than: str | None, max_size: str | None) -> None:
    """Drop what the options say, else what the environment says. Raises `ConfigError`, `SagevalError`."""
    place = _place(process)
    limits = place.limits
    if older_than is not None or max_size is not None:
        limits = Limits(
            None if max_size is None else size_of(max_size, "--max-size"),
            None if older_than is None else seconds_of(older_than, "--older-than"),
        )
    if not place.path.exists():
        _say(f"the cache is empty: there is no `{place.path}`")
        return
    with _opened(place) as database:
        dropped = prune(database, limits, time.time())
        small = not dropped or shrink(database)
        left = figures(database).total
    _say(f"{_dropped(dropped, small)}; {counted(left.entries, 'answer')} of {_size(left.bytes)} left")


def _place(process: Mapping[str, str]) -> Place:
    environ = build_environ(process, (), ".env")
    return Place(default_cache_folder(environ), limits_of(environ))


@contextmanager
def _opened(place: Place) -> Iterator[sqlite3.Connection]:
    """The database of a cache. Raises `SagevalError` where it cannot be used, after a note that says why."""
    hint = "close what else uses the cache, or name another folder in `SAGEVAL_CACHE_PATH`"
    with CacheStore(place.folder, Notices(Scrubber()), limits=_UNLIMITED) as store:
        if store.connection is None:
            raise SagevalError(f"the answer cache `{place.path}` cannot be opened", hint)
        try:
            yield store.connection
        except sqlite3.Error as error:
            raise SagevalError(f"the answer cache `{place.path}` cannot be used: {error}", hint) from error


def _agreed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise ConfigError.of("nobody can be asked whether to drop the answers", hint="say `--yes`")
    return typer.confirm(question)


def _dropped(number: int, small: bool) -> str:
    rest = "" if small else "; the file shrinks once no other process uses it"
    return f"{counted(number, 'answer')} dropped{rest}"


def _document(place: Place, held: CacheFigures) -> Json:
    return {
        "path": str(place.path),
        "fileBytes": _file_bytes(place),
        **_holding(held.total),
        "lookups": held.lookups,
        "hits": held.hits,
        "limits": {"maxBytes": place.limits.max_bytes, "maxAgeSeconds": place.limits.max_age_s},
        "endpoints": [{"endpoint": name or None, **_holding(holding)} for name, holding in held.endpoints],
        "damaged": [str(path) for path in place.damaged],
    }


def _holding(holding: Holding) -> dict[str, Json]:
    return {
        "entries": holding.entries,
        "bytes": holding.bytes,
        "oldest": moment(holding.oldest),
        "newest": moment(holding.newest),
    }


def _print_stats(place: Place, held: CacheFigures) -> None:
    console, total, limits = stdout(), held.total, place.limits
    age = "" if limits.max_age_s is None else f", none older than {limits.max_age_s / 86400:g} d"
    size = "no limit" if limits.max_bytes is None else f"at most {_size(limits.max_bytes)}"
    facts = [
        ("path", str(place.path)),
        ("answers", f"{total.entries:,}, {_size(total.bytes)} (file: {_size(_file_bytes(place))}; {size}{age})"),
        ("stored", f"{moment(total.oldest) or '-'} to {moment(total.newest) or '-'}"),
        ("hits", f"{held.hits:,} of {held.lookups:,} lookups ({percent(held.hits, held.lookups)})"),
    ]
    facts += [("damaged", str(path)) for path in place.damaged]
    for name, fact in facts:
        console.print(f"{name:<9}{fact}", soft_wrap=True, highlight=False, markup=False)
    if held.endpoints:
        console.print()
        console.print(_endpoint_table(held))


def _endpoint_table(held: CacheFigures) -> Table:
    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("endpoint", overflow="fold")
    for heading in ("answers", "size"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("oldest", "newest"):
        table.add_column(heading, no_wrap=True)
    for name, holding in held.endpoints:
        shown = visible(name, stdout()) if name else _UNNAMED
        times = (moment(holding.oldest) or "-", moment(holding.newest) or "-")
        table.add_row(shown, f"{holding.entries:,}", _size(holding.bytes), *times)
    return table


def moment(time_: float | None) -> str | None:
    """A Unix time in UTC, to the second; None where there is none."""
    if time_ is None:
        return None
    return datetime.fromtimestamp(time_, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _file_bytes(place: Place) -> int:
    files = [Path(f"{place.path}{ending}") for ending in ("", "-wal")]
    return sum(file.stat().st_size for file in files if file.exists())


def _size(number: float) -> str:
    """`512 B`, `1.2 MB`."""
    unit = 0
    while number >= 999.5 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{number:.3g} {_UNITS[unit]}" if unit else f"{number:.0f} B"


def _say(text: str) -> None:
    with writing_to_stdout():
        stdout().print(text, soft_wrap=True, highlight=False, markup=False)
