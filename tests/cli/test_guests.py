"""Python of the user prints and changes the working folder: results go where they would have gone, whole."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

WANDERS = (
    "import os\n{top}\ndef call_api(prompt, options, context):\n    {within}\n    return {{'output': os.getcwd()}}\n"
)


@pytest.mark.parametrize(("top", "within"), [("os.chdir('elsewhere')", "pass"), ("", "os.chdir('elsewhere')")])
def test_a_script_that_changes_the_working_folder_takes_no_results_along(cli: Cli, top: str, within: str) -> None:
    elsewhere = cli.folder / "elsewhere"
    elsewhere.mkdir()
    cli.write("wanders.py", WANDERS.format(top=top, within=within))
    ran = cli.eval("-p", "Hi", "-r", "file://wanders.py", "-o", "out.json")
    assert ran.code == 0
    assert cli.document()["results"]["results"][0]["response"]["output"] == str(elsewhere)
    assert os.getcwd() == str(cli.folder)
    assert list(elsewhere.iterdir()) == []


def test_what_scripts_print_does_not_get_into_the_document(cli: Cli) -> None:
    cli.write(
        "loud.py", "print('loading')\ndef call_api(prompt):\n    print('calling')\n    return {'output': prompt}\n"
    )
    ran = cli.eval("-p", "Hi", "-r", "file://loud.py", "--json")
    assert json.loads(ran.out)["results"]["results"][0]["response"]["output"] == "Hi"
    assert {"loading", "calling"} <= set(ran.err.splitlines())
