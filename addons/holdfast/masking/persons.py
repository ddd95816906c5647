"""Whose a bare *name* is: a person's, where a column or member beside it is about a person.

What tools, files and tables are called stands beside versions and sizes, what somebody is called beside an address of
mail, a telephone number or a day of birth.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from holdfast.masking.words import name_words

PERSON: Final = "full name"  # what rules call it
_NAMES: Final = frozenset({"name", "nm", "nom", "nombre", "nome", "naam", "nome cognome", "nome e cognome"})
_CONTACT_TEXT: Final = """email emails mail courriel correo phone telephone mobile cell tel msisdn fax dob birth
birthday birthdate born ssn passport mrn telefon telefono telefone telefoon telemovel handy rufnummer geburtsdatum
geboortedatum nascita nascimento nacimiento naissance"""
_CONTACTS: Final = frozenset(_CONTACT_TEXT.split())
# Firms and devices have telephone numbers too, and are not called so.
_PART: Final = r"[^\W\d_a-z\u00df-\u00f6\u00f8-\u00ff](?:[^\W\d_]|['\u2019.-]){0,40}"
_CALLED: Final = re.compile(rf"{_PART}(?:,? (?:(?:van|von|de|der|den|da|di|del|la|dos|bin|al) ){{0,2}}{_PART}){{1,3}}")
_FIRM_TEXT: Final = """ltd limited inc llc llp gmbh ag kg corp corporation company co bank group holding holdings plc sa
sas srl bv nv oy ab as school university hospital clinic hotel restaurant cafe store shop center centre office team
support service services department desk sales reception airport station insurance"""
_FIRMS: Final = frozenset(_FIRM_TEXT.split())


def is_bare_name(name: str) -> bool:
    """Whether ``name`` says that its value is what something, or somebody, is called: ``Name1``, ``q1_name``."""
    return " ".join(word for word in name_words(name) if not word.isdigit()).removeprefix("q ") in _NAMES


def is_about_persons(name: str) -> bool:
    """Whether what is called ``name`` is something that persons have."""
    words = name_words(name)
    return bool(words) and not _CONTACTS.isdisjoint(words)


def told(names: Sequence[str]) -> list[str]:
    """``names`` of columns; a bare one is that of persons where another column is about them."""
    if not any(map(is_bare_name, names)) or not any(map(is_about_persons, names)):
        return list(names)
    return [PERSON if is_bare_name(name) else name for name in names]


def is_called(value: object) -> bool:
    """Whether ``value`` is two to four words as persons are called, and firms are not."""
    return (
        isinstance(value, str)
        and _CALLED.fullmatch(value) is not None
        and _FIRMS.isdisjoint(word.strip(".").lower() for word in _words(value))
    )


def _words(value: str) -> Iterable[str]:
    return value.replace(",", " ").split()
