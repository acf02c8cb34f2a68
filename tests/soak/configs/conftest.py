"""Whole configurations that run, and the ways in which they are changed at random."""

from __future__ import annotations

import copy
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

import pytest

from sagemaker_eval.config.yaml_loader import parse_yaml
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json

ROOT = Path(__file__).parent.parent.parent.parent

LEFT_ALONE = frozenset({"expected.json", "arguments.json", "differences.json", "sandbox.yaml", "README.md"})
"""Files that a run does not read, or that say how slow and faulty the sandbox is."""
MAPS = frozenset({"vars", "metadata", "tags"})
"""Keys with maps of the user's own: most values in them are as good as any other."""
WORDING = frozenset({"description", "prompts", "raw", "value", "metric", "label", "id", "suffix", "prefix"})
"""Keys under which most texts are as good as any other."""
DOCUMENTS = frozenset({".yaml", ".yml", ".json"})
MOST_REPEATS = 2

LITERALS: tuple[str, ...] = (
    *("", " ", "x", "1", "null", "yes", "a\nb\n", "ünïcode☕", "\u202e", "e\u0301" * 9, "a" * 20_000, "\t", '"', "\\n"),
    *("{{n}}", "{{ n | upper }}", "{% if n %}y{% endif %}", "{{env.NO_SUCH}}", "{{ n.a.b[0] }}", "<b>&amp;", "{", "}"),
)
"""Texts that may stand wherever text may stand."""
TEXTS: tuple[str, ...] = (
    *("\u0000", "a" * 200_000, "\ud800"),
    *("{{", "{{n}}", "{{ n | nope }}", "{% if", "{% for %}", "{% endfor %}", "{{ n.a.b[0] }}", "{{ 1 / 0 }}", "{# x"),
    *("{% for i in range(99999999) %}x{% endfor %}", "{{ env.HOME }}", "{{env.NO_SUCH}}", "{{ ''.__class__ }}"),
    *("file://", "file://missing.txt", "file://.", "file://*", "file://{a,b}.yaml", "file://x.py:f", "a/b/", "*.txt"),
    *("sagemaker:openai:e", "sagemaker:", "echo", "echo:x", "python:x.py", "not-contains", "llm-rubric", "is-json"),
    *("(", "[a-", "$..[", "$.a", "#", "&a", "*a", "!!x", "<<", "0x10", "2020-01-01", "javascript: output", "=> 1"),
)
SCALARS: tuple[Json, ...] = (None, True, False, 0, -1, 1, 2.5, -0.0, 1e308, 10**20, 2**63, 5e-324)
CONTAINERS: tuple[Json, ...] = (
    *([], {}, [None], [[]], [{}], ["a", "b", [2]], {"a": None}, {"": 1}, {"a": {"b": [1]}}, {"raw": "x"}),
    *({"id": "echo"}, {"$ref": "#/prompts"}, {"$ref": "#/no/such"}, {"vars": {"n": [1, 2]}}, {"type": "contains"}),
)
KEYS: tuple[str, ...] = (
    *("prompts", "providers", "tests", "vars", "assert", "type", "value", "config", "id", "label", "raw", "options"),
    *("x-anything", "threshold", "weight", "delay", "transform", "provider", "python", "", "1", "a b", "__proto__"),
    *("maxConcurrency", "repeat", "scenarios", "defaultTest", "evaluateOptions", "commandLineOptions", "metadata"),
    *("outputPath", "env", "filters", "nunjucksFilters", "derivedMetrics", "plugins", "storeOutputAs", "$ref"),
)
BYTES: tuple[bytes, ...] = (b"\x00", b"\xff", b"\xef\xbb\xbf", b"\r", b"\t", b'"', b"'", b"{", b"}", b"[", b":", b"\\")

PYTHON = (
    *("return None", "return object()", "return float('nan')", "return {1: 2}", "return [[]] * 3", "return 'x' * 9999"),
    *("raise ValueError('no\\nluck')", "raise SystemExit(3)", "raise", "print('printed'); return 'x'", "yield 1"),
    *("return lambda: 1", "return b'bytes'", "return {'output': object()}", "return {'error': ['x']}", "return -1"),
    *("return {'output': 'x', 'tokenUsage': 7}", "assert False", "return globals()", "return __import__('no_such')"),
)
JAVASCRIPT = (
    *("throw new Error('no luck')", "throw null", "return undefined", "return null", "return 1n", "return Symbol('x')"),
    *("const a = {}; a.a = a; return a", "return NaN", "return () => 1", "return new Promise(() => {})", "return []"),
    *("return {get output() { throw 1 }}", "return new Date(NaN)", "return 'x'.repeat(99999)", "return f()", "}{"),
    *("return {pass: 'maybe'}", "return {vars: null, assert: 3}", "return require('fs')", "return this", "return -1"),
)
TABLES = (
    "",
    "a\n",
    "a,b\n1\n",
    '"',
    "a,a\n1,2\n",
    "\x00,\x01\n1,2\n",
    "__expected\nnope: x\n",
    "a\r1\r2\r",
    "a;b\n1;2\n",
)
LINES = ("", "{", "[]\n", '{"vars": {}}\n{\n', '{"vars": {"n": 1}}\n7\n', '{"vars": {"n": 1}, "vars": {}}\n', "\n\n\n")

Place: TypeAlias = tuple[Any, ...]
"""The steps to a value of a document."""


@dataclass(frozen=True)
class Seed:
    """A configuration that runs: its folder, and the command line and environment that belong to it."""

    folder: Path
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def configs(self) -> frozenset[str]:
        """The names of the configurations, as far as the command line has them."""
        words = zip(self.arguments, self.arguments[1:], strict=False)
        return frozenset(Path(value).name for option, value in words if option == "-c")

    def copied_to(self, folder: Path) -> None:
        """Copy the files, without other configurations that stand beside this one."""
        beside = {path.name for path in self.folder.glob("*.yaml")} if self.folder.name == "configs" else set()
        shutil.copytree(self.folder, folder, ignore=lambda _, names: beside.intersection(names) - self.configs)


@pytest.fixture(scope="session")
def seeds() -> tuple[list[Seed], list[Seed]]:
    """The corpus, which asks `echo` and scripts; and the configurations of the project, which ask SageMaker."""
    return [*_corpus()], [*_shown()]


def _corpus() -> Iterator[Seed]:
    for path in sorted((ROOT / "tests" / "corpus").glob("*/expected.json")):
        given = path.parent / "arguments.json"
        options = json.loads(given.read_text("utf-8")) if given.exists() else {}
        arguments = options.get("arguments", ["-c", "promptfooconfig.yaml"])
        yield Seed(path.parent, (*arguments, "--sandbox"), tuple(options.get("environment", {}).items()))


def _shown() -> Iterator[Seed]:
    for path in sorted((ROOT / "configs").glob("*.yaml")):
        if path.name not in LEFT_ALONE:
            yield Seed(path.parent, ("-c", path.name, "--sandbox"))
    for path in sorted((ROOT / "examples").glob("*/sageval.yaml")):
        script = ("--sandbox-script", "sandbox.yaml") if (path.parent / "sandbox.yaml").exists() else ("--sandbox",)
        yield Seed(path.parent, ("-c", path.name, *script))


@pytest.fixture(scope="session")
def mutate() -> Callable[[Seed, Path, Random], str]:
    """`mutate(seed, folder, rng)` changes one file of a copy of a seed, and says which and how."""
    return mutated


def mutated(seed: Seed, folder: Path, rng: Random) -> str:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in LEFT_ALONE]
    configs = [path for path in files if path.name in seed.configs]
    path = rng.choice(configs if configs and rng.random() < 0.6 else files)
    ways: list[Callable[[Path, Random], None]] = [change_document, change_text]
    weights = [80, 20]
    if path not in configs:
        ways, weights = [change_document, change_text, change_file], [50, 25, 25]
    way = rng.choices(ways, weights)[0]
    way(path, rng)
    return f"{way.__name__}: {path.name}"


def change_document(path: Path, rng: Random) -> None:
    """Change a YAML or JSON document in one place; mostly where any value will do. Other files change as text."""
    try:
        document = parse_yaml(path.read_text("utf-8"), path.name) if path.suffix in DOCUMENTS else None
    except (ConfigError, UnicodeDecodeError):
        document = None
    places = places_in(document)
    if not places:
        change_text(path, rng)
        return
    if rng.random() < 0.7:
        change_gently(document, places, rng)
    else:
        change_structure(document, rng.choice(places), rng.choice(places), rng)
    moderated(document)
    text = json.dumps(document, indent=rng.choice((None, 2)), ensure_ascii=rng.random() < 0.5)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def places_in(value: Json, place: Place = ()) -> list[Place]:
    """The places of all values of a document but the document itself."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for step, inner in steps for found in ((*place, step), *places_in(inner, (*place, step)))]


def parent_of(document: Json, place: Place) -> Any:
    for step in place[:-1]:
        document = document[step]
    return document


def change_gently(document: Json, places: list[Place], rng: Random) -> None:
    """Put another value into a map of the user's own, or more words into a text."""
    free = [place for place in places if MAPS.intersection(place[:-1])]
    worded = [place for place in places if WORDING.intersection(place)]
    if free and (not worded or rng.random() < 0.6):
        parent, key = parent_of(document, rng.choice(free)), rng.choice(KEYS)
        if isinstance(parent, dict) and rng.random() < 0.3:
            parent[key] = any_value(rng)
        else:
            place = rng.choice(free)
            parent_of(document, place)[place[-1]] = any_value(rng)
        return
    place = rng.choice(worded or places)
    text = parent_of(document, place)[place[-1]]
    if isinstance(text, str):
        at = rng.choice((0, len(text)))
        parent_of(document, place)[place[-1]] = text[:at] + rng.choice(LITERALS) + text[at:]


def any_value(rng: Random) -> Json:
    return copy.deepcopy(rng.choice(rng.choice((LITERALS, LITERALS, TEXTS, SCALARS, CONTAINERS))))


def change_structure(document: Json, place: Place, other: Place, rng: Random) -> None:
    """Delete, double, move, swap, nest, rename or replace."""
    parent, key = parent_of(document, place), place[-1]
    far, far_key = parent_of(document, other), other[-1]
    match rng.randrange(8):
        case 0:
            del parent[key]
        case 1 if isinstance(parent, list):
            parent.insert(key, copy.deepcopy(parent[key]))
        case 1 | 2 if isinstance(parent, dict):
            parent[rng.choice(KEYS)] = parent.pop(key)
        case 3:
            parent[key] = copy.deepcopy(far[far_key])
        case 4:
            parent[key], far[far_key] = copy.deepcopy(far[far_key]), copy.deepcopy(parent[key])
        case 5:
            parent[key] = [parent[key]]
        case 6:
            parent[key] = {rng.choice(KEYS): parent[key]}
        case _:
            parent[key] = any_value(rng)


def moderated(value: Json) -> None:
    """Bound how often cases are repeated: what is tested is how a run ends, not how long it takes."""
    for place in places_in(value):
        parent = parent_of(value, place)
        if place[-1] == "repeat" and re.fullmatch(r"\d{2,}(\.0*)?", str(parent[place[-1]]).strip()):
            parent[place[-1]] = MOST_REPEATS


def change_text(path: Path, rng: Random) -> None:
    """Change characters, line ends or lines of a file, or cut it off."""
    content = path.read_bytes()
    lines = content.splitlines(keepends=True) or [b""]
    at, line = rng.randrange(len(content) + 1), rng.randrange(len(lines))
    changes: tuple[Callable[[], bytes], ...] = (
        lambda: content.replace(b"\n", b"\r\n"),
        lambda: b"\xef\xbb\xbf" + content,
        lambda: content + b"\n\n",
        lambda: content.replace(b"  ", b"\t", 1),
        lambda: content[:at],
        lambda: content[:at] + content[at + rng.randrange(1, 4) :],
        lambda: content[:at] + content[at : at + 1] * 2 + content[at + 1 :],
        lambda: content[:at] + rng.choice(BYTES) + content[at + rng.randrange(2) :],
        lambda: b"".join(lines[:line] + lines[line + 1 :]),
        lambda: b"".join(lines[:line] + lines[line : line + 1] + lines[line:]),
    )
    path.write_bytes(rng.choice(changes)())


def change_file(path: Path, rng: Random) -> None:
    """Take a file away, empty it, put a folder in its place, or write something else of its kind."""
    text = path.read_bytes().decode("utf-8", "replace")
    path.unlink()
    chance = rng.random()
    if chance < 0.1:
        return
    if chance < 0.15:
        path.mkdir()
        return
    match path.suffix:
        case ".py":
            text = python_script(text, rng)
        case ".js" | ".cjs":
            text = javascript(text, rng)
        case ".csv":
            text = rng.choice(TABLES)
        case ".jsonl":
            text = rng.choice(LINES)
        case _:
            text = rng.choice(TEXTS)
    path.write_bytes(text.encode("utf-8", "surrogatepass"))


def python_script(text: str, rng: Random) -> str:
    """The functions of a script, all doing something odd; at times the script does so itself."""
    names = re.findall(r"^(?:async )?def (\w+)", text, re.M)
    head = rng.choice(
        ("", "", "", "raise RuntimeError('at import')\n", "import sys; sys.exit(1)\n", "print('loaded')\n")
    )
    start = rng.choice(("", "", "async "))
    return head + "".join(f"{start}def {name}(*_, **__):\n    {rng.choice(PYTHON)}\n" for name in names or ["main"])


def javascript(text: str, rng: Random) -> str:
    """A module whose functions all do something odd."""
    names = set(re.findall(r"(?:exports\.|^\s+)(\w+)(?: =|:)", text, re.M))
    function = f"function f() {{ {rng.choice(JAVASCRIPT)} }}"
    named = "".join(f"module.exports.{name} = f;\n" for name in sorted(names - {"exports"}))
    return f"{rng.choice(('', '', 'throw 1;', 'const x = '))}{function}\nmodule.exports = f;\n{named}"
