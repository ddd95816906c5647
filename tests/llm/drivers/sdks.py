"""What the SDKs `openai` and `anthropic` make of an API at ADDRESS with KEY: JSON on standard output, by scenario.

Run by a Python of its own, which has the SDKs and nothing of ours::

    python sdks.py ADDRESS KEY SCENARIO ...
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import anthropic
import openai

ADDRESS, KEY, *SCENARIOS = sys.argv[1:]
OPENAI = openai.OpenAI(base_url=f"{ADDRESS}/v1", api_key=KEY)
ANTHROPIC = anthropic.Anthropic(base_url=f"{ADDRESS}/anthropic", api_key=KEY)
BEARER = anthropic.Anthropic(base_url=f"{ADDRESS}/anthropic", auth_token=KEY)
PROMPT = "my SSN is 321-45-6780"
TOOLS: Any = [{"type": "function", "function": {"name": "pay", "parameters": {"type": "object", "properties": {}}}}]


def messages(text: str = PROMPT) -> Any:
    return [{"role": "user", "content": text}]


def chat() -> Any:
    made = OPENAI.chat.completions.create(model="gpt-5", messages=messages())
    return {"text": made.choices[0].message.content, "finish": made.choices[0].finish_reason}


def chat_stream() -> Any:
    text, finish, usage = "", None, 0
    made = OPENAI.chat.completions.create(model="gpt-5", messages=messages(), stream=True)
    for chunk in made:
        usage = chunk.usage.total_tokens if chunk.usage else usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
    return {"text": text, "finish": finish, "usage": usage}


def chat_helper() -> Any:
    with OPENAI.chat.completions.stream(model="gpt-5", messages=messages()) as stream:
        for _ in stream:
            pass
        made = stream.get_final_completion()
    return {"text": made.choices[0].message.content, "finish": made.choices[0].finish_reason}


def chat_tool() -> Any:
    asked = messages("use the tool")
    with OPENAI.chat.completions.stream(model="gpt-5", messages=asked, tools=TOOLS) as stream:
        for _ in stream:
            pass
        (call,) = stream.get_final_completion().choices[0].message.tool_calls or []
    return {"name": call.function.name, "arguments": json.loads(call.function.arguments)}


def responses() -> Any:
    return {"text": OPENAI.responses.create(model="gpt-5", input=PROMPT).output_text}


def responses_stream() -> Any:
    text = ""
    with OPENAI.responses.stream(model="gpt-5", input=PROMPT) as stream:
        for event in stream:
            text += event.delta if event.type == "response.output_text.delta" else ""
        final = stream.get_final_response()
    return {"text": text, "final": final.output_text, "finish": final.status}


def anthropic_messages() -> Any:
    made = ANTHROPIC.messages.create(model="claude-sonnet", max_tokens=100, messages=messages())
    return {"text": made.content[0].text, "finish": made.stop_reason}


def anthropic_bearer() -> Any:
    made = BEARER.messages.create(model="claude-sonnet", max_tokens=100, messages=messages())
    return {"text": made.content[0].text, "finish": made.stop_reason}


def anthropic_stream() -> Any:
    with ANTHROPIC.messages.stream(model="claude-sonnet", max_tokens=100, messages=messages()) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    return {"text": text, "final": final.content[-1].text, "finish": final.stop_reason}


def anthropic_tool() -> Any:
    asked = messages("use the tool")
    with ANTHROPIC.messages.stream(model="claude-sonnet", max_tokens=100, messages=asked) as stream:
        (call,) = stream.get_final_message().content
    return {"name": call.name, "arguments": call.input}


def openai_denied() -> Any:
    return OPENAI.chat.completions.create(model="other-1", messages=messages())


def anthropic_denied() -> Any:
    return ANTHROPIC.messages.create(model="other-1", max_tokens=100, messages=messages())


def openai_unknown() -> Any:
    other = openai.OpenAI(base_url=f"{ADDRESS}/v1", api_key="no.such.token")
    return other.responses.create(model="gpt-5", input=PROMPT)


def openai_limited() -> Any:
    return OPENAI.chat.completions.create(model="gpt-5", messages=messages("fail"))


def anthropic_limited() -> Any:
    return ANTHROPIC.messages.create(model="claude-sonnet", max_tokens=100, messages=messages("fail"))


def openai_held() -> Any:
    text = ""
    made = OPENAI.chat.completions.create(model="gpt-5", messages=messages("bluebird, openai"), stream=True)
    for chunk in made:
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
    return {"text": text}


def anthropic_held() -> Any:
    asked = messages("bluebird, anthropic")
    with ANTHROPIC.messages.stream(model="claude-sonnet", max_tokens=100, messages=asked) as stream:
        return {"text": "".join(stream.text_stream)}


def openai_broken() -> Any:
    for _ in OPENAI.responses.create(model="gpt-5", input="break", stream=True):
        pass
    return {}


def run(scenario: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {"result": scenario()}
    except (openai.APIStatusError, anthropic.APIStatusError) as error:
        return {"error": type(error).__name__, "status": error.status_code, "said": error.message, "body": error.body}
    except (openai.APIError, anthropic.APIError) as error:
        return {"error": type(error).__name__, "said": error.message}
    except Exception as error:  # noqa: BLE001 -- what a broken connection raises is the transport's own
        return {"error": type(error).__name__, "said": str(error)}


json.dump({name: run(globals()[name]) for name in SCENARIOS}, sys.stdout)
