"""The command line: the list of commands, and the one place where an exception becomes an exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from sagemaker_eval import __version__
from sagemaker_eval.cli import eval as eval_command
from sagemaker_eval.cli import sandbox as sandbox_command
from sagemaker_eval.cli.exit_codes import BUG, INTERRUPTED, NOT_STARTED
from sagemaker_eval.cli.logs import LoggedBug, written_down
from sagemaker_eval.errors import SagevalError

ISSUES = "https://github.com/sageval/sageval/issues"

app = typer.Typer(
    name="sageval",
    help="Evaluate and compare the models behind Amazon SageMaker endpoints.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("eval", context_settings={"allow_extra_args": True})(eval_command.command)
app.command("sandbox")(sandbox_command.command)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sageval {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    """Evaluate and compare the models behind Amazon SageMaker endpoints."""


def run(arguments: Sequence[str]) -> int:
    """Run the command line with `arguments` and return the exit code. Nothing is raised."""
    try:
        app(args=list(arguments), prog_name="sageval")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except SagevalError as error:
        _print_error(error)
        return NOT_STARTED
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except LoggedBug as bug:
        return _report_bug(bug)
    except Exception as bug:
        return _report_bug(written_down(bug))
    return 0


def _print_error(error: SagevalError) -> None:
    from sagemaker_eval.cli.streams import stderr
    from sagemaker_eval.config.explaining import render_problems
    from sagemaker_eval.errors import ConfigError
    from sagemaker_eval.reporting.messages import print_error

    if isinstance(error, ConfigError):
        sys.stderr.write(render_problems(error).rstrip("\n") + "\n")
    else:
        print_error(stderr(), error.message, error.hint)


def _report_bug(bug: LoggedBug) -> int:
    """Say in two lines that the fault is ours, and where the traceback is."""
    sys.stderr.write(
        f"error: this is a bug in sageval {__version__}: {bug.what}\n"
        f"hint: the details are in {bug.path}; please report them at {ISSUES}\n"
    )
    return BUG
