"""What `sageval probe --json` tells programs: the same as the report, with bodies whole."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sagemaker_eval.cli.probe_report import Conclusion
from sagemaker_eval.cli.probe_subject import Subject
from sagemaker_eval.model import Json
from sagemaker_eval.providers.probe_trials import Trial
from sagemaker_eval.sagemaker.endpoint_facts import EndpointFacts


def probe_document(subject: Subject, trials: Sequence[Trial], conclusion: Conclusion | None) -> dict[str, Json]:
    """The whole probe. `facts` is null where nothing could be described, `recommended` where no format works."""
    return {
        "endpoint": subject.endpoint,
        "region": subject.region,
        "facts": subject.facts and _facts(subject.facts, subject.settings.get("inferenceComponentName")),
        "trials": [_trial(trial) for trial in trials],
        "recommended": conclusion and _recommended(conclusion),
    }


def _facts(facts: EndpointFacts, component: str | None) -> dict[str, Json]:
    model = facts.model(component)
    return {
        "status": facts.status,
        "kind": facts.kind,
        "variants": [
            {
                "name": variant.name,
                "weight": variant.weight,
                "instances": dict(variant.fleet),
                "maxConcurrency": variant.serverless_concurrency,
            }
            for variant in facts.variants
        ],
        "components": facts.components and [known.name for known in facts.components],
        "image": model and model.image,
        "server": model.family.name if model and model.family else None,
        "jumpstartModel": facts.jumpstart_model,
    }


def _trial(trial: Trial) -> dict[str, Json]:
    response = trial.response
    return {
        "format": trial.candidate.name,
        "works": trial.works,
        "refusal": trial.refusal,
        "hint": trial.hint,
        "calls": trial.calls,
        "request": trial.request and _decoded(trial.request.body.decode("utf-8", "replace")),
        "answer": response and _decoded(response.raw),
        "latencyMs": response and response.timings.wire,
        "output": trial.vector if trial.candidate.embedding else trial.text or None,
        "path": trial.path,
        "knownShape": trial.known,
        "ownShape": trial.native,
        "usageTold": trial.usage_told,
        "finishReason": response and response.finish_reason,
        "repeatsPrompt": trial.echoes,
    }


def _recommended(conclusion: Conclusion) -> dict[str, Json]:
    best = conclusion.best
    return {
        "format": best.candidate.name,
        "provider": dict(conclusion.entry),
        "modelType": best.candidate.model_type,
        "embedding": best.candidate.embedding,
        "responsePath": best.path,
        "pathNeeded": best.needed_path is not None,
        "streams": conclusion.streams,
    }


def _decoded(text: str) -> Json:
    """The JSON that a body is, else its text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
