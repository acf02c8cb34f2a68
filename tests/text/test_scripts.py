"""Loading and calling the user's own Python."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from sagemaker_eval.errors import ConfigError, ScriptError
from sagemaker_eval.text.scripts import acall, call, load_function, positional_arguments


def write(folder: Path, name: str, code: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(code)


def refused(reference: str, folder: Path) -> tuple[str, str]:
    with pytest.raises(ConfigError) as raised:
        load_function(reference, str(folder), "main")
    (problem,) = raised.value.problems
    assert problem.where is None
    assert problem.hint
    return problem.message, problem.hint


def test_a_function_is_named_after_the_colon(tmp_path: Path) -> None:
    write(tmp_path, "x.py", "def main(): return 'main'\ndef other(): return 'other'\nclass Set:\n    pick = other\n")
    assert load_function("file://x.py", str(tmp_path), "main")() == "main"
    assert load_function("file://x.py:other", str(tmp_path), "main")() == "other"
    assert load_function("file://x.py:Set.pick", str(tmp_path), "main")() == "other"
    assert load_function(f"file://{tmp_path}/x.py:other", "/elsewhere", "main")() == "other"


def test_a_file_runs_once(tmp_path: Path) -> None:
    write(tmp_path, "x.py", "state = []\ndef main(): state.append(1); return len(state)\ndef other(): return main()\n")
    first, second = (load_function(f"file://x.py:{name}", str(tmp_path), "main") for name in ("main", "other"))
    assert [first(), second()] == [1, 2]


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, "x.py", "def main(): return 1\n")
    assert load_function("file://x.py", str(tmp_path), "main")() == 1
    write(tmp_path, "x.py", "def main(): return 'changed'\n")
    assert load_function("file://x.py", str(tmp_path), "main")() == "changed"


def test_neighbours_can_be_imported_and_do_not_clash(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write(tmp_path, f"{folder}/neighbour_of_x.py", f"NAME = '{folder}'\n")
        write(tmp_path, f"{folder}/x.py", "from neighbour_of_x import NAME\ndef main(): return NAME\n")
    path = list(sys.path)
    functions = [load_function(f"file://{folder}/x.py", str(tmp_path), "main") for folder in ("one", "two")]
    assert [function() for function in functions] == ["one", "two"]
    assert sys.path == path
    assert "x" not in sys.modules
    assert "neighbour_of_x" not in sys.modules


def test_a_script_named_like_a_library_does_not_take_its_place(tmp_path: Path) -> None:
    write(tmp_path, "json.py", "def main(): return 1\n")
    load_function("file://json.py", str(tmp_path), "main")
    assert hasattr(sys.modules["json"], "loads")


def test_dataclasses_with_postponed_annotations_work(tmp_path: Path) -> None:
    code = "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom typing import ClassVar\n"
    write(tmp_path, "x.py", f"{code}@dataclass\nclass A:\n    n: ClassVar[int] = 3\ndef main(): return A().n\n")
    assert load_function("file://x.py", str(tmp_path), "main")() == 3


def test_nothing_is_left_in_the_users_folder(tmp_path: Path) -> None:
    write(tmp_path, "x.py", "def main(): return 1\n")
    load_function("file://x.py", str(tmp_path), "main")
    assert [path.name for path in tmp_path.iterdir()] == ["x.py"]


def test_a_missing_file(tmp_path: Path) -> None:
    message, hint = refused("file://no/x.py:main", tmp_path)
    assert message == "the script `no/x.py` does not exist"
    assert str(tmp_path / "no" / "x.py") in hint


@pytest.mark.parametrize("suffix", ["js", "ts", "mjs", "cjs"])
def test_javascript_is_refused_where_only_python_can_be(tmp_path: Path, suffix: str) -> None:
    assert refused(f"file://x.{suffix}:main", tmp_path)[0] == (
        f"`file://x.{suffix}:main` is not a Python script, and only Python can be used here"
    )


@pytest.mark.parametrize("reference", ["file://x.rb", "file://x", "file://"])
def test_other_files_are_no_scripts(tmp_path: Path, reference: str) -> None:
    assert refused(reference, tmp_path)[0] == f"`{reference}` is not a Python script"


@pytest.mark.parametrize("name", ["", "a b", "1x", "a."])
def test_what_follows_the_colon_is_a_name(tmp_path: Path, name: str) -> None:
    write(tmp_path, "x.py", "def main(): return 1\n")
    assert (
        refused(f"file://x.py:{name}", tmp_path)[0] == f"`file://x.py:{name}`: `{name}` is not the name of a function"
    )


def test_a_missing_function(tmp_path: Path) -> None:
    write(tmp_path, "x.py", "from json import loads\ndef extract(): pass\ndef _hidden(): pass\ndef other(): pass\n")
    message, hint = refused("file://x.py:extrct", tmp_path)
    assert message == "`x.py` has no function `extrct`"
    assert hint == "it defines `extract`, `other`; write `file://x.py:extract`"


def test_a_file_without_functions(tmp_path: Path) -> None:
    write(tmp_path, "x.py", "")
    assert refused("file://x.py", tmp_path) == (
        "`x.py` has no function `main`",
        "it defines none: add `def main(...)`",
    )


def test_a_name_that_is_no_function(tmp_path: Path) -> None:
    write(tmp_path, "x.py", "main = 3\n")
    assert refused("file://x.py", tmp_path)[0] == "`main` in `x.py` is not a function"


def test_a_syntax_error(tmp_path: Path) -> None:
    write(tmp_path, "x.py", "a = 1\ndef main(:\n")
    assert refused("file://x.py", tmp_path)[0] == "`x.py:2` is not valid Python: invalid syntax"


def test_a_syntax_error_in_a_neighbour(tmp_path: Path) -> None:
    write(tmp_path, "broken_neighbour.py", "\n\ndef main(:\n")
    write(tmp_path, "x.py", "import broken_neighbour\n")
    assert refused("file://x.py", tmp_path)[0] == "`broken_neighbour.py:3` is not valid Python: invalid syntax"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("\n1 / 0", "`x.py:2` raised ZeroDivisionError: division by zero while it was loaded"),
        (
            "import no_such_module_here",
            "`x.py:1` raised ModuleNotFoundError: No module named 'no_such_module_here' while",
        ),
        ("import sys\nsys.exit(3)", "`x.py:2` raised SystemExit: 3 while it was loaded"),
        ("raise ValueError('a\\nb')", "`x.py:1` raised ValueError: a b while it was loaded"),
    ],
)
def test_an_error_while_loading(tmp_path: Path, code: str, message: str) -> None:
    write(tmp_path, "x.py", f"{code}\n")
    assert refused("file://x.py", tmp_path)[0].startswith(message)
    assert not any(
        name.startswith("sageval_script_x_") and str(tmp_path) in str(sys.modules[name].__file__)
        for name in sys.modules
    )


def test_an_error_of_the_function_tells_its_line(tmp_path: Path) -> None:
    write(tmp_path, "x.py", "import json\n\ndef main(text):\n    return json.loads(text)['x']\n")
    function = load_function("file://x.py", str(tmp_path), "main")
    assert call(function, '{"x": 1}', what="transform") == 1
    for text, told in (("{}", "KeyError: 'x'"), ("", "JSONDecodeError: Expecting value: line 1 column 1 (char 0)")):
        with pytest.raises(ScriptError) as raised:
            call(function, text, what="transform")
        assert raised.value.message == f"`x.py:4` raised {told}"
        assert raised.value.hint == "correct the function of the transform; the debug log has the traceback"


def test_leaving_the_program_is_an_error_of_the_function(tmp_path: Path) -> None:
    write(tmp_path, "x.py", "def main():\n    raise SystemExit\n")
    with pytest.raises(ScriptError, match=r"^`x.py:2` raised SystemExit$"):
        call(load_function("file://x.py", str(tmp_path), "main"), what="transform")


@pytest.mark.parametrize("error", ["GeneratorExit", "BaseException", "asyncio.CancelledError"])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_errors_that_would_end_a_task_are_errors_of_the_function(tmp_path: Path, kind: str, error: str) -> None:
    write(tmp_path, "x.py", f"import asyncio\n{kind} main():\n    raise {error}\n")
    function = load_function("file://x.py", str(tmp_path), "main")
    with pytest.raises(ScriptError, match=rf"^`x.py:3` raised {error.removeprefix('asyncio.')}$"):
        asyncio.run(acall(function, what="transform"))


def test_a_task_that_is_cancelled_ends_within_the_function(tmp_path: Path) -> None:
    write(tmp_path, "x.py", "import asyncio\nasync def main():\n    await asyncio.Event().wait()\n")
    function = load_function("file://x.py", str(tmp_path), "main")

    async def cancelled() -> None:
        task = asyncio.create_task(acall(function, what="transform"))
        await asyncio.sleep(0)
        task.cancel()
        await task

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


def test_an_error_that_cannot_tell_its_text_is_told_by_its_type(tmp_path: Path) -> None:
    write(tmp_path, "x.py", "class Odd(Exception):\n    def __str__(self): return 1 / 0\ndef main():\n    raise Odd\n")
    with pytest.raises(ScriptError, match=r"^`x.py:4` raised Odd$"):
        call(load_function("file://x.py", str(tmp_path), "main"), what="transform")


def test_the_wrong_number_of_arguments_is_told(tmp_path: Path) -> None:
    write(tmp_path, "x.py", "def main():\n    return 1\n")
    with pytest.raises(ScriptError, match=r"^`x.py` raised TypeError: main\(\) takes 0 positional arguments"):
        call(load_function("file://x.py", str(tmp_path), "main"), 1, what="transform")


def test_how_many_arguments_a_function_takes() -> None:
    assert positional_arguments(lambda a, b=1: None) == {1, 2}
    assert positional_arguments(lambda *a: None) == {0, 1, 2, 3}
    assert positional_arguments(lambda *, a: None) == frozenset()
    assert positional_arguments(lambda a, b, c, d: None, most=4) == {4}
    assert positional_arguments(lambda a, b, c, d: None) == frozenset()
