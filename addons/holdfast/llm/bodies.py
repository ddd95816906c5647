"""Bytes of an LLM API to a Call or a Reply, and back.

There is no JSON-RPC around them: the body is the params of a Call, or the result of a Reply. The id that joins the two
is made up here and never sent; each HTTP exchange has one Call.
"""

from typing import Final

from holdfast import jsontext
from holdfast.call import BODY_BYTES_MAX, Call, Direction, Id, Message, Reply
from holdfast.errors import Cause, Refused
from holdfast.jsontext import Json, JsonObject
from holdfast.llm.apis import Api

CALL_ID: Final = 1
MODEL_CHARS_MAX: Final = 200  # the longest names of fine-tuned models have about 80
ERRORS: Final = 400
_STRAIGHT: Final = frozenset({"arguments", "input", "metadata"})  # members whose inside is the caller's own


def parse_request(data: bytes, api: Api) -> Call:
    """The Call that ``data`` asks for.

    Raises:
        Refused: MALFORMED or TOO_LARGE; the reason never quotes the data.
    """
    params = _object(data, "the request")
    model = params.get("model")
    if model is not None and (not isinstance(model, str) or not 0 < len(model) <= MODEL_CHARS_MAX):
        raise _malformed("model is not a short text")
    if not isinstance(params.get("stream", False), bool | None):
        raise _malformed("stream is neither true nor false")
    if _asks_for_logprobs(params):
        raise Refused(
            Cause.MALFORMED,
            "log probabilities repeat the text token by token, where no value can be recognised",
            next_step="Ask without logprobs and top_logprobs.",
        )
    return Call(api.value, params, CALL_ID, Direction.TO_SERVER)


def parse_reply(data: bytes, status: int, call_id: Id | None) -> Reply:
    """The Reply that ``data``, which came with ``status``, holds.

    Raises:
        Refused: MALFORMED or TOO_LARGE; the reason never quotes the data.
    """
    body = _object(data, "the reply")
    if status >= ERRORS:
        return Reply(call_id, None, body, Direction.TO_CLIENT)
    return Reply(call_id, without_logprobs(body), None, Direction.TO_CLIENT)


def to_bytes(message: Message) -> bytes:
    """``message`` as it travels on."""
    if isinstance(message, Call):
        return jsontext.wire(message.params)
    return jsontext.wire(message.result if message.error is None else message.error)


def without_logprobs(value: Json) -> Json:
    """``value`` without log probabilities: they repeat the text token by token, and would give away what is masked."""
    if isinstance(value, list):
        return [without_logprobs(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept: JsonObject = {}
    for name, item in value.items():
        if name == "logprobs" and isinstance(item, dict | list):
            kept[name] = [] if isinstance(item, list) else None
        else:
            kept[name] = item if name in _STRAIGHT else without_logprobs(item)
    return kept


def _asks_for_logprobs(params: JsonObject) -> bool:
    include = params.get("include")
    included = include if isinstance(include, list) else []
    return bool(
        params.get("logprobs")
        or params.get("top_logprobs")
        or any(isinstance(item, str) and "logprobs" in item for item in included)
    )


def _object(data: bytes, what: str) -> JsonObject:
    if len(data) > BODY_BYTES_MAX:
        raise Refused(Cause.TOO_LARGE, f"{what} has {len(data)} bytes; at most {BODY_BYTES_MAX} are carried")
    try:
        value = jsontext.parse(data)
    except jsontext.JsonError as error:
        raise _malformed(f"{what} is no acceptable JSON: {error}") from None
    if not isinstance(value, dict):
        raise _malformed(f"{what} is no JSON object")
    return value


def _malformed(reason: str) -> Refused:
    return Refused(Cause.MALFORMED, reason, next_step="Send one JSON object as the API describes it.")
