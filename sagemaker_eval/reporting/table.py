"""The comparison table: a row for each test, a column for each variable, provider and prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sagemaker_eval.model import Json
from sagemaker_eval.reporting.base import JournalReader
from sagemaker_eval.reporting.cells import Cell, cell_of, value_text
from sagemaker_eval.reporting.row_choice import ChosenRow, choose_rows
from sagemaker_eval.reporting.terminal import marks_for, one_line, print_indented, visible
from sagemaker_eval.running.run_record import RunRecord

_NARROWEST_COLUMN = 16
_LONGEST_LABEL = 60
_BORDER = 3
"""Columns that a box takes for each column of the table: a line and a space on either side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSettings:
    """How much is shown: characters of a cell, columns of the terminal (None: all there are), rows."""

    max_cell: int = 250
    width: int | None = None
    max_rows: int = 25


@dataclass(frozen=True, slots=True)
class ShownRow:
    """A row of the table, read from the journal. A case that was not finished has None for a cell."""

    title: str
    vars: tuple[tuple[str, str], ...]
    cells: tuple[Cell | None, ...]


def render_table(record: RunRecord, journal: JournalReader, settings: TableSettings, console: Console) -> None:
    """Print the table, or one block for each row where columns would be too narrow to read.

    Rows with failures or errors come first; only the rows that are shown are read.
    """
    choice = choose_rows(journal.outcomes(), len(record.columns), settings.max_rows)
    if not choice.total:
        return
    rows = [_read(chosen, record, journal, settings.max_cell, console) for chosen in choice.rows]
    if rows:
        width = min(settings.width or console.width, console.width)
        grid = _grid(record, rows, console)
        widths = column_widths(grid, len(record.var_names), width)
        if widths is None:
            _print_blocks(record, rows, console)
        else:
            _print_grid(grid, widths, console)
    if choice.hidden:
        more = f"and {choice.hidden:,} more {'row' if choice.hidden == 1 else 'rows'} (use -o to write them all)"
        console.print(Text(f"{marks_for(console).ellipsis} {more}", style="dim"), soft_wrap=True)


def column_widths(grid: Sequence[Sequence[Text]], variables: int, width: int) -> list[int] | None:
    """The width of each column of `grid`, whose first `variables` columns are variables, in a box `width` wide.

    No column gets more than it needs while another lacks space; what is left over goes to the answers. None where
    a column would be cut below the narrowest that can be read.
    """
    needed = [max(_natural_width(text) for text in column) for column in zip(*grid, strict=True)]
    needed[variables:] = [max(needed[variables:])] * len(needed[variables:])
    room = width - 1 - _BORDER * len(needed)
    widths = needed.copy()
    for done, index in enumerate(sorted(range(len(needed)), key=needed.__getitem__)):
        widths[index] = min(needed[index], room // (len(needed) - done))
        room -= widths[index]
    if any(given < min(_NARROWEST_COLUMN, need) for given, need in zip(widths, needed, strict=True)):
        return None
    answers = len(needed) - variables
    return [*widths[:variables], *(given + room // answers for given in widths[variables:])]


def column_titles(record: RunRecord, console: Console) -> list[str]:
    """The provider's name for each column, with the prompt's label on a line below where prompts are compared."""
    several = len({column.prompt_id for column in record.columns}) > 1
    return [
        one_line(column.provider_name, _LONGEST_LABEL, console)
        + (f"\n{one_line(column.prompt_label, _LONGEST_LABEL, console)}" if several else "")
        for column in record.columns
    ]


def _read(chosen: ChosenRow, record: RunRecord, journal: JournalReader, max_cell: int, console: Console) -> ShownRow:
    columns = len(record.columns)
    cells: list[Cell | None] = [None] * columns
    row: Mapping[str, Json] = {}
    for slot in chosen.slots:
        row = journal.row(slot)
        cells[slot % columns] = cell_of(dict(row), max_cell, console)
    values: Mapping[str, Json] = row.get("vars") or {}
    description = (row.get("testCase") or {}).get("description") or f"Test {chosen.index + 1}"
    return ShownRow(
        title=one_line(str(description), _LONGEST_LABEL, console),
        vars=tuple(
            (visible(name, console), value_text(values[name], max_cell, console) if name in values else "")
            for name in record.var_names
        ),
        cells=tuple(cells),
    )


def _grid(record: RunRecord, rows: Sequence[ShownRow], console: Console) -> list[list[Text]]:
    """Every text of the table, the heading first."""
    heading = [Text(visible(name, console)) for name in record.var_names]
    for title in column_titles(record, console):
        name, _, label = title.partition("\n")
        heading.append(Text.assemble(name, ("\n" + label, "not bold dim")) if label else Text(name))
    return [heading, *([*(Text(value) for _, value in row.vars), *_cell_texts(row)] for row in rows)]


def _cell_texts(row: ShownRow) -> Iterator[Text]:
    return (Text("-", style="dim") if cell is None else cell.text() for cell in row.cells)


def _natural_width(text: Text) -> int:
    return max(cell_len(line) for line in text.plain.split("\n"))


def _print_grid(grid: Sequence[Sequence[Text]], widths: Sequence[int], console: Console) -> None:
    table = Table(box=box.ROUNDED, header_style="bold", border_style="dim", show_lines=True)
    for heading, width in zip(grid[0], widths, strict=True):
        table.add_column(heading, width=max(width, 1), overflow="fold", vertical="top")
    for row in grid[1:]:
        table.add_row(*row)
    console.print(table)


def _print_blocks(record: RunRecord, rows: Sequence[ShownRow], console: Console) -> None:
    titles = [title.replace("\n", ", ") for title in column_titles(record, console)]
    for number, row in enumerate(rows):
        if number:
            console.print()
        for name, value in row.vars:
            print_indented(console, Text(f"{name}: {value}", style="bold"))
        if not row.vars:
            print_indented(console, Text(row.title, style="bold"))
        for title, cell in zip(titles, row.cells, strict=True):
            _print_block_line(title, cell, console)


def _print_block_line(title: str, cell: Cell | None, console: Console) -> None:
    verdict = cell.verdict if cell is not None else ("-", "dim")
    parts = [Text.assemble(verdict, " ")] if verdict else []
    parts.append(Text(title if cell is None else f"{title}: "))
    if cell is not None:
        parts.append(cell.body)
    print_indented(console, Text.assemble(*parts), indent=2, hanging=2)
    for reason in cell.reasons if cell is not None else ():
        print_indented(console, Text(reason, style="red"), indent=4, hanging=2)
    if cell is not None and cell.times:
        print_indented(console, Text(cell.times, style="dim"), indent=4)
