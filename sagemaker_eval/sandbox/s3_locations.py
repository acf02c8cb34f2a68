"""Locations in S3, as SageMaker writes them: `s3://bucket/key`."""

from __future__ import annotations

import re

from sagemaker_eval.sandbox.replies import ACCOUNT

_LOCATION = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(/.*)?", re.DOTALL)


def default_bucket(region: str) -> str:
    """The bucket that the SageMaker SDK gives an account in a region."""
    return f"sagemaker-{region}-{ACCOUNT}"


def split_location(location: str) -> tuple[str, str] | None:
    """Bucket and key, the key without its first slash and possibly empty; None where it is no such location."""
    match = _LOCATION.fullmatch(location)
    return (match[1], (match[2] or "/")[1:]) if match else None
