"""Floor 7: what people and machines read of a run: the console, the progress line, the documents."""

from __future__ import annotations

from sagemaker_eval.reporting import document_csv, document_json, document_jsonl, document_yaml

__all__ = ["document_csv", "document_json", "document_jsonl", "document_yaml"]
