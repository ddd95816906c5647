"""A validator for events of OCSF 1.8.0 against the excerpt of its schema in `tests/vectors/ocsf`."""

import json
import re
from pathlib import Path
from typing import Any

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "ocsf" / "schema-1.8.0.json").read_text("utf-8")
)
_PYTHON = {"string_t": str, "integer_t": int, "long_t": int, "boolean_t": bool}


def faults(event: dict[str, Any]) -> list[str]:
    """What is wrong with ``event``, as sentences that name the place; empty where it is valid."""
    found = [name for name, one in SCHEMA["classes"].items() if one["uid"] == event.get("class_uid")]
    if not found:
        return [f"class_uid: {event.get('class_uid')}"]
    profiles = event.get("metadata", {}).get("profiles", [])
    return _members("", event, SCHEMA["classes"][found[0]], profiles) + _numbers(event)


def _numbers(event: dict[str, Any]) -> list[str]:
    expected = event["class_uid"] * 100 + event["activity_id"]
    return [] if event["type_uid"] == expected else [f"type_uid: {event['type_uid']}, expected {expected}"]


def _members(where: str, value: dict[str, Any], shape: dict[str, Any], profiles: list[str]) -> list[str]:
    attributes = shape["attributes"]
    wrong = [f"{where}{name}: unknown" for name in value if name not in attributes]
    wrong += [
        f"{where}{name}: missing"
        for name, one in attributes.items()
        if one["requirement"] == "required" and _applies(one, profiles) and name not in value
    ]
    wrong += [
        f"{where}{name}: of profile {attributes[name]['profile']}, which the event does not name"
        for name in value
        if name in attributes and not _applies(attributes[name], profiles)
    ]
    at_least_one = shape["constraints"].get("at_least_one", [])
    if at_least_one and not set(at_least_one) & set(value):
        wrong.append(f"{where}: none of {', '.join(at_least_one)}")
    for name in sorted(set(value) & set(attributes)):
        wrong += _attribute(where + name, value[name], attributes[name], profiles)
        wrong += _sibling(where, name, value, attributes[name])
    return wrong


def _applies(attribute: dict[str, Any], profiles: list[str]) -> bool:
    return "profile" not in attribute or attribute["profile"] in profiles


def _attribute(where: str, value: Any, attribute: dict[str, Any], profiles: list[str]) -> list[str]:
    if not attribute.get("is_array"):
        return _one(where, value, attribute, profiles)
    if not isinstance(value, list) or not value:
        return [f"{where}: no array, or an empty one"]
    return [fault for item in value for fault in _one(where + "[].", item, attribute, profiles)]


def _one(where: str, value: Any, attribute: dict[str, Any], profiles: list[str]) -> list[str]:
    kind = attribute["type"]
    if kind == "object":
        return [] if isinstance(value, dict) else [f"{where}: no object"]
    if kind in SCHEMA["objects"]:
        if not isinstance(value, dict):
            return [f"{where}: no object"]
        return _members(where.rstrip(".") + ".", value, SCHEMA["objects"][kind], profiles)
    if kind not in SCHEMA["types"]:
        return [f"{where}: the excerpt has no object {kind}"]
    enum = attribute.get("enum")
    if enum and str(value) not in enum:
        return [f"{where}: {value} is not in the enumeration"]
    return _scalar(where, value, SCHEMA["types"][kind], kind)


def _scalar(where: str, value: Any, declared: dict[str, Any], kind: str) -> list[str]:
    python = _PYTHON[declared.get("type", kind)]
    if not isinstance(value, python) or (python is int and isinstance(value, bool)):
        return [f"{where}: {kind} expected"]
    low, high = declared.get("range", (None, None))
    if low is not None and not low <= value <= high:
        return [f"{where}: not from {low} to {high}"]
    if "regex" in declared and not re.search(declared["regex"], str(value)):
        return [f"{where}: not as {kind} is spelled"]
    if len(str(value)) > declared.get("max_len", len(str(value))):
        return [f"{where}: too long for {kind}"]
    return []


def _sibling(where: str, name: str, value: dict[str, Any], attribute: dict[str, Any]) -> list[str]:
    """The text beside a number is the number's caption, and for 99 a word of the source."""
    sibling, enum = attribute.get("sibling"), attribute.get("enum", {})
    if sibling is None or sibling not in value or not enum:
        return []
    if value[name] == 99:
        return [] if value[sibling] else [f"{where}{sibling}: empty"]
    caption = enum.get(str(value[name]))
    return [] if value[sibling] == caption else [f"{where}{sibling}: {value[sibling]}, expected {caption}"]


def table_of(page: str, heading: str) -> list[tuple[str, ...]]:
    """The rows of the first table below ``heading`` on ``page``, without backquotes."""
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return [tuple(cell.strip().replace("`", "") for cell in line.strip("|").split("|")) for line in rows]
