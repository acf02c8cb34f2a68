"""The command line: the list of commands, and the one place where an exception becomes an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from sagemaker_eval import __version__
from sagemaker_eval.cli import cache as cache_command
from sagemaker_eval.cli import delete as delete_command
from sagemaker_eval.cli import eval as eval_command
from sagemaker_eval.cli import export as export_command
from sagemaker_eval.cli import init as init_command
from sagemaker_eval.cli import list as list_command
from sagemaker_eval.cli import merge as merge_command
from sagemaker_eval.cli import probe as probe_command
from sagemaker_eval.cli import regrade as regrade_command
from sagemaker_eval.cli import sandbox as sandbox_command
from sagemaker_eval.cli import schema as schema_command
from sagemaker_eval.cli import show as show_command
from sagemaker_eval.cli import validate as validate_command
from sagemaker_eval.cli.exit_codes import BUG, INTERRUPTED, NOT_STARTED
from sagemaker_eval.cli.failures import print_failure
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
app.command("validate", context_settings={"allow_extra_args": True})(validate_command.command)
app.command("init")(init_command.command)
app.command("probe")(probe_command.command)
app.command("schema")(schema_command.command)
app.command("sandbox")(sandbox_command.command)
app.command("show")(show_command.command)
app.command("export")(export_command.command)
app.command("merge")(merge_command.command)
app.command("regrade", context_settings={"allow_extra_args": True})(regrade_command.command)
app.command("delete")(delete_command.command)
app.add_typer(list_command.app)
app.add_typer(cache_command.app)


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
        print_failure(error)
        return NOT_STARTED
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except LoggedBug as bug:
        return _report_bug(bug)
    except Exception as bug:
        from sagemaker_eval.cli.scrubbing import Scrubber

        return _report_bug(written_down(bug, Scrubber.of_environment(os.environ).text))
    return 0


def _report_bug(bug: LoggedBug) -> int:
    """Say in two lines that the fault is ours, and where the traceback is."""
    sys.stderr.write(
        f"error: this is a bug in sageval {__version__}: {bug.what}\n"
        f"hint: the details are in {bug.path}; please report them at {ISSUES}\n"
    )
    return BUG
