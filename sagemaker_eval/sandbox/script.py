"""What the endpoints of the stand-in do, as a script says.

A script is a YAML file:

    endpoints:
      "mistral-*":               # a glob; the first one in the file that fits the endpoint's name counts
        shape: tgi               # anthropic, custom, embedding, features, llama2, lmi, openai, text, text2text, tgi,
                                 # toolkit; without it the request and the endpoint's name decide
        latency: 120             # ms before a container answers
        jitter: 30               # ms, evenly more or less
        seed: 7                  # of jitter and faults
        faults:                  # a share of all attempts, or {share, first, message}; see `faults.py` for all names
          throttling: 0.3
          modelError: {share: 0.05, status: 500, message: "CUDA error"}
          unavailable: {first: 2}          # the first two attempts of each request
          coldStart: 2                     # the endpoint's first requests, or {requests, seconds}
        answers:                 # the first that fits counts; where none does, the built-in writer answers
          - pattern: 'about (\\w+)'        # a regular expression, searched in the text of the prompt
            answer: 'On \\1'               # put into the endpoint's shape; groups of the pattern by number or \\g<name>
          - pattern: "json"
            body: {any: [json, value]}     # the whole body; text is sent as it is
            contentType: application/json
            status: 200                    # the container's; from 400 on the caller gets a ModelError
          - pattern: "poison"
            fault: modelError              # always; with the message and status that `faults` gives it
    missing: ["gone-*"]          # endpoints that do not exist

Without a script every endpoint exists and works. Which attempt meets a fault depends on the seed, the endpoint, the
body and the number of the attempt at that body, so it does not depend on the order of calls.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256

from sagemaker_eval import __version__
from sagemaker_eval.config.explaining import check, describe
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.yaml_loader import parse_yaml, read_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place
from sagemaker_eval.sandbox.rules import Rule
from sagemaker_eval.sandbox.script_entries import RuleEntry, ScriptEntry
from sagemaker_eval.sandbox.script_rules import rule_of

_PLAIN = Rule()


@dataclass(frozen=True, slots=True)
class SandboxScript:
    """The rules of a script in its order, and globs of endpoints that do not exist.

    `identity` is `sandbox:` and the SHA-256, in hex, of what the script says and of the version that carries it out.
    """

    rules: tuple[Rule, ...]
    missing: tuple[str, ...]
    identity: str

    @classmethod
    def parse(cls, document: Json, path: str) -> SandboxScript:
        """The script that a decoded YAML document holds. Raises `ConfigError` with all that is wrong with it."""
        where = Place(path)
        if document is not None and not isinstance(document, dict):
            raise ConfigError.of(f"a sandbox script must be a map, not {describe(document)}", where)
        members = {key: value for key, value in (document or {}).items() if not str(key).startswith("x-")}
        entry = check(ScriptEntry, members, where)
        problems = Problems()
        rules = problems.attempt_each(
            (entry.endpoints or {}).items(),
            lambda item: rule_of(item[0], item[1] or RuleEntry(), within(where, "endpoints", item[0])),
        )
        problems.check()
        return cls(tuple(rules), tuple(entry.missing or ()), _identity(entry))

    def rule_for(self, endpoint: str) -> Rule:
        """The first rule whose glob fits; an endpoint that none fits simply works."""
        return next((rule for rule in self.rules if fnmatchcase(endpoint, rule.glob)), _PLAIN)

    def lacks(self, endpoint: str) -> bool:
        """Whether the endpoint does not exist."""
        return any(fnmatchcase(endpoint, glob) for glob in self.missing)


def load_script(path: str) -> SandboxScript:
    """The script in a YAML file. Raises `ConfigError` where it cannot be read or is wrong."""
    return SandboxScript.parse(parse_yaml(read_text(path), path), path)


def _identity(entry: ScriptEntry) -> str:
    """From the script's content: comments, quoting and the short forms of a value make no difference, order does."""
    content = entry.model_dump(mode="json", by_alias=True, exclude_unset=True)
    ordered = [list((content.pop("endpoints", None) or {}).items()), content, __version__]
    return f"sandbox:{sha256(json.dumps(ordered, sort_keys=True).encode()).hexdigest()}"
