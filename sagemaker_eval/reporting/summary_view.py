"""The summary below the table: rates, counts, latency and tokens of each provider, and what the errors were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from sagemaker_eval.model import ColumnSummary, RunSummary
from sagemaker_eval.reporting.base import JournalReader
from sagemaker_eval.reporting.error_groups import group_errors
from sagemaker_eval.reporting.figures import NOT_AVAILABLE, counted, duration
from sagemaker_eval.reporting.summary_figures import FIGURES, Figure
from sagemaker_eval.reporting.summary_remarks import remarks
from sagemaker_eval.reporting.terminal import marks_for, one_line, print_indented, visible, width_of
from sagemaker_eval.running.run_record import ColumnRecord, RunRecord

_LONGEST_NAME = 48
_SHORTEST_NAME = 20
_LONGEST_ERROR = 400
_ANY_WIDTH = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the summary's table. `indent` moves prompts below their provider."""

    name: str
    summary: ColumnSummary
    indent: int = 0
    style: str = ""


def render_summary(record: RunRecord, journal: JournalReader, summary: RunSummary, console: Console) -> None:
    """Print the summary. The journal is read only where cases errored."""
    lines = list(_lines(record, summary, console))
    missing = _natural_width(lines, console) - width_of(console)
    longest = max(line.indent + len(line.name) for line in lines)
    if missing <= 0:
        console.print(_table(lines))
    elif longest - missing >= _SHORTEST_NAME:
        console.print(_table([_shortened(line, longest - missing, console) for line in lines]))
    else:
        _print_blocks(lines, console)
    _print_remarks(record, summary, console)
    if summary.total.errored:
        _print_errors(journal, console)
    _print_closing(record, summary, console)


def _lines(record: RunRecord, summary: RunSummary, console: Console) -> Iterator[Line]:
    """Providers, their prompts where prompts are compared, and the total where it adds something."""
    groups = _provider_groups(record.columns)
    several = len({column.prompt_id for column in record.columns}) > 1
    providers = summary.providers if len(summary.providers) == len(groups) else None
    for number, indices in enumerate(groups):
        name = one_line(record.columns[indices[0]].provider_name, _LONGEST_NAME, console)
        if providers is not None:
            yield Line(name, providers[number])
            for variant, part in providers[number].variants:
                yield Line(one_line(f"variant {variant}", _LONGEST_NAME, console), part, indent=4, style="dim")
        if several or providers is None:
            for index in indices:
                label = one_line(record.columns[index].prompt_label, _LONGEST_NAME, console)
                title = label if providers is not None else f"{name}, {label}"
                yield Line(title, summary.columns[index], indent=2, style="dim" if providers is not None else "")
    if len(groups) > 1:
        yield Line("Total", summary.total, style="bold")


def _natural_width(lines: Sequence[Line], console: Console) -> int:
    unlimited = console.options.update(max_width=_ANY_WIDTH)
    return Measurement.get(console, unlimited, _table(lines)).maximum


def _shortened(line: Line, width: int, console: Console) -> Line:
    return replace(line, name=one_line(line.name, width - line.indent - 1, console))  # the cut adds its mark


def _provider_groups(columns: Sequence[ColumnRecord]) -> list[list[int]]:
    """The indices of each provider's columns."""
    groups: dict[int, list[int]] = {}
    for index, column in enumerate(columns):
        groups.setdefault(column.provider, []).append(index)
    return list(groups.values())


def _table(lines: Sequence[Line]) -> Table:
    figures = [figure for figure in FIGURES if any(figure.needed(line.summary) for line in lines)]
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", border_style="dim", pad_edge=False, show_edge=False)
    table.add_column("Provider", no_wrap=True)
    for figure in figures:
        table.add_column(figure.title, justify="right", no_wrap=True)
    for line in lines:
        name = Text(" " * line.indent + line.name)
        table.add_row(name, *(_figure_text(figure, line.summary) for figure in figures), style=line.style)
    return table


def _figure_text(figure: Figure, summary: ColumnSummary) -> Text:
    shown = figure.show(summary)
    return Text(shown, style="" if shown in ("0", NOT_AVAILABLE) else figure.style)


def _print_blocks(lines: Sequence[Line], console: Console) -> None:
    """The same figures for a console that is too narrow for the table."""
    for line in lines:
        print_indented(console, Text(line.name, style="bold"), indent=line.indent)
        figures = [figure for figure in FIGURES if figure.needed(line.summary)]
        shown = [Text.assemble(f"{figure.title} ", _figure_text(figure, line.summary)) for figure in figures]
        print_indented(console, Text("; ").join(shown), indent=line.indent + 2)


def _print_remarks(record: RunRecord, summary: RunSummary, console: Console) -> None:
    groups = _provider_groups(record.columns)
    names = [record.columns[indices[0]].provider_name for indices in groups]
    providers = summary.providers if len(summary.providers) == len(groups) else ()
    lines = list(remarks(summary, list(zip(names, providers, strict=False))))
    if lines:
        console.print()
    for line in lines:
        print_indented(console, Text(visible(line, console), style="dim"))


def _print_errors(journal: JournalReader, console: Console) -> None:
    groups, others = group_errors(journal)
    console.print()
    console.print(Text("Errors", style="bold yellow"))
    for group in groups:
        count = f"{group.count:,} x "
        message = one_line(group.message, _LONGEST_ERROR, console)
        print_indented(console, Text.assemble((count, "yellow"), message), indent=2, hanging=len(count))
        if group.hint:
            hint = one_line(group.hint, _LONGEST_ERROR, console)
            print_indented(console, Text(f"hint: {hint}", style="dim"), indent=2 + len(count), hanging=6)
    if others:
        more = f"{marks_for(console).ellipsis} and {counted(others, 'error')} of other kinds (use -o to write them all)"
        print_indented(console, Text(more, style="dim"), indent=2)


def _print_closing(record: RunRecord, summary: RunSummary, console: Console) -> None:
    total = summary.total
    what = f"{counted(total.finished, 'case')} in {duration(summary.duration_ms)}"
    if total.skipped:
        what = f"{total.finished:,} of {counted(record.total, 'case')} in {duration(summary.duration_ms)}"
    console.print()
    print_indented(console, Text.assemble((what, "bold"), f", run {record.run_id}"))
