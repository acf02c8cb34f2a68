"""How far a run has come: a bar at a terminal, a few lines elsewhere, both on stderr."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sagemaker_eval.events import CaseFinished, Event, Notice, RunFinished, RunStarted
from sagemaker_eval.model import Outcome
from sagemaker_eval.reporting.figures import counted, duration
from sagemaker_eval.reporting.messages import print_notice

_REFRESHES_PER_SECOND = 10
_LONGEST_SILENCE = 30.0
_SHORTEST_SILENCE = 1.0
_HEARTBEAT = 1.0
_BAR_WIDTH = 40


class Counts:
    """What has become of the cases so far. Adding is what every case pays, so it does nothing else."""

    def __init__(self) -> None:
        self.total = 0
        self.finished = 0
        self.unasserted = 0
        self.outcomes = dict.fromkeys(Outcome, 0)

    def add(self, event: CaseFinished) -> None:
        result = event.result
        self.finished += 1
        self.outcomes[result.outcome] += 1
        if not result.case.row.test.assertions and result.outcome is Outcome.PASSED:
            self.unasserted += 1

    def words(self) -> list[tuple[str, str]]:
        """(text, style) of each count worth telling."""
        passed = self.outcomes[Outcome.PASSED] - self.unasserted
        failed, errored = self.outcomes[Outcome.FAILED], self.outcomes[Outcome.ERRORED]
        words = [(f"{passed:,} passed", "green" if passed else "")]
        if self.unasserted:
            words = [*(words if passed else []), (f"{self.unasserted:,} answered", "")]
        words.append((f"{failed:,} failed", "red" if failed else ""))
        words.append((counted(errored, "error"), "yellow" if errored else ""))
        return words


class Progress:
    """A listener of the engine's events; leave the context to take the bar away.

    `console` writes to stderr. `enabled=False` shows notices alone. `clock` tells seconds, as `time.monotonic` does.
    """

    def __init__(self, console: Console, *, enabled: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._enabled = enabled
        self._clock = clock
        self._counts = Counts()
        self._view: _Bar | _Lines | None = None

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def on_event(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case CaseFinished():
                self._counts.add(event)
                if self._view is not None:
                    self._view.advance()
            case Notice():
                print_notice(self._console, event.message)
            case RunStarted() if self._enabled:
                self._open(event)
            case RunFinished() if self._view is not None:
                self._view.finish(event)
                self._close()

    def tick(self) -> None:
        """Say how far the run is if nothing has been said for half a minute; a thread calls this off a terminal."""
        if self._view is not None:
            self._view.tick()

    def _open(self, event: RunStarted) -> None:
        self._counts.total = event.total
        pace = Pace(self._counts, self._clock)
        terminal = self._console.is_terminal and not self._console.is_dumb_terminal
        self._view = _Bar(self._console, pace) if terminal else _Lines(self._console, pace)
        self._view.start(event)

    def _close(self) -> None:
        if self._view is not None:
            self._view.stop()
            self._view = None


class Pace:
    """Counts over time."""

    def __init__(self, counts: Counts, clock: Callable[[], float]) -> None:
        self.counts = counts
        self.clock = clock
        self._started = clock()

    @property
    def elapsed(self) -> float:
        """Seconds since the run started."""
        return self.clock() - self._started

    def words(self) -> list[str]:
        """Cases a second and the time left, as far as they can be known."""
        counts, elapsed = self.counts, self.elapsed
        if not counts.finished or elapsed <= 0:
            return []
        rate = counts.finished / elapsed
        words = [f"{rate:,.0f}/s" if rate >= 9.95 else f"{rate:.1f}/s"]
        left = counts.total - counts.finished
        if left > 0:
            words.append(f"{_rough(left / rate)} left")
        return words


class _Bar:
    """A bar at the bottom of a terminal, drawn by a thread of its own ten times a second."""

    def __init__(self, console: Console, pace: Pace) -> None:
        self._pace = pace
        self._live = Live(
            console=console,
            get_renderable=self._render,
            refresh_per_second=_REFRESHES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
        )

    def start(self, event: RunStarted) -> None:
        self._live.start(refresh=True)

    def advance(self) -> None:
        """Nothing: the drawing thread looks at the counts."""

    def tick(self) -> None:
        """Nothing: the bar is never silent."""

    def finish(self, event: RunFinished) -> None:
        """Nothing: the bar goes away and the summary follows."""

    def stop(self) -> None:
        self._live.stop()

    def _render(self) -> RenderableType:
        counts = self._pace.counts
        bar = Table.grid(padding=(0, 1))
        done = Text(f"{counts.finished:,}/{counts.total:,}", style="bold")
        bar.add_row(ProgressBar(max(counts.total, 1), counts.finished, width=_BAR_WIDTH), done)
        figures = Text("  ").join(Text(text, style=style) for text, style in counts.words())
        return Group(bar, Text("  ").join([figures, *(Text(word, style="dim") for word in self._pace.words())]))


class _Lines:
    """A line at the start, at every tenth of a way that takes its time, after half a minute of silence, at the end."""

    def __init__(self, console: Console, pace: Pace) -> None:
        self._console = console
        self._pace = pace
        self._next_count = 0
        self._last_time = pace.clock()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._heart = threading.Thread(target=self._beat, name="progress", daemon=True)

    def start(self, event: RunStarted) -> None:
        providers = len({id(column.provider) for column in event.columns})
        prompts = len({column.prompt.id for column in event.columns})
        what = f"{counted(event.total, 'case')}: {counted(providers, 'provider')}, {counted(prompts, 'prompt')}"
        self._print(f"Running {what} (run {event.run_id})")
        self._aim()
        self._heart.start()

    def advance(self) -> None:
        if self._pace.counts.finished >= self._next_count:
            with self._lock:
                self._aim()
                lately = self._pace.clock() - self._last_time < _SHORTEST_SILENCE
                if not lately and self._pace.counts.finished < self._pace.counts.total:
                    self._report()

    def finish(self, event: RunFinished) -> None:
        self.stop()
        counts = self._pace.counts
        done = f"{counts.finished:,} of {counted(counts.total, 'case')}"
        if event.interrupted or event.stopped_by:
            done = f"{'Interrupted' if event.interrupted else 'Stopped'} after {done}"
        else:
            done = f"Finished {counted(counts.total, 'case') if counts.finished == counts.total else done}"
        words = ", ".join(text for text, _ in counts.words())
        self._print(f"{done} in {duration(self._pace.elapsed * 1000)}: {words}")

    def stop(self) -> None:
        self._stopped.set()
        if self._heart.is_alive():
            self._heart.join()

    def _beat(self) -> None:
        while not self._stopped.wait(_HEARTBEAT):
            self.tick()

    def tick(self) -> None:
        """Break a silence that has lasted too long."""
        with self._lock:
            if self._pace.clock() - self._last_time >= _LONGEST_SILENCE:
                self._report()

    def _aim(self) -> None:
        """Set the count that the next line waits for: the next tenth of the total."""
        total = self._pace.counts.total
        tenth = self._pace.counts.finished * 10 // max(total, 1) + 1
        self._next_count = -(-total * tenth // 10)

    def _report(self) -> None:
        counts = self._pace.counts
        words = [*(text for text, _ in counts.words()), *self._pace.words()]
        share = 100 * counts.finished // max(counts.total, 1)
        self._print(f"{counts.finished:,}/{counts.total:,} ({share}%): {', '.join(words)}")

    def _print(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)
        self._last_time = self._pace.clock()


def _rough(seconds: float) -> str:
    """A time to wait, no more precise than it can be known."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
