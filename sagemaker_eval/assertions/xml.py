"""Assertions on XML: is-xml and contains-xml, with elements that must be there."""

from __future__ import annotations

from collections.abc import Sequence
from xml.parsers import expat

from sagemaker_eval.assertions.base import ASSERTIONS, PASSED, Check, Subject, decide, shortened
from sagemaker_eval.assertions.values import refuse_unknown_keys, value_reader
from sagemaker_eval.assertions.xml_scanning import Element, fragments
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Verdict
from sagemaker_eval.text.templating.javascript_values import to_text

_Paths = tuple[str, ...]


@ASSERTIONS.register("is-xml")
def is_xml(spec: AssertionSpec) -> Check:
    """The whole output is well-formed XML and has the elements that `value` names by dotted paths."""
    required_paths = value_reader(spec, lambda value: _paths(spec, value))

    def check(subject: Subject) -> Verdict:
        required = required_paths(subject)
        if fault := xml_fault(subject.text):
            return decide(spec, False, f"to be XML; {fault}")
        missing = _missing(fragments(subject.text), required) if required else ()
        return _decided(spec, "be XML", required, missing)

    return check


@ASSERTIONS.register("contains-xml")
def contains_xml(spec: AssertionSpec) -> Check:
    """Some part of the output is XML and has the elements that `value` names by dotted paths."""
    required_paths = value_reader(spec, lambda value: _paths(spec, value))

    def check(subject: Subject) -> Verdict:
        required = required_paths(subject)
        found = fragments(subject.text)
        if not found:
            return decide(spec, False, "to contain XML; no element in it is closed")
        return _decided(spec, "contain XML", required, _missing(found, required))

    return check


def _decided(spec: AssertionSpec, verb: str, required: _Paths, missing: _Paths) -> Verdict:
    if bool(missing) is spec.negated:
        return Verdict(True, 1.0, PASSED, spec)
    elements = f" with {_listed(required)}" if required else ""
    return decide(spec, not missing, f"to {verb}{elements}" + (f"; missing: {_listed(missing)}" if missing else ""))


def _listed(paths: Sequence[str]) -> str:
    return shortened(", ".join(f"`{path}`" for path in paths))


def _missing(found: Sequence[Element], required: _Paths) -> _Paths:
    """The paths that the best fragment lacks: none where one fragment has them all."""
    lacking = (tuple(path for path in required if not root.has_path(path.split("."))) for root in found)
    return min(lacking, key=len)


def _paths(spec: AssertionSpec, value: Json) -> _Paths:
    """The required elements of a value: a list, comma-separated text, or either as `requiredElements`; or none."""
    if isinstance(value, dict):
        refuse_unknown_keys(spec, value, ("requiredElements",))
        value = value.get("requiredElements")
        if isinstance(value, str):
            raise _misshapen(spec)
    if value is None:
        return ()
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")]
    if not isinstance(value, list) or any(isinstance(item, list | dict) or item in ("", None) for item in value):
        raise _misshapen(spec)
    return tuple(to_text(item) for item in value)


def _misshapen(spec: AssertionSpec) -> ConfigError:
    hint = "for example `value: [order.id, order.total]`; leave it out where any XML will do"
    return ConfigError.of(f"the value of `{spec.type}` must be a list of paths to elements", hint=hint)


class _InternalSubset(Exception):
    """A document type declaration that declares something."""


def xml_fault(text: str) -> str | None:
    """What keeps a text from being a well-formed XML document, and where; None where nothing does."""
    parser = expat.ParserCreate(encoding="utf-8", namespace_separator=" ")
    parser.StartDoctypeDeclHandler = _refuse_internal_subset
    try:
        parser.Parse(text.encode("utf-8", "surrogatepass"), True)
    except _InternalSubset:
        return "it declares a document type of its own, which is not judged"
    except expat.ExpatError as error:
        return f"{expat.ErrorString(error.code)} at line {error.lineno}, column {error.offset + 1}"
    return None


def _refuse_internal_subset(name: str, system_id: str | None, public_id: str | None, internal: int) -> None:
    if internal:
        raise _InternalSubset
