"""How values of an entity are treated: the keys that its entry, a profile and an override may state alike."""

import dataclasses
from typing import Final

from holdfast.call import Direction
from holdfast.masking.entries import EntityRule, Format, Operator
from holdfast.policy.document import Section

OPERATORS: Final[tuple[Operator, ...]] = ("replace", "keep_last", "pseudonym", "remove", "encrypt", "refuse")
FORMATS: Final[tuple[Format, ...]] = ("schema", "preserve", "token")
RESTORES: Final = ("none", "caller")
FORWARDS: Final = ("to_server", "to_client", "both", "none")
THRESHOLD_MIN: Final = 0.01  # a threshold of 0 would be none
KEEP_MAX: Final = 8  # more than eight characters left are no mask


def treated(entry: Section, rule: EntityRule) -> EntityRule:
    """``rule`` as ``entry`` changes it; what the entry does not state stays.

    Raises:
        RulesError: a value that is none of the allowed ones.
    """
    operator: Operator = next(item for item in OPERATORS if item == entry.choice("operator", OPERATORS, rule.operator))
    form: Format = next(item for item in FORMATS if item == entry.choice("format", FORMATS, rule.format))
    changed = dataclasses.replace(
        rule,
        threshold=entry.number("threshold", rule.threshold, low=THRESHOLD_MIN, high=1),
        operator=operator,
        keep_count=entry.integer("keep", rule.keep_count, low=1, high=KEEP_MAX),
        forward=entry.choice("forward", FORWARDS, rule.forward),
        format=form,
        key_holder=entry.text("key_holder", rule.key_holder),
        restores=entry.choice("restore", RESTORES, RESTORES[rule.restores]) == "caller",
    )
    if changed.operator == "refuse" and changed.forward == "none":
        problem = "is none, so `operator: refuse` would refuse nothing"
        raise entry.error("forward", problem, "Say in which direction the entity must not travel")
    if changed.operator == "encrypt":
        _check_encryption(entry, changed)
    elif "key_holder" in entry:
        raise entry.error("key_holder", "is for whom values are encrypted", "Use it with `operator: encrypt`")
    if "format" in entry and changed.operator != "pseudonym":
        raise entry.error("format", "is about pseudonyms", "Use it with `operator: pseudonym`, or leave it out")
    if changed.restores and (changed.operator != "pseudonym" or not changed.travels(Direction.TO_CLIENT)):
        problem = "is for masks that tell values apart and travel to the client"
        raise entry.error("restore", problem, "Use it with `operator: pseudonym` and `forward: to_client` or both")
    return changed


def _check_encryption(entry: Section, rule: EntityRule) -> None:
    if not rule.key_holder:
        raise entry.error("key_holder", "is missing", "Name one of `key_holders`, who can open what is encrypted")
    if rule.travels(Direction.TO_SERVER):
        # Each encryption gives another text, and an approval is for exactly the bytes that go to the server.
        problem = (
            f"is {rule.forward}, but an approval binds what goes to the server, and no two encryptions are the same"
        )
        raise entry.error("forward", problem, "Use `forward: to_client` or none")
