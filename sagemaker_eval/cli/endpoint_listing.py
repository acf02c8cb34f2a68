"""What `sageval list endpoints` does: names from one list, the rest by describing each endpoint."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from sagemaker_eval.cli.notices import Notices
from sagemaker_eval.cli.scrubbing import Scrubber
from sagemaker_eval.cli.streams import stdout, writing_to_stdout
from sagemaker_eval.config.environment import applied, build_environ
from sagemaker_eval.errors import SetupError
from sagemaker_eval.model import AwsSettings, Json
from sagemaker_eval.reporting.figures import counted
from sagemaker_eval.reporting.terminal import visible
from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.control_plane import ControlPlane
from sagemaker_eval.sagemaker.describing import outline
from sagemaker_eval.sagemaker.endpoint_facts import EndpointFacts, VariantFacts
from sagemaker_eval.sagemaker.hints import one_line
from sagemaker_eval.sagemaker.json_service import ServiceFault, Trouble
from sagemaker_eval.sagemaker.session import Target, Targets, static_target

_AT_ONCE = 4
"""Endpoints described at a time: AWS throttles descriptions after a few in a second."""

_ENOUGH_DENIALS = 8
"""Denials without a single description after which nobody is asked any more; policies may name endpoints."""

_HEADINGS = ("name", "status", "kind", "variants", "last modified")
_UNKNOWN = "-"
_LONGEST_REASON = 100


@dataclass(frozen=True, slots=True)
class EndpointsRequest:
    """The options of one `sageval list endpoints`; `process` is the environment that it was started in."""

    name_contains: str | None = None
    region: str | None = None
    profile: str | None = None
    as_json: bool = False
    sandbox_script: str | None = None
    process: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Listing:
    """Endpoints by their names. `known` holds those that could be described; all have a row of ListEndpoints."""

    rows: tuple[Mapping[str, Any], ...]
    known: Mapping[str, EndpointFacts]
    denied: tuple[str, ...] = ()


def list_endpoints(request: EndpointsRequest) -> None:
    """Print the endpoints. Raises `SetupError` where they cannot be listed."""
    scrubber = Scrubber.of_environment(request.process)
    notices = Notices(scrubber)
    with scrubber.errors(), _target(request, notices, scrubber) as target:
        listing = asyncio.run(_listed(request, target))
        with writing_to_stdout():
            if request.as_json:
                typer.echo(json.dumps([_document(row, listing) for row in listing.rows], indent=2))
            elif listing.rows:
                _print_table(listing, stdout())
        _tell(listing, request, target, notices)


@contextmanager
def _target(request: EndpointsRequest, notices: Notices, scrubber: Scrubber) -> Iterator[Target]:
    environ = build_environ(request.process, (), ".env")
    with ExitStack() as stack:
        stack.enter_context(applied(environ))
        if request.sandbox_script is not None:
            from sagemaker_eval.sandbox.script import load_script
            from sagemaker_eval.sandbox.server import REGION, Sandbox

            sandbox = stack.enter_context(Sandbox(load_script(request.sandbox_script)))
            keys = (sandbox.access_key_id, sandbox.secret_access_key)
            yield static_target(sandbox.url, request.region or REGION, sandbox.identity, *keys)
            return
        target = Targets(environ, notices).resolve(AwsSettings(region=request.region, profile=request.profile))
        target.credentials.tell(scrubber.add_credentials)
        yield target


async def _listed(request: EndpointsRequest, target: Target) -> Listing:
    pool = ConnectionPool(_AT_ONCE, proxies=request.sandbox_script is None)
    plane = ControlPlane(target, pool)
    wanted = {"SortBy": "Name", "SortOrder": "Ascending"}
    if request.name_contains:
        wanted["NameContains"] = request.name_contains
    try:
        rows = await plane.items("ListEndpoints", wanted, "Endpoints")
        return await _described(plane, rows)
    except ServiceFault as fault:
        raise SetupError(fault.message, fault.hint) from fault
    finally:
        await pool.close()


async def _described(plane: ControlPlane, rows: Sequence[Mapping[str, Any]]) -> Listing:
    turns = asyncio.Semaphore(_AT_ONCE)
    denied: dict[str, None] = {}
    allowed: list[bool] = []

    async def facts_of(name: str) -> EndpointFacts | None:
        async with turns:
            if len(allowed) >= _ENOUGH_DENIALS and not any(allowed):
                return None
            try:
                facts = await outline(plane, name)
            except ServiceFault as fault:
                if fault.trouble is Trouble.DENIED:
                    allowed.append(False)
                    denied["DescribeEndpoint"] = None
                return None
            allowed.append(True)
            return facts

    found = await asyncio.gather(*(facts_of(row["EndpointName"]) for row in rows))
    known = {facts.name: facts for facts in found if facts is not None}
    denied |= {operation: None for facts in known.values() for operation in facts.denied}
    return Listing(tuple(rows), known, tuple(denied))


def _tell(listing: Listing, request: EndpointsRequest, target: Target, notices: Notices) -> None:
    if not listing.rows:
        like = f" whose name contains `{request.name_contains}`" if request.name_contains else ""
        notices(f"there is no endpoint{like} in {target.region}")
    elif listing.denied:
        actions = ", ".join(f"`sagemaker:{operation}`" for operation in listing.denied)
        notices(f"not everything is shown: the caller may not {actions}")
    elif missing := len(listing.rows) - len(listing.known):
        notices(f"{counted(missing, 'endpoint')} could not be described")


def _print_table(listing: Listing, console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in _HEADINGS:
        table.add_column(heading, overflow="fold")
    for row in listing.rows:
        table.add_row(*(visible(cell, console) for cell in _cells(row, listing.known.get(row["EndpointName"]))))
    console.print(table)


def _cells(row: Mapping[str, Any], facts: EndpointFacts | None) -> tuple[str, ...]:
    moment = _moment(row.get("LastModifiedTime"))
    reason = f": {one_line(facts.failure_reason, _LONGEST_REASON)}" if facts and facts.failure_reason else ""
    return (
        str(row["EndpointName"]),
        f"{row.get('EndpointStatus') or _UNKNOWN}{reason}",
        (facts and facts.kind) or _UNKNOWN,
        _variants(facts.variants) if facts else _UNKNOWN,
        f"{moment:%Y-%m-%d %H:%M} UTC" if moment else _UNKNOWN,
    )


def _variants(variants: Sequence[VariantFacts]) -> str:
    """One line for each: `ml.g5.xlarge x 2`, with name and share where there are several."""
    whole = sum(variant.weight or 0.0 for variant in variants)
    return "\n".join(_variant(variant, whole, alone=len(variants) == 1) for variant in variants) or _UNKNOWN


def _variant(variant: VariantFacts, whole: float, alone: bool) -> str:
    if variant.serverless_concurrency is not None:
        machines = f"{variant.serverless_concurrency} at a time"
    elif variant.pools:
        machines = ", ".join(f"{kind} x {count}" for kind, count in variant.pools)
    else:
        count = "" if variant.instances is None else f" x {variant.instances}"
        machines = f"{variant.instance_type or _UNKNOWN}{count}"
    share = f" {(variant.weight or 0.0) / whole:.0%}" if whole else ""
    return machines if alone else f"{variant.name}{share}: {machines}"


def _document(row: Mapping[str, Any], listing: Listing) -> dict[str, Json]:
    """An endpoint as `--json` shows it; what is not known is null."""
    facts = listing.known.get(row["EndpointName"])
    moment = _moment(row.get("LastModifiedTime"))
    return {
        "name": row["EndpointName"],
        "status": row.get("EndpointStatus"),
        "arn": row.get("EndpointArn"),
        "kind": facts and facts.kind,
        "variants": facts and list(_variant_documents(facts.variants)),
        "dataCapture": facts and facts.data_capture,
        "failureReason": facts and facts.failure_reason,
        "lastModified": f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None,
    }


def _variant_documents(variants: Iterable[VariantFacts]) -> Iterator[dict[str, Json]]:
    for variant in variants:
        yield {
            "name": variant.name,
            "weight": variant.weight,
            "instanceType": variant.instance_type,
            "instances": variant.instances,
            "maxConcurrency": variant.serverless_concurrency,
        }


def _moment(seconds: Json) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int | float) else None
