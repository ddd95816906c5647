r"""What is glued to a value: an underscore, a letter of another script, a colour code of a terminal.

``card_4111…``, ``号4111…号``, ``\x1b[31m4111…\x1b[0m``: to a pattern that asks for the edge of a word these values are
the inside of one. So a text is read once more with a blank in place of what is glued to something that has the form of
a value: seven digits or more, an address of a machine, the end of an e-mail address. All else stays as it stands.
"""

from collections.abc import Iterator
from typing import Final

import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.masking.origins import Pieces
from holdfast.masking.spelling import CHANGES_MAX, Spelling, Stretch

# ECMA-48, 5.4: what a terminal does not show; and 8.3.89, which also titles windows and makes links. Log viewers write
# the first character as the picture of it.
CONTROL: Final = r"(?:[\x1b\u241b]\[|\x9b)[0-9;:<=>?]{0,32}[ -/]{0,2}[@-~]|\x1b\][^\x07\x1b\r\n]{0,512}(?:\x07|\x1b\\)"
_HEX: Final = "[0-9A-Fa-f]"
_FORMS: Final = (
    r"\d(?:[ ().:/-]{0,2}\d){6}",
    r"\d{1,3}(?:\.\d{1,3}){3}",
    rf"{_HEX}{{2}}(?:[:-]{_HEX}{{2}}){{5}}",
    rf"{_HEX}{{1,4}}(?::{_HEX}{{0,4}}){{3,7}}",
)
_AHEAD: Final = rf"(?=[+(]{{0,2}}(?:{'|'.join(_FORMS)}))"
_MAIL_END: Final = r"@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"
_BEHIND: Final = rf"(?<=(?:{'|'.join(_FORMS)})\)?|{_MAIL_END})"
_LOW_LINE: Final = "(?<!_)_++"  # a run is begun once: a ruled line has thousands
_LETTER: Final = r"[^\W\d_A-Za-z]"


def _glued(what: str) -> str:
    # Three cheap looks at the next character come before the long ones: most of what is asked stands between letters.
    return rf"(?:{what})(?=[0-9+(A-Fa-f]){_AHEAD}|(?<=[0-9A-Za-z)]){_BEHIND}(?:{what})"


_ASCII_GLUE: Final = regex.compile(_glued(_LOW_LINE))
_GLUE: Final = regex.compile(rf"{CONTROL}|{_glued(f'{_LOW_LINE}|{_LETTER}')}")


def glued_in(text: str) -> Iterator[Stretch]:
    """Where something is glued to what has the form of a value, in order."""
    if text.isascii() and "\x1b" not in text:
        if "_" in text:
            yield from (match.span() for match in _ASCII_GLUE.finditer(text, concurrent=False))
    else:
        yield from (match.span() for match in _GLUE.finditer(text, concurrent=False))


def unglued(text: str) -> Spelling | None:
    """``text`` with one blank in place of each such thing; None where there is none."""
    parts: list[str] = []
    pieces = Pieces()
    changes: list[Stretch] = []
    at = 0
    for start, end in glued_in(text):
        parts += (text[at:start], " ")
        pieces.copy(at, start)
        changes.append((pieces.length, pieces.length + 1))
        pieces.stand(start, 1)
        at = end
    if not changes:
        return None
    pieces.copy(at, len(text))
    new = "".join((*parts, text[at:]))
    origins = pieces.done(len(text))
    return Spelling(new, origins, tuple(changes) if len(changes) <= CHANGES_MAX else ((0, len(new)),))
