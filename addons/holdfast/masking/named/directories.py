"""Entries of directories as LDIF has them (RFC 2849): names and addresses of persons, and names that name an entry.

What a server or a group is called stands under ``cn`` too; so an entry counts as a person's where it has a family
name or says so itself.
"""

import base64
import binascii
import dataclasses
import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.cell import Cell, Matters, Spend, cell_of
from holdfast.masking.persons import PERSON, is_called

_ENTRY: Final = re.compile(r"(?:^#[^\n]*\n)?^dn::? [^\n]*(?:\n(?![ \t]*\r?$)[^\n]*)*", re.MULTILINE)
# A line that begins with a blank goes on with the one above.
_LINE: Final = re.compile(
    r"^(?P<name>[A-Za-z][\w-]{0,40})(?:;[\w-]{1,32}){0,3}:(?P<mark>:?) {0,4}"
    r"(?P<value>[^\n]{1,1024}(?:\n [^\n]{1,200}){0,8})",
    re.MULTILINE,
)
_FOLD: Final = re.compile(r"\r?\n ")
_PERSONS: Final = re.compile(
    r"^(?:sn|surname|givenName)::? |^objectClass: (?:\w{0,20}person|user|posixAccount|shadowAccount)[ \t]{0,4}\r?$",
    re.MULTILINE | re.IGNORECASE,
)
_NAME_TEXT: Final = "cn commonname sn surname gn givenname displayname gecos personalname"
_ADDRESS_TEXT: Final = "homepostaladdress postaladdress registeredaddress street streetaddress"
_CALLED: Final = dict.fromkeys(_NAME_TEXT.split(), PERSON) | dict.fromkeys(_ADDRESS_TEXT.split(), "home address")
_ENTRIES: Final = frozenset({"dn", "distinguishedname"})
# Whoever leads or helps somebody is a person, in whatever entry; a member may be a group.
_LEADERS: Final = frozenset({"manager", "secretary", "assistant"})
_MEMBERS: Final = frozenset({"member", "uniquemember", "owner", "seealso"})
_PEOPLE: Final = re.compile(r"ou=(?:people|persons|users|staff|employees)\b", re.IGNORECASE)
_NAMED: Final = re.compile(r"(?<![\w-])(?i:cn|sn|gn|displayName)=(?P<value>(?:[^,+=\\\n]|\\.){2,80})(?=[,+]|\s*\Z)")
_LOGIN: Final = re.compile(
    r"^(?:dn: |)(?:uid(?:=|: )|sAMAccountName: |mailNickname: )(?P<value>[\w.-]{3,64})", re.MULTILINE | re.IGNORECASE
)
_ABOVE: Final = re.compile(r"# (?P<value>[^,\n]{3,80}),")
_FAMILY: Final = re.compile(r"^(?:sn|surname): (?P<value>[A-Za-z]{4,40})[ \t]{0,4}\r?$", re.MULTILINE | re.IGNORECASE)


def cells_of_directories(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    """The values of the entries in ``text`` that a rule is about."""
    if "dn:" not in text:
        return
    spend(len(text))
    for entry in _ENTRY.finditer(text):
        spend(len(entry[0]))
        start, end = entry.span()
        is_person = _PERSONS.search(text, start, end) is not None
        for line in _LINE.finditer(text, start, end):
            yield from _line(text, line, matters, is_person=is_person)
        if is_person and matters(PERSON):
            yield from _repeated(text, start, end)


def _line(text: str, line: re.Match[str], matters: Matters, *, is_person: bool) -> Iterator[Cell]:
    attribute = line["name"].lower()
    said = _decoded(line["value"]) if line["mark"] else _FOLD.sub("", line["value"])
    if said is None:
        return
    is_path = attribute in _LEADERS or (is_person and attribute in _ENTRIES)
    if is_path or (attribute in _MEMBERS and _PEOPLE.search(said)):
        for named in _NAMED.finditer(said) if matters(PERSON) else ():
            if is_path or is_called(named["value"]):
                yield from _part(text, line, named, is_whole=said != line["value"])
        return
    name = _CALLED.get(attribute) if is_person else None
    if name is not None and matters(name) and (cell := cell_of(text, *line.span("value"), name)):
        yield dataclasses.replace(cell, said=said.strip())


def _part(text: str, line: re.Match[str], named: re.Match[str], *, is_whole: bool) -> Iterator[Cell]:
    """What ``named`` finds in the value of ``line``; all of it where that is encoded or folded."""
    if is_whole:
        yield Cell((PERSON,), *line.span("value"), said=named["value"])
        return
    at = line.start("value")
    if cell := cell_of(text, at + named.start("value"), at + named.end("value"), PERSON):
        yield cell


def _repeated(text: str, start: int, end: int) -> Iterator[Cell]:
    """Logins that a family name is part of, and what tools write in a line above of how the entry is called."""
    families = {family["value"].lower() for family in _FAMILY.finditer(text, start, end)}
    for login in _LOGIN.finditer(text, start, end):
        if any(family in login["value"].lower() for family in families):
            yield Cell((PERSON,), *login.span("value"))
    above = _ABOVE.match(text, start, end)
    if above is not None and re.search(rf"^cn: {re.escape(above['value'])}[ \t]*\r?$", text[start:end], re.MULTILINE):
        yield Cell((PERSON,), *above.span("value"))


def _decoded(value: str) -> str | None:
    try:
        return base64.b64decode("".join(value.split()), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
