"""Numbers as people read them."""

from __future__ import annotations

import math

from sagemaker_eval.model import TokenUsage

NOT_AVAILABLE = "n/a"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """`1 case`, `2,000 cases`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def percent(part: int, whole: int) -> str:
    """The share with one decimal; 0 % and 100 % stand for none and all, never for nearly so."""
    if not whole:
        return NOT_AVAILABLE
    if part in (0, whole):
        return "100%" if part else "0%"
    return f"{min(max(100 * part / whole, 0.1), 99.9):.1f}%"


def duration(milliseconds: float | None) -> str:
    """`0.4 ms`, `512 ms`, `1.24 s`, `2 min 5 s`, `1 h 2 min`."""
    if milliseconds is None:
        return NOT_AVAILABLE
    if milliseconds < 999.5:
        return f"{milliseconds:.1f} ms" if milliseconds < 9.95 else f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def tokens(usage: TokenUsage) -> str:
    """`1,200 / 340`: tokens of prompts and of completions; `~` marks counts that are partly estimated."""
    return f"{'~' if usage.estimated else ''}{usage.prompt:,} / {usage.completion:,}"


def dollars(amount: float | None) -> str:
    """`$12.40`, `$0.0031`: two decimals, or the first two digits of less than a cent."""
    if amount is None:
        return NOT_AVAILABLE
    if amount >= 0.01 or amount <= 0:
        return f"${amount:,.2f}"
    return f"${amount:.{1 - math.floor(math.log10(amount))}f}"
