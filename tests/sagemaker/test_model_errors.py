from __future__ import annotations

import pytest

from sagemaker_eval.errors import Retry
from sagemaker_eval.sagemaker.model_errors import ModelErrorReading, read_model_error

LOG_HINT = (
    "the container's log: group `/aws/sagemaker/Endpoints/ep`, stream `AllTraffic/i-0abc` "
    "(https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1#logsV2:log-groups/log-group/"
    "$252Faws$252Fsagemaker$252FEndpoints$252Fep/log-events/AllTraffic$252Fi-0abc)"
)
LOG = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/Endpoints/ep:log-stream:AllTraffic/i-0abc"


def reading_of(status: int | None, original: str = "", message: str = "", log: str | None = LOG) -> ModelErrorReading:
    fields = {"Message": message, "OriginalStatusCode": status, "OriginalMessage": original, "LogStreamArn": log}
    return read_model_error({name: value for name, value in fields.items() if value is not None}, "ep")


@pytest.mark.parametrize(
    ("status", "retry"),
    [
        (0, Retry.NEVER),
        (400, Retry.NEVER),
        (403, Retry.NEVER),
        (404, Retry.NEVER),
        (413, Retry.NEVER),
        (415, Retry.NEVER),
        (422, Retry.NEVER),
        (424, Retry.ONCE),
        (429, Retry.COUNTED),
        (500, Retry.ONCE),
        (502, Retry.COUNTED),
        (503, Retry.COUNTED),
        (504, Retry.COUNTED),
        (507, Retry.ONCE),
        (None, Retry.ONCE),
    ],
)
def test_the_status_of_the_container_decides(status: int | None, retry: Retry) -> None:
    assert reading_of(status, "words").retry is retry


def test_status_words_and_log_are_shown() -> None:
    reading = reading_of(500, "Traceback:\n  boom.")
    assert reading.message == "the model container answered 500 (ModelError): Traceback: boom"
    assert reading.hint == LOG_HINT


def test_status_and_words_are_found_in_the_message_where_the_fields_are_missing() -> None:
    message = (
        'Received server error (503) from primary with message "{"error": "busy"}". See '
        "https://us-east-1.console.aws.amazon.com/cloudwatch in account 123456789012 for more information."
    )
    reading = read_model_error({"Message": message}, "ep")
    assert (reading.status, reading.retry) == (503, Retry.COUNTED)
    assert reading.message == 'the model container answered 503 (ModelError): {"error": "busy"}'
    assert str(reading.hint).endswith("the container's log: group `/aws/sagemaker/Endpoints/ep`")


def test_an_error_without_any_field_is_still_one() -> None:
    reading = read_model_error({}, "ep")
    assert reading.message == "the model container answered an error (ModelError): no further message"


def test_the_time_out_of_60_s_names_the_three_ways_out() -> None:
    message = 'Received server error (0) from primary with message "Your invocation timed out while waiting ..."'
    reading = read_model_error({"Message": message}, "ep")
    assert (reading.status, reading.retry) == (0, Retry.NEVER)
    assert reading.message.startswith("the model did not answer within SageMaker's 60 s")
    for way_out in ("`maxTokens`", "`stream: true` (response streaming: 8 minutes)", "`async:`", "1 hour"):
        assert way_out in str(reading.hint)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (500, "CUDA out of memory. Tried to allocate 2 GiB"),
        (503, "torch.cuda.OutOfMemoryError"),
        (500, "The prompt is too long: 9000 tokens"),
        (424, "`inputs` tokens + `max_new_tokens` must be <= 4096"),
        (502, "This model's maximum context length is 8192 tokens"),
    ],
)
def test_what_the_same_prompt_will_always_meet_is_never_tried_again(status: int, words: str) -> None:
    reading = reading_of(status, words)
    assert reading.retry is Retry.NEVER
    assert "shorten the prompt" in str(reading.hint)


@pytest.mark.parametrize("end", ["", ":*"])
def test_a_log_group_alone_has_its_link_too(end: str) -> None:
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/Endpoints/ep{end}"
    assert reading_of(507, "words", log=arn).hint == (
        "the container's log: group `/aws/sagemaker/Endpoints/ep` (https://us-east-1.console.aws.amazon.com/cloudwatch/"
        "home?region=us-east-1#logsV2:log-groups/log-group/$252Faws$252Fsagemaker$252FEndpoints$252Fep)"
    )


def test_a_log_stream_of_another_form_is_shown_as_it_is() -> None:
    assert reading_of(507, "words", log="arn:odd").hint == "the container's log: `arn:odd`"


@pytest.mark.parametrize(
    ("region", "console"),
    [
        ("eu-west-1", "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:"),
        ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1#"),
        ("us-gov-west-1", "https://us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch/home?"),
        ("eusc-de-east-1", "https://eusc-de-east-1.console.amazonaws-eusc.eu/cloudwatch/home?"),
    ],
)
def test_the_console_is_that_of_the_partition(region: str, console: str) -> None:
    hint = str(read_model_error({"OriginalStatusCode": 500}, "ep", region).hint)
    assert f"group `/aws/sagemaker/Endpoints/ep` ({console}" in hint
    assert hint.endswith("log-groups/log-group/$252Faws$252Fsagemaker$252FEndpoints$252Fep)")


def test_a_partition_without_a_public_console_has_no_link() -> None:
    assert (
        read_model_error({}, "ep", "us-iso-east-1").hint == "the container's log: group `/aws/sagemaker/Endpoints/ep`"
    )


def test_a_link_names_no_account() -> None:
    assert "123456789012" not in str(reading_of(500).hint)


def test_batch_inference_failed_comes_with_its_check_list() -> None:
    reading = reading_of(424, '{"code": 424, "message": "prediction failure", "error": "Batch inference failed"}')
    assert reading.retry is Retry.ONCE
    assert reading.hint == (
        "for `Batch inference failed`: add a `delay` of at least 500 ms; check that `modelType` fits the model "
        "(`jumpstart` for Llama, `huggingface` for Mistral); set `contentType` and `acceptType` to "
        f"`application/json`; check in the SageMaker console that the endpoint is active; {LOG_HINT}"
    )


def test_a_licence_that_was_not_accepted_stops_the_run() -> None:
    reading = reading_of(400, "Need to pass custom_attributes='accept_eula=true' as part of header")
    assert reading.stops_run
    assert "`customAttributes: accept_eula=true`" in str(reading.hint)


def test_long_words_are_cut() -> None:
    assert len(reading_of(500, "x" * 100_000).message) < 500
