"""`sageval schema` prints the schema that configurations are checked against in editors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jsonschema import Draft202012Validator

from sagemaker_eval.assertions.base import ASSERTIONS
from sagemaker_eval.cli.preparing import known_names
from sagemaker_eval.config.json_schema import config_schema

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def test_the_schema_goes_to_stdout_and_nothing_else_does(cli: Cli) -> None:
    ran = cli("schema")
    assert (ran.code, ran.err) == (0, "")
    schema = json.loads(ran.out)
    Draft202012Validator.check_schema(schema)
    assert schema == config_schema(known_names())


def test_it_knows_every_assertion_type_of_this_version(cli: Cli) -> None:
    types = json.loads(cli("schema").out)["$defs"]["AssertionEntry"]["properties"]["type"]["enum"]
    assert {kind for kind in types if not kind.startswith("not-")} == set(known_names().assertions)
    assert {f"not-{kind}" for kind in ASSERTIONS} < set(types)
    assert "not-assert-set" not in types


def test_a_file_is_written_with_its_folder(cli: Cli) -> None:
    ran = cli("schema", "-o", "editor/sageval.schema.json")
    assert (ran.code, ran.out, ran.err) == (0, "", "schema written to editor/sageval.schema.json\n")
    assert cli.document("editor/sageval.schema.json")["title"] == "sageval configuration"


def test_a_path_that_cannot_be_written_is_said(cli: Cli) -> None:
    cli.write("file", "")
    ran = cli("schema", "-o", "file/schema.json")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("cannot write `file/schema.json`: ")
