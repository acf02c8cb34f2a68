"""What `sageval eval` was asked to do, as data: the options after parsing, with the environment's say applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.running.selection import Filters

HONOURED = (
    "PROMPTFOO_CSV_DELIMITER",
    "PROMPTFOO_EVAL_TIMEOUT_MS",
    "PROMPTFOO_FAILED_TEST_EXIT_CODE",
    "PROMPTFOO_MAX_EVAL_TIME_MS",
    "PROMPTFOO_PASS_RATE_THRESHOLD",
    "PROMPTFOO_PROMPT_SEPARATOR",
)
"""The variables of promptfoo that mean the same here."""


@dataclass(frozen=True, slots=True)
class EvalRequest:
    """The options of one `sageval eval`; `process` is the environment that it was started in.

    None and empty: not given, so that the configuration decides.
    """

    config: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    tests: str | None = None
    outputs: tuple[str, ...] = ()
    max_concurrency: int | None = None
    cache: bool | None = None
    delay_ms: int | None = None
    repeat: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    env_files: tuple[str, ...] = ()
    description: str | None = None
    grader: str | None = None
    filters: Filters = field(default_factory=Filters)
    failing: str | None = None
    errors_only: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    table: bool | None = None
    table_cell_max_length: int | None = None
    progress_bar: bool | None = None
    as_json: bool = False
    write: bool | None = None
    verbose: bool | None = None
    sandbox: bool = False
    sandbox_script: str | None = None
    dry_run: bool = False
    strict: bool = False
    check_only: bool = False
    """Nothing is sent: whatever only a call needs (region, profile, cache) is left alone."""
    fail_under: float | None = None
    failed_exit_code: int | None = None
    max_calls: int | None = None
    max_cost: float | None = None
    """US dollars that the endpoints' instances may cost."""
    max_time_s: float | None = None
    resume: str | None = None
    retry_errors: str | None = None
    rerun: str | None = None
    allow_changes: bool = False
    record: str | None = None
    replay: str | None = None
    shard: str | None = None
    shard_by: str | None = None
    shard_from: str | None = None
    regraded: str | None = None
    """Whose answers are judged again: a run, or a file."""
    process: Mapping[str, str] = field(default_factory=dict, repr=False)


def refuse_stray(values: Sequence[str]) -> None:
    """Raises `ConfigError` for values that belong to no option: a shell expanded a glob, or promptfoo's `-c a b`."""
    if values:
        raise ConfigError.of(
            f"unexpected value `{values[0]}`",
            hint=f"options take one value each; repeat the option for several: `-c one.yaml -c {values[0]}`",
        )


def pairs_of(option: str, values: Sequence[str]) -> list[tuple[str, str]]:
    """`K=V` strings as pairs. Raises `ConfigError` for one without a key or an equals sign."""
    pairs = []
    for value in values:
        name, sign, text = value.partition("=")
        if not (name and sign):
            raise ConfigError.of(f"{option} takes `name=value`, not `{value}`")
        pairs.append((name, text))
    return pairs


def one_of(option: str, value: str | None, known: Sequence[str]) -> str | None:
    """The value of an option that takes a few words only. Raises `ConfigError` for any other."""
    if value is None or value in known:
        return value
    raise ConfigError.of(f"{option} takes {' or '.join(f'`{word}`' for word in known)}, not `{value}`")


def filters_of(
    *,
    pattern: str | None,
    first_n: int | None,
    range_: str | None,
    sample: int | None,
    sample_seed: int | None,
    providers: str | None,
    prompts: str | None,
    metadata: Sequence[str],
) -> Filters:
    """The filters that the options describe. Raises `ConfigError` for a malformed range or metadata pair."""
    return Filters(
        pattern=pattern,
        first_n=first_n,
        range=None if range_ is None else _range(range_),
        sample=sample,
        sample_seed=sample_seed,
        providers=providers,
        prompts=prompts,
        metadata=tuple(pairs_of("--filter-metadata", metadata)),
    )


def _range(text: str) -> tuple[int | None, int | None]:
    start, sign, end = text.partition(":")
    if not sign or not all(part == "" or part.isdecimal() for part in (start, end)):
        raise ConfigError.of(f"--filter-range takes `start:end`, not `{text}`", hint="for example `0:10` or `10:`")
    return (int(start) if start else None, int(end) if end else None)


def number_from(environ: Mapping[str, str], name: str, low: float, high: float) -> float | None:
    """The number in an environment variable, None where it is not set. Raises `ConfigError` for anything else."""
    text = environ.get(name, "").strip()
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise ConfigError.of(f"the environment variable {name} is `{text}`; it takes a number from {low:g} to {high:g}")
    return number


def is_set(environ: Mapping[str, str], name: str) -> bool:
    """Whether a switch is on: set to anything but empty, 0, false or no."""
    return environ.get(name, "").strip().lower() not in ("", "0", "false", "no")


def unheeded(environ: Mapping[str, str]) -> list[str]:
    """A note for each variable of promptfoo that is set and has no effect here."""
    names = sorted(name for name in environ if name.startswith("PROMPTFOO_") and name not in HONOURED)
    return [f"{name} is set, and has no effect on sageval" for name in names]
