"""Child processes, measured from outside: wall time, processor time and peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SAGEVAL = str(Path(sys.executable).with_name("sageval"))
_LONGEST = 300.0


@dataclass(frozen=True, slots=True)
class Finished:
    """What a child process took: seconds of wall and of processor time, and its peak of resident memory in MB."""

    wall: float
    processor: float
    peak_mb: float
    output: str


def run(command: Sequence[str], environ: Mapping[str, str], folder: Path = REPOSITORY) -> Finished:
    """Run a command to its end. Raises `RuntimeError` with what it said where it fails or takes over five minutes."""
    with tempfile.TemporaryFile("w+") as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=output, stderr=subprocess.STDOUT)
        watchdog = threading.Timer(_LONGEST, process.kill)
        watchdog.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        watchdog.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{said}")
    return Finished(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / _RSS_UNITS_PER_MB, said)


_RSS_UNITS_PER_MB = 1e6 if sys.platform == "darwin" else 1024.0
"""`ru_maxrss` counts bytes on macOS and kilobytes on Linux."""


def environment(home: Path, url: str = "") -> dict[str, str]:
    """An environment that has nothing of the caller's but the PATH; calls go to `url`, files below `home`."""
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "NO_PROXY": "127.0.0.1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "AKIABENCHMARKBENCHM1",
        "AWS_SECRET_ACCESS_KEY": "benchmark/secret/benchmark/secret/bench1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url,
        "SAGEVAL_CACHE_PATH": str(home / "cache"),
        "SAGEVAL_RUNS_PATH": str(home / "runs"),
    }
