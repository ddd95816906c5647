"""What entries of ``rules/masking.yaml`` state in words, read so that nothing stands there that could never act."""

from typing import Any, Final

import phonenumbers
import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.masking.phrases import normal
from holdfast.masking.reading import AGAIN, codes, read
from holdfast.masking.words import Cutter, name_words, word_stem
from holdfast.policy.document import Section

REGEX_CHARS_MAX: Final = 2000  # a longer expression hides what it matches
_ROOTS: Final = ("params", "result", "error", "*", "**")
_CUTTER: Final = Cutter(())
_LOOKS: Final = (codes.ASSERT, codes.ASSERT_NOT)


def regex_of(entry: Section, key: str) -> str:
    """A regular expression that does not match the empty text."""
    text = entry.text(key)
    if len(text) > REGEX_CHARS_MAX:
        raise entry.error(key, f"has {len(text)} characters", f"Keep it under {REGEX_CHARS_MAX}")
    try:
        pattern = regex.compile(text, regex.IGNORECASE | regex.MULTILINE)
    except regex.error as error:
        raise entry.error(key, f"is no regular expression: {error.msg} at {error.pos}", "Correct it") from None
    if pattern.search(""):
        raise entry.error(key, "matches the empty text", "Make it match at least one character")
    return text


def finding_regex_of(entry: Section, key: str) -> str:
    """The same, of a pattern that finds values: what it finds has a character, and so has the group ``value``."""
    text = regex_of(entry, key)
    tree = read(text)
    if tree is None:
        return text  # of another dialect: it is searched as it is
    if tree.getwidth()[0] == 0:
        problem = "can match a place without a character, which nothing masks"
        raise entry.error(key, problem, "Let what is masked stand outside of look-arounds, and not be optional")
    numbers = [number for name, number in tree.state.groupdict.items() if name.partition(AGAIN)[0] == "value"]
    groups = [_group(tree, number) for number in numbers]
    if any(group is not None and group.getwidth()[1] == 0 for group in groups):
        raise entry.error(key, "has a group `value` that holds no character", "Put into it what is to be masked")
    return text


def _group(tree: Any, number: int) -> Any:
    """The tree of a group, wherever it stands in ``tree``; None where it does not."""
    for code, argument in tree:
        if code is codes.SUBPATTERN and argument[0] == number:
            return argument[3]
        for inner in _inner(code, argument):
            found = _group(inner, number)
            if found is not None:
                return found
    return None


def _inner(code: Any, argument: Any) -> list[Any]:
    if code in _LOOKS:
        return [argument[1]]
    if code is codes.SUBPATTERN:
        return [argument[3]]
    if code is codes.ATOMIC_GROUP:
        return [argument]
    if code is codes.BRANCH:
        return list(argument[1])
    if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
        return [argument[2]]
    return [tree for tree in argument[1:] if tree is not None] if code is codes.GROUPREF_EXISTS else []


def context_of(entry: Section) -> tuple[str, ...]:
    """Words of context: each one that a text can have as a whole word, since they are compared one by one."""
    words = entry.texts("context")
    for word in words:
        _, pieces = _CUTTER.words(word.lower())
        if pieces != [word.lower().strip()]:
            problem = f"holds {word!r}, which no text has as one word"
            remedy = f"Write one of {', '.join(pieces)}, or put it into a `regex:`" if pieces else "Write a word"
            raise entry.error("context", problem, remedy)
        if word_stem(pieces[0]) is None:
            raise entry.error("context", f"holds {word!r}, which stands everywhere and says nothing", "Remove it")
    return words


def names_of(entry: Section, key: str, *, may_be_none: bool = False) -> tuple[str, ...]:
    """Names of members, each of one word or more."""
    names = entry.texts(key, ()) if may_be_none else entry.texts(key)
    if not (names or may_be_none) or not all(map(name_words, names)):
        raise entry.error(key, "holds a name without a word", "Write at least one name, of letters or digits")
    return names


def phrases_of(entry: Section) -> tuple[str, ...]:
    """Words of a list, composed and with single blanks."""
    words = tuple(map(normal, entry.texts("words")))
    if not words or not all(words):
        raise entry.error("words", "holds an empty word", "Write at least one word, and no empty one")
    return words


def steps_of(entry: Section) -> tuple[str, ...]:
    """The steps of a path rule, as members are called."""
    path = entry.text("path")
    if not path.startswith("/"):
        raise entry.error("path", "does not begin with /", "Write a JSON pointer; * is any one step, ** any number")
    steps = tuple(path[1:].split("/"))
    if steps[0] not in _ROOTS:
        problem = f"begins with /{steps[0]}, which no value stands under"
        raise entry.error("path", problem, "Begin with /params, /result or /error")
    for step in steps:
        if not step or ("*" in step and step not in ("*", "**")) or regex.search("~(?![01])", step):
            problem = f"has the step {step!r}, which no member is called"
            raise entry.error("path", problem, "Write a whole name (~1 for /, ~0 for ~), * or **")
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in steps)


def regions_of(section: Section) -> tuple[str, ...]:
    """Regions whose telephone numbers are looked for."""
    regions = section.texts("phone_regions", ("US",))
    if not regions or not all(regex.fullmatch("[A-Z]{2}", region) for region in regions):
        raise section.error("phone_regions", "holds no two-letter regions", "Write for example [US, GB]")
    for region in regions:
        if region not in phonenumbers.SUPPORTED_REGIONS:
            problem = f"holds {region}, of which no telephone numbers are known"
            raise section.error("phone_regions", problem, "Write an ISO 3166 code, as GB for the United Kingdom")
    return regions
