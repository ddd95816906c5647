"""Who speaks in a chat that somebody saved: WhatsApp, Signal, Slack, Teams, Zoom, subtitles.

::

    [12/03/2024, 09:14] Ada Lovelace: hi        Ada Lovelace  9:14 AM        09:14:22 From Ada Lovelace to Everyone: hi
    12/03/2024, 09:14 - Ada: hi                 hi                           <v Ada Lovelace>hi

A log has a time before its words too: one word is a speaker only where nothing else is written so.
"""

import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.cell import Cell, Matters, Spend, cell_of, has_one
from holdfast.masking.persons import PERSON, is_called

_CLOCK: Final = r"\d{1,2}[:.]\d\d(?P<seconds>[:.]\d\d)?(?P<half>[ \u00a0\u202f]?[AaPp]\.?\s?[Mm]\.?)?"
_WHO: Final = r"(?:~[ \u00a0\u202f]?)?(?P<name>[^\W\d_](?:[^\W\d_]|[ .'\u2019-](?=[^\W\d_])|\.(?= )){1,48})"
_DATED: Final = re.compile(
    rf"^[\u200e\u200f]?(?P<open>\[)?\d{{1,4}}[./-]\d{{1,2}}[./-]\d{{2,4}},? {_CLOCK}"
    rf"(?(open)\]| [-\u2013]) {_WHO}:[ \n]",
    re.MULTILINE,
)
_TIMED: Final = re.compile(rf"^\[{_CLOCK}\] {_WHO}: ", re.MULTILINE)
_HEADS: Final = re.compile(
    rf"^{_WHO}(?:[ ]{{2,3}}(?:\d{{1,2}}:\d\d [AP]M)|[ ]{{1,2}}\[\d{{1,2}}:\d\d(?: [AP]M)?\]"
    r"|[ ]{1,2}\u2014 (?:Today|Yesterday) at \d{1,2}:\d\d(?: [AP]M)?)[ \t]{0,4}\r?\n(?=\S)(?P<next>[^\n]*)",
    re.MULTILINE,
)
_ENDS: Final = re.compile(r"\d:\d\d(?: [AP]M)?\]?\s*\Z")  # in an agenda, as the line above does
_TOLD: Final = re.compile(
    r"^\d\d:\d\d:\d\d[ \t]{1,4}From[ \t]{1,2}(?P<name>[^\n:]{2,60}?)[ \t]{1,2}to[ \t]{1,2}(?P<other>[^\n:]{2,60}?)"
    r"(?:\(Direct Message\))?[ \t]{0,2}:",
    re.MULTILINE,
)
_VOICE: Final = re.compile(r"<v(?:\.[\w.]{1,32})? (?P<name>[^<>\n]{2,60})>")
# What a program writes where a speaker would stand, and what an agenda has before a time.
_NO_PERSON_TEXT: Final = """error errors warning warnings warn info debug trace fatal notice note log system server
client exception critical alert event message status user admin bot request response result output input start end
stop job task step test build update todo meeting standup lunch break call review session keynote breakfast dinner
train flight bus departure arrival opening closing everyone unknown agenda coffee planning retro demo interview
workshop training registration welcome panel talk check visit appointment lecture discussion remarks reception ceremony
tour hour networking social questions room"""
_NO_PERSONS: Final = frozenset(_NO_PERSON_TEXT.split())
_LINED: Final = ("] ", " - ", " \u2013 ")
_HEADED: Final = ("M\n", "M\r", "]\n", "]\r", "day at ")
_MET: Final = (" From ", "\tFrom ", "<v ", "<v.")


def cells_of_chats(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    """The speakers of chats in ``text``."""
    if ":" not in text or not matters(PERSON):
        return
    found: list[tuple[int, int]] = []
    for signs, look in _LOOKS:
        if has_one(text, signs):
            spend(len(text))
            found += look(text)
    for start, end in found:
        if cell := cell_of(text, start, end, PERSON):
            yield cell


def _lines(text: str) -> Iterator[tuple[int, int]]:
    yield from _speakers(text, _DATED)
    yield from _speakers(text, _TIMED)


def _speakers(text: str, shape: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Those of lines that begin with a time; who has one name only where all lines are of persons."""
    lines = [line for line in shape.finditer(text) if _may_speak(line["name"])]
    is_chat = any(_is_whole(line["name"]) for line in lines) or (
        shape is _DATED and bool(lines) and not any(line["seconds"] for line in lines)
    )
    for line in lines if is_chat else ():
        is_told = shape is _DATED or (_is_whole(line["name"]) and (line["half"] or not line["seconds"]))
        if is_told:
            yield line.span("name")


def _heads(text: str) -> Iterator[tuple[int, int]]:
    """Names in a line of their own, above what they say."""
    for line in _HEADS.finditer(text):
        if _is_whole(line["name"]) and not _ENDS.search(line["next"]):
            yield line.span("name")


def _meetings(text: str) -> Iterator[tuple[int, int]]:
    for line in _TOLD.finditer(text):
        yield from (line.span(one) for one in ("name", "other") if _is_whole(line[one].strip()))
    for line in _VOICE.finditer(text):
        if _may_speak(line["name"]):
            yield line.span("name")


def _is_whole(name: str) -> bool:
    """Whether ``name`` is two words and more as persons are called."""
    return is_called(name.strip()) and _may_speak(name)


def _may_speak(name: str) -> bool:
    words = name.split()
    return bool(words) and words[0][0].isupper() and not any(map(_is_thing, words))


def _is_thing(word: str) -> bool:
    word = word.strip(".").lower()
    return word in _NO_PERSONS or word.endswith("ing")


_LOOKS: Final = ((_LINED, _lines), (_HEADED, _heads), (_MET, _meetings))
