"""The APIs that the gateway judges, told apart by the path that is asked at the server."""

import enum
from typing import Final


class Api(enum.Enum):
    """One operation of an LLM API. The value is the method that rules and Records call it by."""

    CHAT = "llm/chat.completions"  # OpenAI: POST /v1/chat/completions
    RESPONSES = "llm/responses"  # OpenAI: POST /v1/responses
    MESSAGES = "llm/messages"  # Anthropic: POST /v1/messages
    TOKENS = "llm/messages.count_tokens"  # Anthropic: POST /v1/messages/count_tokens, which carries the prompt too

    @property
    def is_anthropic(self) -> bool:
        """Whether errors have Anthropic's form; else OpenAI's."""
        return self in (Api.MESSAGES, Api.TOKENS)


_BY_END: Final = {
    "/chat/completions": Api.CHAT,
    "/responses": Api.RESPONSES,
    "/messages": Api.MESSAGES,
    "/messages/count_tokens": Api.TOKENS,
}
ENDS: Final = tuple(_BY_END)


def api_at(path: str) -> Api | None:
    """What is asked at ``path`` of an LLM server, by its last segments; None where nothing there can be judged."""
    return next((api for end, api in _BY_END.items() if path.endswith(end)), None)
