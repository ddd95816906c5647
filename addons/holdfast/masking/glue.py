r"""What is glued to a value: an underscore, a letter of another script, a colour code of a terminal.

``card_4111…``, ``号4111…号``, ``\x1b[31m4111…\x1b[0m``: to a pattern that asks for the edge of a word these values are
the inside of one. So a text is read once more with a blank in place of what is glued to something that has the form of
a value: seven digits or more, an address of a machine, the end of an e-mail address. All else stays as it stands.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.masking.origins import Pieces
from holdfast.masking.spelling import CHANGES_MAX, Spelling, Stretch

# ECMA-48, 5.4: what a terminal does not show; and 8.3.89, which also titles windows and makes links. Log viewers write
# the first character as the picture of it.
_CONTROL: Final = r"(?:[\x1b\u241b]\[|\x9b)[0-9;:<=>?]{0,32}[ -/]{0,2}[@-~]|\x1b\][^\x07\x1b\r\n]{0,512}(?:\x07|\x1b\\)"
CONTROL_SIGNS: Final = "\x1b\u241b\x9b"  # it begins with one of them
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


CODE: Final = re.compile(_CONTROL)
_CODES: Final[Any] = regex.compile(rf"(?:{_CONTROL}|\s)*+")
_BLANKS_BEFORE: Final[Any] = regex.compile(r"(?r)\s*+")
_MARKS_OF_NUMBERS: Final = "+()[].,:/#-"
_LOW_LINE_GLUE: Final = regex.compile(_glued(_LOW_LINE))
_LETTER_GLUE: Final = regex.compile(_glued(_LETTER))
_GLUE: Final = regex.compile(rf"{_CONTROL}|{_glued(f'{_LOW_LINE}|{_LETTER}')}")
# Of what may be a letter of another script, what may be glued to a value by what stands beside it: most is not.
_BEYOND: Final = r"[^\x00-\x7f]"
_HEX_END: Final = "|".join(rf"(?<=[:-]{_HEX}{{{count}}}.)" for count in range(1, 5))
_TOUCHING: Final = re.compile(rf"{_BEYOND}(?:(?=[0-9+(]|{_HEX}{{1,4}}[:-])|(?<=[0-9)].)|{_HEX_END})")
_BEHIND_MAIL: Final = re.compile(rf"@[A-Za-z0-9.-]++(?={_BEYOND})")
_CHARS_PER_TOUCH: Final = 64  # where more touch something, it is quicker to look at all of the text


def glued_in(text: str) -> Iterable[Stretch]:
    """Where something is glued to what has the form of a value, in order."""
    if any(sign in text for sign in CONTROL_SIGNS):
        return _spans(_GLUE.finditer(text, concurrent=False))
    low_lines = _spans(_LOW_LINE_GLUE.finditer(text, concurrent=False)) if "_" in text else ()
    if text.isascii():
        return low_lines
    count_max = len(text) // _CHARS_PER_TOUCH
    touching = (match.start() for match in _TOUCHING.finditer(text))
    behind_mail = (match.end() for match in _BEHIND_MAIL.finditer(text)) if "@" in text else ()
    places = list(itertools.islice(itertools.chain(touching, behind_mail), count_max + 1))
    if len(places) > count_max:
        return _spans(_GLUE.finditer(text, concurrent=False))
    return sorted([*low_lines, *_letters_at(text, set(places))])


def _spans(matches: Iterable[Any]) -> Iterator[Stretch]:
    return (match.span() for match in matches)


def _letters_at(text: str, places: Iterable[int]) -> Iterator[Stretch]:
    """The letters at ``places`` that are glued to what stands beside them."""
    for at in places:
        match = _LETTER_GLUE.match(text, at, concurrent=False)
        if match is not None:
            yield match.span()


def _without_apart(text: str, glue: Iterable[Stretch]) -> Iterator[Stretch]:
    """``glue`` without colour codes beside blanks, which glue nothing: without them, a blank is left.

    Between numbers they stay, since one blank there may be part of a number, and two are not.
    """
    done = 0  # up to here the codes and blanks that stand together were looked at
    glues = True
    for start, end in glue:
        is_code = text[start] in CONTROL_SIGNS
        if is_code and start >= done:
            before = _BLANKS_BEFORE.match(text, 0, start).start()
            done = _CODES.match(text, start).end()
            has_blank = before < start or CODE.sub("", text[start:done]) != ""
            is_within = before > 0 and done < len(text)
            glues = is_within and (not has_blank or (_is_of_number(text[before - 1]) and _is_of_number(text[done])))
        if glues or not is_code:
            yield start, end


def _is_of_number(char: str) -> bool:
    return char.isnumeric() or char in _MARKS_OF_NUMBERS


def unglued(text: str) -> Spelling | None:
    """``text`` with one blank in place of each such thing; None where there is none."""
    parts: list[str] = []
    pieces = Pieces()
    changes: list[Stretch] = []
    at = 0
    for start, end in _without_apart(text, glued_in(text)):
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
