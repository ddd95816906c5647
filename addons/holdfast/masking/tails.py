"""Whether a text ends in what may be the beginning of a value, and where that begins.

A guess, made to be cheap and to let ordinary ends pass: ``done.``, ``row 12 of 300``, ``Reading files``, ``50%``. What
it takes for no beginning is at most three digits, or a plain word: what follows of a value is masked all the same.
"""

import re
from typing import Final

DIGITS_MIN: Final = 4  # of a run of digits that may go on; "step 12 of 300" need not wait
RUN_CHARS_MIN: Final = 4  # of any other run
_CAPITALS_MIN: Final = 6  # keys begin with prefixes in capitals, words in a sentence are rarely so long
_CLOSING: Final = ("%", ",", ";", "!", "?")  # "50%"
_ENDING: Final = (*_CLOSING, ".", ":", "…", ")", "]", "}", '"', "'")  # as sentences and lines end
_SEPARATOR_CHARS_MAX: Final = 3
_PIECE: Final = re.compile(r"[^\W_]+|[\W_]+")
_RUN: Final = re.compile(r"\S+\s?\Z")
_SECRET: Final = re.compile(
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[ _-]?key|access[ _-]?key|bearer|basic)"
    r"[\"'\s:=>]{1,5}(?P<value>[^\s\"']+)\Z",
    re.IGNORECASE,
)
_KEY: Final = re.compile(
    r"(?<![\w-])(?:sk-|[rs]k_|gh[pousr]_|github_pat_|glpat-|xox[a-z]-|npm_|AKIA|ASIA|AIza|SG\.|hf_|eyJ)\S*\Z"
    r"|-----BEGIN"
)
_PLAIN_WORD: Final = re.compile(r"[\"'(\[]*(?:[^\W\d_]?[^\W\d_A-Z]*|[A-Z]{1,5}|[^\W\d_]+(?:-[^\W\d_]+)+)[)\]\"']*")
_SENTENCE_END: Final = re.compile(r"[.,;:!?…)\]}\"']+\Z")


def tail_start(text: str, chars: int) -> int:
    """Where the beginning of a value may stand at the end of ``text``; its length where there is none.

    Only the last ``chars`` characters are looked at.
    """
    if text.endswith(_CLOSING):
        return len(text)
    first = max(0, len(text) - chars)
    end = text[first:]
    return first + min(_numbers(end), _run(end), _secret(end), _key(end))


def run_on(text: str, more: str) -> str:
    """``text`` and what came behind it, for :func:`tail_start`: two lines make no word, as two halves of one do."""
    return f"{text[:-1]} {more}" if text.endswith(_ENDING) else text + more


def _numbers(text: str) -> int:
    """The beginning of the last run of digits, however grouped: ``+1 (212) 555``, ``DE89 3704``, ``%34%31``."""
    start, digits = len(text), 0
    for piece in reversed(list(_PIECE.finditer(text))):
        found = sum(char.isdigit() for char in piece.group())
        is_separator = not found and not piece.group()[0].isalnum()
        if not found and (not is_separator or len(piece.group()) > _SEPARATOR_CHARS_MAX):
            break
        digits += found
        start = piece.start()
    return start if digits >= DIGITS_MIN else len(text)


def _run(text: str) -> int:
    """The beginning of the last run without a blank, where it is no word of a language."""
    match = _RUN.search(text)
    if match is None or len(match.group().strip()) < RUN_CHARS_MIN:
        return len(text)
    run = match.group().strip()
    if "@" in run:
        return match.start()
    if run != match.group() or _SENTENCE_END.search(run) or _PLAIN_WORD.fullmatch(run):
        return len(text)
    return match.start() if _is_odd(run) else len(text)


def _is_odd(run: str) -> bool:
    letters = sum(char.isalpha() for char in run)
    digits = sum(char.isdigit() for char in run)
    capitals = sum(char.isupper() for char in run)
    return (digits >= 1 and letters >= 1) or capitals >= _CAPITALS_MIN or any(mark in run for mark in "._+%=~&\\")


def _secret(text: str) -> int:
    match = _SECRET.search(text)
    return len(text) if match is None else match.start("value")


def _key(text: str) -> int:
    match = _KEY.search(text)
    return len(text) if match is None else match.start()
