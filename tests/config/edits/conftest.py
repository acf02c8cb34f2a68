"""The configurations that edits are made in, the keys in them that entries know, and their validation."""

from __future__ import annotations

import glob
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, TypeAlias, Union, get_args, get_origin

import pytest
import yaml

from sagemaker_eval.cli.app import run
from sagemaker_eval.config.fields import Shapes
from sagemaker_eval.config.schema import (
    AssertionEntry,
    ConfigEntry,
    ContainerConfig,
    Entry,
    PromptEntry,
    ProviderEntry,
    SageMakerConfig,
    TestEntry,
    TestGeneratorEntry,
)

ROOT = Path(__file__).parent.parent.parent.parent
CORPUS = ROOT / "tests" / "corpus"
KEPT_OPTIONS = frozenset({"-c", "--var", "--env-file"})

_ANNOTATED_LESS: dict[tuple[type[Entry], str], Any] = {
    (AssertionEntry, "assert"): list[AssertionEntry],
    (ConfigEntry, "tests"): list[str | TestEntry | TestGeneratorEntry] | TestGeneratorEntry,
}
"""What stands under a key of which the annotation says less than the module that reads it."""
_CONFIGS = {"sagemaker:": SageMakerConfig, "container:": ContainerConfig}
_FOREIGN = re.compile(r"(?:AWS|SAGEVAL|PROMPTFOO)_|(?:https?|all|no)_proxy$|(?:DEBUG|NO_COLOR|FORCE_COLOR)$", re.I)

EntryType: TypeAlias = type[Entry]


@dataclass(frozen=True)
class Source:
    """A configuration that can be run, and the command line and the environment that belong to it."""

    folder: Path
    arguments: tuple[str, ...] = ("-c", "promptfooconfig.yaml")
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def configs(self) -> list[str]:
        """The configuration files, relative to the folder."""
        patterns = [value for option, value in zip(self.arguments, self.arguments[1:], strict=False) if option == "-c"]
        found = [Path(name) for pattern in patterns for name in sorted(glob.glob(pattern, root_dir=self.folder))]
        folders = [name for name in found if (self.folder / name).is_dir()]
        inner = [path.relative_to(self.folder) for name in folders for path in (self.folder / name).glob("*config.y*")]
        return [str(name) for name in (*found, *inner) if name not in folders]


@dataclass(frozen=True)
class Key:
    """A key that an entry knows, where it stands in a file of a source."""

    source: Source
    file: str
    text: str
    entry: EntryType
    name: yaml.Node
    value: yaml.Node
    siblings: frozenset[str]


@dataclass(frozen=True)
class File:
    """A file that is being walked; `base` is the folder that its paths are relative to."""

    name: str
    base: str
    text: str
    root: yaml.Node

    def referred(self, node: yaml.Node) -> yaml.Node:
        """What a map with a `$ref` into this file stands for; any other node itself."""
        reference = dict(_members(node)).get("$ref")
        if reference is None or not reference.value.startswith("#/"):
            return node
        found = self.root
        for step in reference.value.removeprefix("#/").split("/"):
            found = dict(_members(found))[step] if isinstance(found, yaml.MappingNode) else found.value[int(step)]
        return found


def _members(node: yaml.Node) -> list[tuple[str, yaml.Node]]:
    return [(name.value, value) for name, value in node.value] if isinstance(node, yaml.MappingNode) else []


def keys_of(source: Source) -> list[Key]:
    """The keys of a source that entries know, each once."""
    found: dict[tuple[str, int, EntryType], Key] = {}
    for config in source.configs:
        for key in Walk(source).of_file(config, os.path.dirname(config), ConfigEntry):
            found.setdefault((key.file, key.name.start_mark.index, key.entry), key)
    return [*found.values()]


@dataclass(frozen=True)
class Walk:
    """Goes through the entries of a source: lists, the files that they name, aliases, merge keys and `$ref`."""

    source: Source

    def of_file(self, name: str, base: str, annotation: Any) -> Iterator[Key]:
        text = (self.source.folder / name).read_text("utf-8")
        root: Any = yaml.compose(text, yaml.CSafeLoader)
        file = File(os.path.normpath(name), base, text, root)
        is_one = not isinstance(root, yaml.SequenceNode) or any(get_origin(arm) is list for arm in _arms(annotation))
        for node in [root] if is_one else root.value:
            yield from self._of_value(node, annotation, file)

    def _of_value(self, written: yaml.Node, annotation: Any, file: File) -> Iterator[Key]:
        node = file.referred(written)
        if isinstance(node, yaml.MappingNode):
            yield from self._of_map(node, annotation, file)
        elif isinstance(node, yaml.SequenceNode):
            items = [inner for arm in _arms(annotation) if get_origin(arm) is list for inner in get_args(arm)]
            for item, inner in ((item, inner) for item in node.value for inner in items):
                yield from self._of_value(item, inner, file)
        elif _names_files(annotation):
            pattern = os.path.join(file.base, node.value.removeprefix("file://"))
            for name in sorted(glob.glob(pattern, root_dir=self.source.folder)):
                if name.endswith((".yaml", ".yml", ".json")):
                    yield from self.of_file(name, file.base, annotation)

    def _of_map(self, node: yaml.MappingNode, annotation: Any, file: File) -> Iterator[Key]:
        names = {name for name, _ in _members(node)}
        entries = [arm for arm in _arms(annotation) if isinstance(arm, type) and issubclass(arm, Entry)]
        entry = next((entry for entry in entries if names & {*entry.known_keys(), "<<"}), None)
        if entry is not None:
            yield from self._of_entry(node, entry, file)
            return
        values = [get_args(arm)[1] for arm in _arms(annotation) if get_origin(arm) is dict]
        for (name, value), inner in ((member, inner) for member in _members(node) for inner in values):
            if isinstance(value, yaml.MappingNode) and ProviderEntry in _arms(inner):
                yield from self._of_entry(value, ProviderEntry, file, name)
            else:
                yield from self._of_value(value, inner, file)

    def _of_entry(self, node: yaml.MappingNode, entry: EntryType, file: File, called: str = "") -> Iterator[Key]:
        members = dict(_members(node))
        selector = called or getattr(members.get("id"), "value", "")
        for name, value in node.value:
            if name.value == "<<":
                for merged in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    yield from self._of_entry(merged, entry, file, called)
            elif name.value in entry.known_keys():
                yield Key(self.source, file.name, file.text, entry, name, value, frozenset(members))
                yield from self._of_value(value, _annotation(entry, name.value, selector), file)


def _annotation(entry: EntryType, key: str, selector: str) -> Any:
    """The type of what stands under a key of an entry; the `config` of a provider depends on the provider's id."""
    if (entry, key) == (ProviderEntry, "config"):
        return next((config for start, config in _CONFIGS.items() if selector.startswith(start)), None)
    if (entry, key) in _ANNOTATED_LESS:
        return _ANNOTATED_LESS[entry, key]
    field = next(field for name, field in entry.model_fields.items() if key == (field.alias or name))
    return next((shapes.type for shapes in field.metadata if isinstance(shapes, Shapes)), field.annotation)


def _arms(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of a type, those in alternatives included."""
    if get_origin(annotation) in (Union, UnionType):
        return tuple(arm for part in get_args(annotation) for arm in _arms(part))
    return (annotation,)


def _names_files(annotation: Any) -> bool:
    """Whether a text may be the path of a file with entries. A file of prompts holds messages instead."""
    arms = _arms(annotation)
    inner = [part for arm in arms if get_origin(arm) is list for part in _arms(get_args(arm)[0])]
    return any(isinstance(arm, type) and issubclass(arm, Entry) and arm is not PromptEntry for arm in (*arms, *inner))


@pytest.fixture
def corpus() -> dict[Source, list[Key]]:
    """The entries of the corpus that sageval runs, as its expectations say, each with its keys."""
    folders = [path.parent for path in sorted(CORPUS.glob("*/expected.json")) if _runs(path.parent)]
    return {source: keys_of(source) for source in map(_entry, folders)}


@pytest.fixture
def shown() -> dict[Source, list[Key]]:
    """The configurations that come with the project, each with its keys."""
    configs = [path for path in sorted((ROOT / "configs").glob("*.yaml")) if path.name != "sandbox.yaml"]
    paths = [*configs, *sorted(ROOT.glob("examples/*/sageval.yaml"))]
    return {source: keys_of(source) for source in (Source(path.parent, ("-c", path.name)) for path in paths)}


def _entry(folder: Path) -> Source:
    given = _json(folder / "arguments.json")
    pairs = _pairs(given.get("arguments", Source(folder).arguments))
    arguments = [word for option, value in pairs if option in KEPT_OPTIONS for word in (option, value)]
    return Source(folder, tuple(arguments), tuple(given.get("environment", {}).items()))


def _pairs(words: list[str]) -> list[tuple[str, str]]:
    return [*zip(words[::2], words[1::2], strict=True)]


def _runs(folder: Path) -> bool:
    of_the_run = _json(folder / "differences.json").get("run")
    return not (of_the_run if of_the_run is not None else _json(folder / "expected.json")).get("refused")


def _json(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return document


class Validation:
    """Runs `sageval validate` on copies of sources."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._folder, self._monkeypatch, self._capsys = folder, monkeypatch, capsys

    def __call__(self, source: Source, file: str = "", text: str = "") -> tuple[int, str]:
        """(exit code, what was told), of the source as it is, or with another text in one of its files."""
        copy = self._folder / source.folder.parent.name / source.folder.name
        if not copy.exists():
            shutil.copytree(source.folder, copy)
        with self._monkeypatch.context() as here:
            here.chdir(copy)
            for name, value in source.environment:
                here.setenv(name, value)
            if file:
                Path(file).write_text(text, "utf-8")
            code = run(["validate", *source.arguments])
            if file:
                shutil.copyfile(source.folder / file, file)
            return code, self._capsys.readouterr().err


@pytest.fixture
def validation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Validation:
    for name in [name for name in os.environ if _FOREIGN.match(name)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return Validation(tmp_path, monkeypatch, capsys)
