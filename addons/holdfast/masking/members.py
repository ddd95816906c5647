"""What the names of an object's members, and the members beside them, say about their values."""

import dataclasses
import re
from typing import Final

from holdfast.jsontext import Json, JsonObject
from holdfast.masking.around import Around, columns_in, is_row_name
from holdfast.masking.bound import HELD, bound_in, columns_of
from holdfast.masking.engine import Scanner
from holdfast.masking.force import Force
from holdfast.masking.keys import KeyForces
from holdfast.masking.labels import Role, is_no_prose, labels_of, names_itself, role_of
from holdfast.masking.persons import PERSON, is_called
from holdfast.masking.place import Place
from holdfast.masking.words import describes

# All that a Secret of Kubernetes holds is one, whatever it is called there.
SECRET_MEMBERS: Final = frozenset({"data", "stringData"})
SECRET: Final = "password"  # noqa: S105 -- what rules call it
_KEY: Final = "private_key"
_KEY_NUMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
# Beside an address of mail these are what somebody is called, and nothing else is.
_FOREIGN: Final = frozenset({"nom", "nombre", "nome", "naam"})  # beside the rest of a name, the first or last of it
# Of the lines of a name, as SAP has them, and the questions of a form.
_NUMBERED: Final = frozenset({"name1", "Name1", "NAME1", *(f"q{number}_name" for number in range(1, 10))})
_NAMES: Final = (
    _FOREIGN | _NUMBERED | {"name", "Name", "nm", "displayName", "display_name", "DisplayName", "real_name", "realName"}
)
# So they are beside what only persons have, if they read like it; firms and devices have telephone numbers too.
_PERSONAL: Final = frozenset(
    {"PHONE_NUMBER", "DATE_OF_BIRTH", "US_SSN", "US_PASSPORT", "MEDICAL_RECORD", "NATIONAL_ID", "CREDIT_CARD"}
)
_MAIL: Final = re.compile(r"[^\s@/:<>]{1,64}@[\w.-]{1,253}\.[A-Za-z]{2,24}")
_MAIL_NAMES: Final = frozenset({"address", "login", "username", "user_name", "userPrincipalName"})


class Members:
    """Reads objects."""

    def __init__(self, forces: KeyForces, scanner: Scanner) -> None:
        self._forces = forces
        self._scanner = scanner

    def of(self, value: JsonObject, place: Place) -> "Said":
        """What is said about the members of ``value``, which stands at ``place``."""
        labels = labels_of(value)
        columns = columns_in(value)
        if columns is None and place.around is not None:
            columns = place.around.columns
        around = None if columns is None else Around(columns)
        secret = self._forces.of(SECRET) if value.get("kind") == "Secret" else None
        said = Said(self._forces, self._scanner, place, labels, around, secret, self._given(value))
        return said.with_bound(bound_in(value))

    def _given(self, value: JsonObject) -> dict[str, Force]:
        """What plain names say beside others: that of a person, and the secret numbers of a key in JSON (RFC 7517)."""
        given: dict[str, Force] = {}
        person = self._forces.of(PERSON) if self._is_person(value) else None
        if person is not None:
            given |= dict.fromkeys(_NAMES, person)
        key = self._forces.of(_KEY) if "kty" in value else None
        if key is not None:
            given |= dict.fromkeys(_KEY_NUMBERS, key)
        return given

    def _is_person(self, value: JsonObject) -> bool:
        """Whether ``value`` has a name, and an address of mail that is somebody's, or what else only persons have."""
        if _NAMES.isdisjoint(value):
            return False
        is_read = any(is_called(value.get(name)) for name in _NAMES)
        wanted = _PERSONAL if is_read else frozenset[str]()
        wanted = wanted if _FOREIGN.isdisjoint(value) else _PERSONAL | {"PERSON"}
        return any(self._is_personal(name, item, wanted) for name, item in value.items())

    def _is_personal(self, name: str, item: Json, wanted: frozenset[str]) -> bool:
        if isinstance(item, str) and "@" in item and _MAIL.fullmatch(item) is not None:
            return name in _MAIL_NAMES or self._forces.knows(name)
        force = self._forces.of(name) if wanted and item else None
        return force is not None and force.entity in wanted


class Said:
    """What is said about the members of one object."""

    def __init__(
        self,
        forces: KeyForces,
        scanner: Scanner,
        place: Place,
        labels: tuple[tuple[str, Role], ...],
        around: Around | None,
        secret: Force | None,
        given: dict[str, Force],
    ) -> None:
        self._forces = forces
        self._scanner = scanner
        self._place = place
        self._labels = labels
        self._around = around
        self._secret = secret
        self._given = given
        self._is_plain = not (labels or given) and around is None and place.around is None and secret is None
        self._bound: dict[str, str] = {}

    def with_bound(self, bound: dict[str, str]) -> "Said":
        """The same, where a query says what the values are called that are handed over beside it."""
        self._bound = bound
        self._is_plain = self._is_plain and not bound
        return self

    def place(self, name: str, kept_name: str, item: Json) -> Place:
        """The place of ``item``, the value of the member ``name``."""
        place = self._place
        said = self._scanner.without_masks(kept_name)
        force: Force | None = self._forces.of(said, place.context)
        if self._is_plain and (force is None or not isinstance(item, dict)):
            return place.member(said, kept_name, force)  # as in most objects
        if self._labels and (force is None or name == "value") and _may_hold(name, item):
            said, force = self._labelled(said, force, item, is_text=role_of(name) is Role.TEXT)
        if force is None:
            force = self._given.get(name)
        around = place.around
        if force is None and around is not None and around.bound:
            force = self._forces.of(dict(around.bound).get(name, ""))
        if force is None and around is not None and around.collection is not None and _is_one(item, name):
            force = around.collection
        inner = place.member(said, kept_name, force)
        told = self._told(name, item, force) if isinstance(item, list | dict) else None
        return inner if told is None else dataclasses.replace(inner, around=told)

    def _labelled(self, said: str, force: Force | None, item: Json, *, is_text: bool) -> tuple[str, Force | None]:
        """The label that a rule is about; else the first that is one, for context, where the name is plain."""
        for label, _ in (one for one in self._labels if not is_text or one[1] is Role.LABEL):
            found = self._forces.of(label, self._place.context)
            if found is not None and not names_itself(item, label):
                return label, found
        first, role = self._labels[0]
        return (first, force) if role is Role.LABEL and said == "value" else (said, force)

    def _told(self, name: str, item: list[Json] | JsonObject, force: Force | None) -> Around | None:
        around = self._around
        if self._bound and name in HELD:
            if isinstance(item, dict):
                return Around(bound=tuple(self._bound.items()))
            return Around(columns_of(self._bound, item), is_row=True)
        if self._secret is not None and name in SECRET_MEMBERS:
            return Around(collection=self._secret)
        if around is None:
            is_collection = isinstance(item, dict) and force is not None and self._forces.is_plural(name)
            return Around(collection=force) if is_collection else None
        if not isinstance(item, list):
            return around
        if self._place.around is not None and self._place.around.is_row:
            return Around(around.columns, is_row=True)
        if not item or isinstance(item[0], list | dict):
            return around
        # A flat array beside a list of columns is a row only where its name says so; else it may be their types.
        return Around(around.columns, is_row=True) if is_row_name(name) else None


def _may_hold(name: str, item: Json) -> bool:
    """Whether ``item``, the value of the member ``name``, may be what a label beside it says."""
    role = role_of(name)
    return role is Role.VALUE or (role is Role.TEXT and is_no_prose(item))


def _is_one(item: Json, name: str) -> bool:
    """Whether ``item`` may be one of the values that a collection holds, and not what is known about it."""
    return isinstance(item, str | int) and not isinstance(item, bool) and not describes(name)
