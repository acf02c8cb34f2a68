"""The values of `format` that are checked, as ajv-formats 3 checks them.

`date`, `time`, `date-time`, `iso-time`, `iso-date-time`, `duration`, `uri`, `uri-reference`, `uri-template`, `url`,
`email`, `hostname`, `ipv4`, `ipv6`, `regex`, `uuid`, `json-pointer`, `json-pointer-uri-fragment`,
`relative-json-pointer`, `byte`, `int32` and `int64` are checked. `float`, `double`, `password` and `binary` are known
and hold of every value. Any other name is refused with the schema that holds it; so are the internationalised formats
of JSON Schema (`iri`, `idn-email`, `idn-hostname`), which Ajv does not know. `uri` and `uri-reference` keep to RFC 3986
where ajv-formats lets a port of letters or a quotation mark pass.
"""

from __future__ import annotations

import calendar
import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import cache

from sagemaker_eval.assertions.regex.patterns import PatternError, compile_pattern
from sagemaker_eval.model import Json

Holds = Callable[[Json], bool]

_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_TIME = re.compile(r"(\d\d):(\d\d):(\d\d)(?:\.\d+)?([Zz]|([+-])(\d\d)(?::?(\d\d))?)?", re.ASCII)
_DATE_AND_TIME = re.compile(r"[Tt\s\ufeff]")

_ANY_CASE = re.IGNORECASE | re.ASCII
_HEX = "%[0-9a-f]{2}"
_NAME = r"[a-z0-9\-._~!$&'()*+,;=]"
_PATH_CHARACTER = rf"(?:{_NAME}|[:@]|{_HEX})"
_AUTHORITY = rf"(?:(?:{_NAME}|:|{_HEX})*@)?(?:\[(?P<literal>[^\]]*)\]|(?:{_NAME}|{_HEX})*)(?::\d*)?"
_SEGMENTS = rf"(?:/{_PATH_CHARACTER}*)*"
_ROOTLESS = rf"{_PATH_CHARACTER}+{_SEGMENTS}"
_HIERARCHY = rf"(?://{_AUTHORITY}{_SEGMENTS}|/(?:{_ROOTLESS})?|{_ROOTLESS})"
_TAIL = rf"(?:\?(?:{_PATH_CHARACTER}|[/?])*)?(?:#(?:{_PATH_CHARACTER}|[/?])*)?"
_IP_FUTURE = rf"v[0-9a-f]+\.(?:{_NAME}|:)+"

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_WIDE_LABEL = r"(?:[a-z0-9\u00a1-\uffff]+-)*[a-z0-9\u00a1-\uffff]+"
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_VARIABLE = rf"(?:[a-z0-9_]|{_HEX})+(?::[1-9]\d{{0,3}}|\*)?"


@cache
def _matcher(pattern: str, flags: re.RegexFlag) -> Callable[[str], re.Match[str] | None]:
    """Compiled on first use: together these patterns take longer to compile than most runs need to start."""
    return re.compile(pattern, flags).fullmatch


def _pattern(pattern: str, flags: re.RegexFlag = _ANY_CASE) -> Holds:
    return lambda text: _matcher(pattern, flags)(text) is not None


def _date(text: str) -> bool:
    """RFC 3339 full-date; a year 0000 exists there."""
    if not (found := _DATE.fullmatch(text)):
        return False
    year, month, day = map(int, found.groups())
    return 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1] + (month == 2 and calendar.isleap(year))


def _time(text: str, with_zone: bool = True) -> bool:
    """RFC 3339 full-time; a leap second is one only where it is 23:59:60 in UTC."""
    if not (found := _TIME.fullmatch(text)):
        return False
    hour, minute, second = int(found[1]), int(found[2]), int(found[3])
    zone_hour, zone_minute = int(found[6] or 0), int(found[7] or 0)
    if zone_hour > 23 or zone_minute > 59 or (with_zone and not found[4]):
        return False
    if second < 60:
        return hour <= 23 and minute <= 59
    offset = (zone_hour * 60 + zone_minute) * (-1 if found[5] == "-" else 1)
    return second == 60 and hour <= 23 and minute <= 59 and (hour * 60 + minute - offset) % 1440 == 1439


def _date_and_time(text: str, with_zone: bool = True) -> bool:
    parts = _DATE_AND_TIME.split(text)
    return len(parts) == 2 and _date(parts[0]) and _time(parts[1], with_zone)


def _address(kind: type[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> Holds:
    def holds(text: str) -> bool:
        try:
            kind(text)
        except ValueError:
            return False
        return "%" not in text

    return holds


_is_ipv4, _is_ipv6 = _address(ipaddress.IPv4Address), _address(ipaddress.IPv6Address)


def _uri(pattern: str) -> Holds:
    """RFC 3986; what stands in square brackets is an IPv6 address or a later one."""

    def holds(text: str) -> bool:
        if not (found := _matcher(pattern, _ANY_CASE)(text)):
            return False
        literal = found["literal"]
        return literal is None or _is_ipv6(literal) or _matcher(_IP_FUTURE, _ANY_CASE)(literal) is not None

    return holds


_URL = (
    rf"(?:https?|ftp)://(?:\S+@)?(?:(?P<ipv4>[1-9]\d{{0,2}}(?:\.(?:0|[1-9]\d{{0,2}})){{3}})|{_WIDE_LABEL}(?:\.{_WIDE_LABEL})*"
    r"\.[a-z\u00a1-\uffff]{2,})(?::\d{2,5})?(?:/\S*)?"
)


def _url(text: str) -> bool:
    """A web address whose host has a dotted name or a public IPv4 address."""
    found = _matcher(_URL, re.IGNORECASE)(text)
    return found is not None and (found["ipv4"] is None or _is_public(found["ipv4"]))


def _is_public(text: str) -> bool:
    parts = [int(part) for part in text.split(".")]
    private = (
        parts[0] in (10, 127) or parts[:2] in ([169, 254], [192, 168]) or (parts[0] == 172 and 16 <= parts[1] <= 31)
    )
    return not private and 1 <= parts[0] <= 223 and max(parts) <= 255 and 1 <= parts[3] <= 254


def _regex(text: str) -> bool:
    """A pattern with or without the `u` flag; not with `\\Z`, in JavaScript a mere Z."""
    return re.search(r"[^\\]\\Z", text) is None and any(_compiles(text, unicode) for unicode in (False, True))


def _compiles(text: str, unicode: bool) -> bool:
    try:
        compile_pattern(text, unicode)
    except PatternError:
        return False
    return True


def _integer(bits: int | None) -> Holds:
    def holds(value: Json) -> bool:
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return whole and (bits is None or -(2 ** (bits - 1)) <= value < 2 ** (bits - 1))

    return holds


def _anything(value: Json) -> bool:
    return True


TEXT_FORMATS: Mapping[str, Holds] = {
    "date": _date,
    "time": _time,
    "date-time": _date_and_time,
    "iso-time": lambda text: _time(text, with_zone=False),
    "iso-date-time": lambda text: _date_and_time(text, with_zone=False),
    "duration": _pattern(
        r"P(?:\d+W|(?=.)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)", re.ASCII
    ),
    "uri": _uri(rf"[a-z][a-z0-9+\-.]*:{_HIERARCHY}{_TAIL}"),
    "uri-reference": _uri(rf"(?:[a-z][a-z0-9+\-.]*:)?{_HIERARCHY}?{_TAIL}"),
    "uri-template": _pattern(
        rf"(?:[^\x00-\x20\"'<>%\\^`{{|}}]|{_HEX}|\{{[+#./;?&=,!@|]?{_VARIABLE}(?:,{_VARIABLE})*\}})*"
    ),
    "url": _url,
    "email": _pattern(rf"{_ATOM}(?:\.{_ATOM})*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"),
    "hostname": _pattern(rf"(?=.{{1,253}}\.?\Z){_LABEL}(?:\.{_LABEL})*\.?"),
    "ipv4": _is_ipv4,
    "ipv6": _is_ipv6,
    "regex": _regex,
    "uuid": _pattern(r"(?:urn:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "json-pointer": _pattern(r"(?:/(?:[^~/]|~[01])*)*"),
    "json-pointer-uri-fragment": _pattern(rf"#(?:/(?:[a-z0-9_\-.!$&'()*+,;:=@]|{_HEX}|~[01])*)*"),
    "relative-json-pointer": _pattern(r"(?:0|[1-9]\d*)(?:#|(?:/(?:[^~/]|~[01])*)*)"),
    "byte": _pattern(r"(?:[A-Z0-9+/]{4})*(?:[A-Z0-9+/]{2}==|[A-Z0-9+/]{3}=)?"),
    "password": _anything,
    "binary": _anything,
}
"""What is asked of texts; any other value has every one of these formats."""

NUMBER_FORMATS: Mapping[str, Holds] = {
    "int32": _integer(32),
    "int64": _integer(None),
    "float": _anything,
    "double": _anything,
}
"""What is asked of numbers. An `int64` is any whole number, as JavaScript has no way to tell more."""


def has_format(value: Json, name: str) -> bool:
    """Whether a value has the format of that name; True where the format is not about values of its type."""
    if isinstance(value, str):
        return name not in TEXT_FORMATS or TEXT_FORMATS[name](value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return name not in NUMBER_FORMATS or NUMBER_FORMATS[name](value)
    return True
