"""`sageval schema`: the JSON Schema of configuration files."""

from __future__ import annotations

import typer


def command(
    output: str | None = typer.Option(None, "-o", "--output", metavar="FILE", help="Write it to a file."),
) -> None:
    """Print the JSON Schema (draft 2020-12) of configuration files, for editors and other tools.

    With `sageval schema -o sageval.schema.json`, editors complete and check a configuration whose first line is
    `# yaml-language-server: $schema=sageval.schema.json`.
    """
    import json
    from pathlib import Path

    from sagemaker_eval.cli.files import write_files
    from sagemaker_eval.cli.preparing import known_names
    from sagemaker_eval.cli.streams import writing_to_stdout
    from sagemaker_eval.config.json_schema import config_schema

    text = json.dumps(config_schema(known_names()), indent=2, ensure_ascii=False)
    if output is None:
        with writing_to_stdout():
            typer.echo(text)
        return
    write_files({Path(output): f"{text}\n"})
    typer.echo(f"schema written to {output}", err=True)
