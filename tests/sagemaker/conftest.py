"""A computer without AWS: no keys, no profile, no metadata service, no proxy, whatever the real one has."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy") or name in {"REQUESTS_CA_BUNDLE", "BOTO_CONFIG"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.fixture
def aws_config(tmp_path: Path) -> Callable[[str], Path]:
    """Writes ~/.aws/config."""

    def write(text: str) -> Path:
        path = tmp_path / "config"
        path.write_text(text)
        return path

    return write
