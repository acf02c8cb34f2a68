"""Where the requests for a container go."""

from __future__ import annotations

import pytest

from sagemaker_eval.sagemaker.container import invocations_url, is_loopback


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/invocations"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/invocations"),
        ("HTTPS://My-Host", "https://my-host/invocations"),
        ("http://h/v1/Chat/", "http://h/v1/Chat/"),
        ("http://h/ä%20b?q=ö", "http://h/%C3%A4%20b?q=%C3%B6"),
        ("http://h?key=1", "http://h/invocations?key=1"),
    ],
)
def test_invocations_unless_the_url_has_a_path(url: str, asked: str) -> None:
    assert invocations_url(url) == asked


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("[::1]", True),
        ("0.0.0.0", True),
        ("localhost", True),
        ("model.localhost.", True),
        ("localhost.example", False),
        ("10.0.0.1", False),
        ("model", False),
    ],
)
def test_hosts_of_this_machine(host: str, local: bool) -> None:
    assert is_loopback(f"http://{host}:8080") is local
