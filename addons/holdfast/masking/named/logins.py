"""Lists of logins, a user and a password in each line: under a line that says so, or behind addresses of mail.

::

    Logins of the workshop:          bob@example.com:hunter2
    - bob / hunter2                  ann@example.com:hunter3
    - ann / hunter3

and one login as a client sends it (RFC 4616), once it is opened: whose, who and the password, with NUL between.
"""

import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.literals import lowered
from holdfast.masking.members import SECRET
from holdfast.masking.named.cell import Cell, Matters, Spend, cell_of, has_digit, is_word
from holdfast.masking.words import describes

_LINES_MAX: Final = 4096  # of one list
_WORDS: Final = (
    r"credentials?|creds|log-?ins?|passwords|passw\u00f6rter|zugangsdaten|inloggegevens|wachtwoorden|identifiants"
    r"|mots de passe|credencia(?:is|les)|contrase\u00f1as|credenziali|senhas|accounts|combo ?list|leaked|dump"
    r"|(?<!:)(?:log-?in|user(?:name)?|e-?mail)[:/|;][ ]?(?:pass(?:word|wd)?|pwd)|chpasswd"
)
_HEAD: Final = re.compile(
    rf"^(?P<head>[^\n]{{0,100}}?\b(?:{_WORDS})\b[^\n:]{{0,60}}+):?[ \t]{{0,8}}\r?\n"
    r"(?:[ \t]{0,8}(?:list:[ ]\|-?[ \t]{0,8})?\r?\n)?",
    re.MULTILINE | re.IGNORECASE,
)
# One of these is in each of the words: most texts have none, and need not be gone through line by line.
_STEMS: Final = (
    *("cred", "log", "zugang", "inlog", "wachtw", "identifiants", "mots de", "contrase", "senhas", "accounts"),
    *("combo", "leaked", "dump", "user", "mail", "pass"),
)
_STRONG: Final = re.compile(r"pass|cred|zugang|inlog|identif|senhas|contrase|combo", re.IGNORECASE)
_MARKS: Final = r"[ \t]{0,3}(?:[:|/;=,]|->|=>|\u2192)[ \t]{0,3}|\t{1,3}| - | "
_LINE: Final = re.compile(
    r"[ \t>]{0,16}(?:[*\u2022-][ \t]{1,4}|\d{1,3}[.)][ \t]{1,4})?[\"'`]?(?P<user>[\w.+-]{1,64}(?:@[\w.-]{1,253})?)"
    rf"[\"'`]?(?P<mark>{_MARKS})[\"'`]?(?P<value>[^\s\"'`]{{3,100}})[\"'`]?[ \t]{{0,8}}\r?$",
    re.MULTILINE,
)
_MAIL_LINE: Final = re.compile(
    r"^[ \t>*-]{0,8}[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}[ \t]?[:;|][ \t]?"
    r"(?P<value>[^\s:|;/@<>]{4,64})[ \t]{0,8}\r?$",
    re.MULTILINE,
)
_SENT: Final = re.compile(r"[^\0\r\n]{0,255}\0[^\0\s]{1,255}\0(?P<value>[^\0\r\n]{1,255})")
_SIGNS: Final = "!#$%^&*+=?~_"


def cells_of_logins(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    """The passwords of lists in ``text``, if a rule is about passwords."""
    sent = _SENT.fullmatch(text) if "\0" in text else None
    if sent is not None and matters(SECRET) and (cell := cell_of(text, *sent.span("value"), SECRET)):
        yield cell
    if "\n" not in text or not matters(SECRET):
        return
    spend(len(text))
    if "@" in text:
        yield from _behind_mail(text, spend)
    last = 0
    lower = lowered(text)
    for head in _HEAD.finditer(text) if any(stem in lower for stem in _STEMS) else ():
        if head.end() > last and not describes(head["head"].split()[-1]):
            last = max(head.end(), last)
            lines = list(_lines(text, last, matters, spend))
            if _is_list(lines, is_strong=_STRONG.search(head["head"]) is not None):
                yield from (cell for line in lines if (cell := cell_of(text, *line.span("value"), SECRET)))
            last = lines[-1].end() if lines else last


def _behind_mail(text: str, spend: Spend) -> Iterator[Cell]:
    found = list(_MAIL_LINE.finditer(text))
    for line in found:
        spend(len(line[0]))
        value = line["value"]
        is_said = has_digit(value) and not value.isdigit()
        if (is_said or (len(found) > 1 and not value.isdigit())) and (
            cell := cell_of(text, *line.span("value"), SECRET)
        ):
            yield cell


def _lines(text: str, at: int, matters: Matters, spend: Spend) -> Iterator[re.Match[str]]:
    """The lines from ``at`` on that are a user and a value, all with the same mark between."""
    mark = None
    for _ in range(_LINES_MAX):
        line = _LINE.match(text, at)
        if line is None or (mark is not None and _kind(line["mark"]) != mark):
            return
        if describes(line["user"]) or matters(line["user"]):
            return  # the parts of one login, each with its name
        spend(len(line[0]) + 1)
        mark = _kind(line["mark"])
        yield line
        at = line.end() + 1


def _kind(mark: str) -> str:
    """``mark`` without the blanks that align it: ``root:x`` is written otherwise than ``expire: x``."""
    return mark.strip() + (" " if mark[-1].isspace() else "")


def _is_list(lines: list[re.Match[str]], *, is_strong: bool) -> bool:
    """Whether ``lines`` are logins: what says so may be vague, and they may be settings, or words of a sentence."""
    if not lines or any(line["value"].isdigit() or line["value"][0] in "<{$*/[(" for line in lines):
        return False
    is_shaped = all(_is_shaped(line["value"]) for line in lines)
    mark = lines[0]["mark"]
    if mark == " " or (mark[0] == ":" and mark != ":"):  # ``key: value``, as settings are written
        return is_strong and is_shaped and len(lines) > 1
    if is_strong and any(_is_shaped(line["value"]) for line in lines):
        return True
    return len(lines) > 1 and (is_strong or mark.strip() in (":", "/", "|")) and not all(map(_is_setting, lines))


def _is_setting(line: re.Match[str]) -> bool:
    return line["mark"].endswith(" ") and line["mark"][0] != " "


def _is_shaped(value: str) -> bool:
    """Whether a password may look so, and a word does not."""
    return not is_word(value) and (has_digit(value) or any(sign in value for sign in _SIGNS))
