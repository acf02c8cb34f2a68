"""Which AWS region a call goes to, and what a mistyped one was probably meant to be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sagemaker_eval.errors import SetupError
from sagemaker_eval.registry import nearest_name

FALLBACK_REGION = "us-east-1"

PRICE_LIST_REGION = "us-east-1"
"""Where the price list of all regions of AWS's main partition is asked for."""

_OTHER_PARTITIONS = ("cn-", "us-gov-", "us-iso", "eu-iso", "eusc-")

_REGION = re.compile(r"[a-z]{2,5}(?:-[a-z]+)+-\d{1,2}")


def resolve_region(
    configured: str | None,
    environ: Mapping[str, str],
    profile_region: str | None,
    notice: Callable[[str], None],
) -> str:
    """The region: the configuration's, AWS_REGION, AWS_DEFAULT_REGION, the profile's, else us-east-1 with a notice.

    Raises `SetupError` for what cannot be the name of a region.
    """
    sources = {
        "`region` of the provider": configured,
        "AWS_REGION": environ.get("AWS_REGION"),
        "AWS_DEFAULT_REGION": environ.get("AWS_DEFAULT_REGION"),
        "`region` of the AWS profile": profile_region,
    }
    for source, region in sources.items():
        if region:
            return _checked(region, source)
    notice(f"no AWS region is configured: using {FALLBACK_REGION} (set `region`, or AWS_REGION)")
    return FALLBACK_REGION


def _checked(region: str, source: str) -> str:
    if _REGION.fullmatch(region):
        return region
    meant = nearest_region(region)
    hint = f"did you mean `{meant}`?" if meant else "write it as AWS does: `us-east-1`, `eu-central-1`"
    raise SetupError(f"`{region}` is not an AWS region (it comes from {source})", hint)


def has_public_prices(region: str) -> bool:
    """Whether the price list knows a region in dollars; other partitions have accounts and currencies of their own."""
    return not region.startswith(_OTHER_PARTITIONS)


def nearest_region(region: str) -> str | None:
    """The region of SageMaker Runtime that `region` is a misspelling of; None where it is a region, or like none."""
    known = known_regions()
    if region in known:
        return None
    swapped = next((name for name in known if sorted(name) == sorted(region)), None)
    return swapped or nearest_name(region, known)


def known_regions() -> tuple[str, ...]:
    """The regions that botocore lists for SageMaker Runtime, in all partitions."""
    import botocore.session

    session = botocore.session.Session()
    partitions = session.get_available_partitions()
    return tuple(
        region for partition in partitions for region in session.get_available_regions("sagemaker-runtime", partition)
    )
