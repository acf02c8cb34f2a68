"""`sageval sandbox`: the built-in SageMaker Runtime stand-in on its own, for other clients and for experiments."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import typer


def command(
    port: int = typer.Option(0, "--port", min=0, max=65535, help="Port on 127.0.0.1; 0 picks a free one."),
    script: str | None = typer.Option(
        None, "--sandbox-script", "--script", metavar="FILE", help="YAML script of answers and faults."
    ),
) -> None:
    """Serve a local stand-in for SageMaker Runtime until Ctrl-C; print the variables that point AWS clients at it."""
    from sagemaker_eval.reporting.figures import counted
    from sagemaker_eval.sandbox.script import load_script
    from sagemaker_eval.sandbox.server import CONFLICTING_VARIABLES, Sandbox

    stop = threading.Event()
    sandbox = Sandbox(load_script(script), port=port) if script else Sandbox(port=port)
    with sandbox:
        for name, value in sandbox.environment().items():
            typer.echo(f"export {name}={value}")
        typer.echo(f"unset {' '.join(CONFLICTING_VARIABLES)}")
        typer.echo(f"sandbox: serving SageMaker Runtime at {sandbox.url}; Ctrl-C stops it", err=True)
        _wait(stop)
        typer.echo(f"sandbox: answered {counted(sandbox.count(), 'request')}", err=True)


def _wait(stop: threading.Event) -> None:
    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    previous = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not stop.wait(0.2):
            pass
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
