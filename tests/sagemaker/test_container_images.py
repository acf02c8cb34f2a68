from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.sagemaker.container_images import better_type, family_of, repository

ECR = "763104351884.dkr.ecr.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "name"),
    [
        (f"{ECR}/huggingface-pytorch-tgi-inference:2.4.0-tgi3.0.1-gpu-py311", "Text Generation Inference"),
        (f"{ECR}/djl-inference:0.31.0-lmi13.0.0-cu124", "LMI (DJL Serving)"),
        (f"{ECR}/vllm:0.11.0-gpu-py312", "vLLM"),
        (f"{ECR}/huggingface-vllm-inference@sha256:{'0' * 64}", "vLLM"),
        (f"{ECR}/sglang:0.5-gpu", "SGLang"),
        (f"{ECR}/tei:2.0.1-tei1.8-gpu", "Text Embeddings Inference"),
        (f"{ECR}/tei-cpu:2.0.1-tei1.8-cpu", "Text Embeddings Inference"),
        (f"{ECR}/huggingface-pytorch-inference:2.6-transformers4.51", "the Hugging Face inference toolkit"),
        (f"{ECR}/sagemaker-tritonserver:24.09-py3", "Triton"),
        ("683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1", "a framework for tabular data"),
        ("localhost:5000/team/my-vllm:1", "vLLM"),
    ],
)
def test_the_repository_tells_the_model_server(image: str, name: str) -> None:
    family = family_of(image)
    assert family is not None and family.name == name


@pytest.mark.parametrize("image", [None, "", "111111111111.dkr.ecr.eu-west-1.amazonaws.com/our-model:vllm-like"])
def test_an_image_of_ones_own_tells_nothing(image: str | None) -> None:
    assert family_of(image) is None


def test_neither_registry_nor_tag_nor_digest_is_part_of_the_name() -> None:
    assert repository(f"{ECR}/team/djl-inference:0.31@sha256:1") == "team/djl-inference"
    assert repository("registry:5000/vllm") == "vllm"
    assert repository("vllm:latest") == "vllm"


@given(st.text())
def test_any_image_is_survived(image: str) -> None:
    family_of(image)


def test_a_model_type_that_does_not_fit_has_a_better_one() -> None:
    vllm = family_of("vllm")
    assert vllm is not None
    assert better_type(vllm, "huggingface", embedding=False) == "openai"
    assert better_type(vllm, "openai", embedding=False) is None


def test_a_server_of_embeddings_has_no_type_for_texts() -> None:
    tei = family_of("tei")
    assert tei is not None
    assert better_type(tei, "huggingface", embedding=False) is None
    assert better_type(tei, "cohere", embedding=True) == "huggingface"
