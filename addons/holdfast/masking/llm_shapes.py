"""Where the parts of an LLM API's messages stand, and which of them the API itself reads.

One shape for each level serves all three APIs (OpenAI chat completions and responses, Anthropic messages): a name means
the same in each. A masked model, role or id would break the request, as would a masked signature; what is not listed
is data. Sources: the APIs' OpenAPI descriptions, as the SDKs ``openai`` 3 and ``anthropic`` 2 carry them.
"""

from collections.abc import Mapping
from typing import Final

from holdfast.masking.shape import Mode, Shape, protocol

# A message, an item of input or output, a content part or block, a tool call: they nest in each other.
_ITEM: Final = {
    **protocol(
        "type id object index role name call_id tool_call_id tool_use_id status is_error signature encrypted_content "
        "encrypted_index file_id container_id detail format media_type cache_control phase refs"
    ),
    "content": "llm.item",
    "output": "llm.item",
    "summary": "llm.item",
    "tool_calls": "llm.item",
    "function_call": "llm.item",
    "function": "llm.item",
    "custom": "llm.item",
    "file": "llm.item",
    "input_audio": "llm.item",
    "audio": "llm.item",
    "source": "llm.item",
    "data": Mode.BLOB,
    "result": Mode.BLOB,  # of an image that was generated
    "image_url": Mode.URL,
    "url": Mode.URL,
    "file_data": Mode.URL,
}

LLM_SHAPES: Final[Mapping[str, Shape]] = {
    "llm.request": Shape(
        {
            **protocol(
                "model stream stream_options n temperature top_p top_k max_tokens max_completion_tokens "
                "max_output_tokens max_tool_calls seed logit_bias presence_penalty frequency_penalty tool_choice "
                "parallel_tool_calls reasoning reasoning_effort thinking verbosity service_tier store modalities audio "
                "truncation background include previous_response_id conversation prompt_cache_retention container "
                "context_management betas"
            ),
            "messages": "llm.item",
            "input": "llm.item",
            "system": "llm.item",
            "prediction": "llm.item",
            "tools": "llm.tool",
            "functions": "llm.tool",
            "response_format": "llm.format",
            "text": "llm.format",
        }
    ),
    "llm.item": Shape(_ITEM),
    "llm.address": Shape({"url": Mode.URL, "detail": Mode.PROTOCOL}),
    "llm.tool": Shape(
        {
            **protocol("type name strict cache_control format allowed_tools vector_store_ids container environment"),
            "function": "llm.tool",
            "custom": "llm.tool",
            "parameters": Mode.SCHEMA,
            "input_schema": Mode.SCHEMA,
        }
    ),
    "llm.format": Shape(
        {
            **protocol("type name strict verbosity"),
            "format": "llm.format",
            "json_schema": "llm.format",
            "schema": Mode.SCHEMA,
        }
    ),
    "llm.reply": Shape(
        {
            **protocol(
                "id object type role model created created_at completed_at system_fingerprint service_tier usage index "
                "finish_reason stop_reason stop_sequence status incomplete_details previous_response_id conversation "
                "parallel_tool_calls temperature top_p top_logprobs truncation tool_choice max_output_tokens "
                "max_tool_calls background store input_tokens prompt_cache_retention container context_management"
            ),
            "choices": "llm.reply",
            "message": "llm.item",
            "delta": "llm.item",
            "output": "llm.item",
            "content": "llm.item",
            "instructions": "llm.item",
            "tools": "llm.tool",
            "text": "llm.format",
        }
    ),
    "llm.event": Shape(
        {
            **protocol(
                "type id object model created system_fingerprint service_tier usage index event_id sequence_number "
                "item_id output_index content_index summary_index annotation_index partial_image_index"
            ),
            "choices": "llm.reply",
            "response": "llm.reply",
            "message": "llm.reply",
            "item": "llm.item",
            "part": "llm.item",
            "annotation": "llm.item",
            "content_block": "llm.item",
            "delta": "llm.delta",
            "partial_image_b64": Mode.BLOB,
        }
    ),
    "llm.delta": Shape({**_ITEM, **protocol("stop_reason stop_sequence container")}),
}
