"""Objects that say in one member what another holds: ``{"name": "ssn", "value": …}``, ``{"Key": …, "Value": …}``.

Such lists are what environments, settings, forms, contacts, tags and audit logs are written as. Which member is the
label and which the value is told by their names, in any case and spelling.
"""

import enum
import functools
import re
from typing import Final

from holdfast.jsontext import Json, JsonObject
from holdfast.masking.words import TRANSPARENT, name_words

LABEL_CHARS_MAX: Final = 64  # a longer text is no name
_LABEL_TEXT: Final = """name key label field title property attribute parameter param variable column header heading
setting option question prompt caption slug identifier element selector locator loc k q"""
_LABELS: Final = frozenset(_LABEL_TEXT.split())
# They say what a value is in some lists only; so they count where what they say is the name of a rule.
_KINDS: Final = frozenset({"type", "kind", "system", "id", "code", "use", "category", "url", "uri", "path"})
_VALUES: Final = frozenset({"value", "values", "val", "default", "answer", "example", "examples", "schema"})
# Mostly they hold prose; so what stands there must not read like it.
_TEXTS: Final = frozenset({"text", "content", "data", "input", "received", "response", "reply", "a"})
# Only as whole names: an audit log has the old and the new value of a field.
_CHANGES: Final = frozenset({"old", "new", "before", "after", "previous", "current", "from", "to", "v"})
# Only as whole names, and of what proves who somebody is: ``{"type": "passport", "number": …}``, ``documentNumber``.
_NUMBERS: Final = frozenset({"number", "no", "num", "nr"})
_PROOFS: Final = frozenset({"document", "doc", "id", "identification", "identity", "identifier", "proof"})


class Role(enum.Enum):
    """What the name of a member says about the members beside it."""

    LABEL = "label"
    KIND = "kind"
    VALUE = "value"
    TEXT = "text"
    OTHER = "other"


_HOLDING: Final = frozenset({Role.VALUE, Role.TEXT})
_SAYING: Final = ("text", "name", "display", "label", "title", "value")
# What HL7 calls the kinds of identifiers (table 0203), where a rule has another name for them.
_CODES: Final = {"MR": "mrn", "SS": "ssn", "DL": "driver license", "PPN": "passport", "TAX": "tax id"}
# What a browser keeps beside the name and value of a cookie, and how those are called that stand for a login.
_COOKIE: Final = frozenset(
    {"httpOnly", "http_only", "httponly", "HttpOnly", "sameSite", "same_site", "hostOnly", "domain"}
)
_SESSION: Final = re.compile(r"sess|sid\b|auth|token|jwt|csrf|remember|login", re.IGNORECASE)
COOKIE: Final = "cookie"  # what rules call it
# What an element of a page is, behind what it is called: ``Password field``.
_SHOWN: Final = re.compile(r"[ _-](?:field|input|box|text ?box|entry)$", re.IGNORECASE)


@functools.lru_cache(maxsize=4096)
def role_of(name: str) -> Role:
    """The role of a member called ``name``."""
    words = name_words(name)
    if not words:
        return Role.OTHER
    if words[-1] in _VALUES or words[0] == "value" or (words[0] in _CHANGES and TRANSPARENT.issuperset(words[1:])):
        return Role.VALUE
    if words[-1] in _NUMBERS and _PROOFS.issuperset(words[:-1]):
        return Role.VALUE
    if len(words) == 1 and words[0] in _TEXTS:
        return Role.TEXT
    if words[-1] in _LABELS:
        return Role.LABEL
    return Role.KIND if words[-1] in _KINDS else Role.OTHER


def labels_of(value: JsonObject) -> tuple[tuple[str, Role], ...]:
    """What the members of ``value`` say that others hold, if any may be meant: plain labels first."""
    if _HOLDING.isdisjoint(map(role_of, value)):
        return ()
    if not _COOKIE.isdisjoint(value) and isinstance(name := value.get("name"), str) and _SESSION.search(name):
        return ((COOKIE, Role.LABEL),)
    said = [
        (_SHOWN.sub("", text), role)
        for name, item in value.items()
        if (role := _role_beside(name, item)) in (Role.LABEL, Role.KIND)
        for text in ((item,) if isinstance(item, str) else _texts_of(item))
        if says_something(text)
    ]
    return tuple(sorted(said, key=lambda one: one[1] is Role.KIND))


def _role_beside(name: str, item: Json) -> Role:
    """The role of a member ``name``. A path in steps is a label: errors of a check say so where a value stood."""
    role = role_of(name)
    return Role.LABEL if role is Role.KIND and isinstance(item, list) else role


def says_something(text: str) -> bool:
    """Whether ``text`` may be a name. What a mask is called says nothing about the value beside it."""
    return 0 < len(text) <= LABEL_CHARS_MAX and "<" not in text


def _texts_of(item: Json) -> tuple[str, ...]:
    """What a label says that is an object itself, or a path in steps: ``{"type": {"text": "SSN"}}``."""
    if isinstance(item, list):
        return (item[-1],) if item and isinstance(item[-1], str) else ()
    if not isinstance(item, dict):
        return ()
    codes = item.get("coding")  # as FHIR says what a value is
    first = codes[0] if isinstance(codes, list) and codes else None
    said = [one[name] for one in (item, first) if isinstance(one, dict) for name in _SAYING if name in one]
    code = first.get("code") if isinstance(first, dict) else None
    said += [_CODES[code]] if isinstance(code, str) and code in _CODES else []
    return tuple(text for text in said if isinstance(text, str))


def is_no_prose(value: object) -> bool:
    """Whether ``value`` is one short run that is no word."""
    return (
        isinstance(value, str)
        and len(value) <= LABEL_CHARS_MAX
        and not value.isalpha()
        and not any(char.isspace() for char in value)
    )


def names_itself(value: object, label: str) -> bool:
    """Whether ``value`` only says ``label`` again, as the choices of a form do: ``API key`` and ``api_key``."""
    return isinstance(value, str) and name_words(value) == name_words(label)
