"""YAML nodes to plain values: safe tags only, no aliases, no key twice."""

import math

import yaml

from holdfast.errors import RulesError


class StrictLoader(yaml.SafeLoader):
    """Safe, and without aliases: a rule is read where it stands."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node; an alias raises."""
        if self.check_event(yaml.events.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call] # types-PyYAML leaves it untyped
            raise yaml.MarkedYAMLError(problem="aliases are not allowed", problem_mark=mark)
        return super().compose_node(parent, index)


def is_json(value: object) -> bool:
    """Whether ``value``, built from YAML, has a spelling in JSON."""
    match value:
        case None | bool() | str() | int():
            return True
        case float():
            return math.isfinite(value)
        case list():
            return all(is_json(item) for item in value)
        case dict():
            return all(isinstance(key, str) and is_json(item) for key, item in value.items())
    return False


def construct(file: str, node: yaml.Node) -> object:
    """The plain Python value of ``node``.

    Raises:
        RulesError: a key twice, a tag that is not safe, or a value out of range.
    """
    _refuse_twins(file, node)
    constructor = StrictLoader("")
    try:
        value: object = constructor.construct_object(node, deep=True)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise RulesError(file, mark.line + 1 if mark else 1, f"not YAML: {error.problem}", "Correct it") from None
    except ValueError:  # an impossible date, an integer of thousands of digits
        line = node.start_mark.line + 1
        raise RulesError(file, line, "a value is out of range", "Put it in quotes if a text is meant") from None
    finally:
        constructor.dispose()
    return value


def _refuse_twins(file: str, node: yaml.Node) -> None:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_twins(file, item)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key_node, value_node in node.value:
            if str(key_node.value) in seen:
                line = key_node.start_mark.line + 1
                raise RulesError(file, line, f"the key {key_node.value} stands twice", "Keep one of them")
            seen.add(str(key_node.value))
            _refuse_twins(file, value_node)
