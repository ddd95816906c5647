"""Rules that could never act are mistakes, named with file, line and remedy; those that can, do."""

import unicodedata
from typing import Literal

import pytest
from tests.masking.conftest import KEY, rules_of

from holdfast.call import Call, Direction
from holdfast.errors import RulesError
from holdfast.jsontext import Json
from holdfast.masking.budget import Budget
from holdfast.masking.entries import MaskingRules
from holdfast.masking.finder import DirectFinder, Finder, FullFinder
from holdfast.masking.language import build_language
from holdfast.masking.masker import Masker
from holdfast.masking.paths import _matches
from holdfast.masking.place import Place
from holdfast.masking.prefilter import ENGINES
from holdfast.masking.recognizers import build_recognizers
from holdfast.masking.words import Cutter

HEAD = "version: 1\nentities:\n  - entity: US_SSN\n"
PATTERN = HEAD + "patterns:\n  - {id: a, entity: US_SSN, regex: '%s'}\n"
PATH = HEAD + "paths:\n  - {id: a, action: forward, path: %s}\n"
type Form = Literal["NFC", "NFD"]
FORMS: tuple[Form, ...] = ("NFC", "NFD")
_PLACE = Place("/params")
OVERRIDES = HEAD + "overrides:\n  - {id: first, changes: [], %s}\n  - {id: second, changes: [], %s}\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (HEAD + "    context: [social security]\n", 4, "Write one of social, security"),
        (HEAD + "    context: [e-mail]\n", 4, "no text has as one word"),
        (HEAD + "    context: [cvv2]\n", 4, "no text has as one word"),
        (HEAD + "    context: ['--']\n", 4, "Write a word"),
        (HEAD + "    context: [the]\n", 4, "says nothing"),
        (HEAD + "patterns:\n  - {id: a, entity: US_SSN, regex: 'x', context: [tax id]}\n", 5, "tax, id"),
        (HEAD + "keys:\n  - {id: a, entity: US_SSN, names: []}\n", 5, "at least one name"),
        (HEAD + "keys:\n  - {id: a, entity: US_SSN, names: ['--']}\n", 5, "without a word"),
        (HEAD + "keys:\n  - {id: a, entity: US_SSN, names: [x], except: ['-']}\n", 5, "without a word"),
        (HEAD + "deny:\n  - {id: a, entity: US_SSN, words: ['\u00a0']}\n", 5, "empty word"),
        (PATTERN % r"(?<=ssn (?P<value>\d{9}))$", 5, "without a character"),
        (PATTERN % r"(?=(?P<value>\d{9}))", 5, "without a character"),
        (PATTERN % r"ssn (?P<value>)", 5, "holds no character"),
        (PATTERN % r"ssn (?P<value>\d)|sin (?P<value>)", 5, "holds no character"),
        (PATTERN % r"ssn (?:a|(?>(?:(?P<value>(?=\d)))+))", 5, "holds no character"),
        (PATH % "/arguments/note", 5, "Begin with /params"),
        (PATH % "/params/", 5, "no member is called"),
        (PATH % "/params//x", 5, "no member is called"),
        (PATH % "/params/a*", 5, "no member is called"),
        (PATH % "/params/***", 5, "no member is called"),
        (PATH % "/params/a~b", 5, "no member is called"),
        (HEAD + "phone_regions: [UK]\n", 4, "GB for the United Kingdom"),
        (OVERRIDES % ("server: '*'", "server: crm"), 6, "second is never reached: first"),
        (OVERRIDES % ("server: 'c*'", "server: 'crm*', tool: get, direction: to_client"), 6, "never reached"),
        (OVERRIDES % ("tool: 'get_*'", "server: crm, tool: get_one"), 6, "never reached"),
        (HEAD + "profile: all\noverrides:\n  - {id: o, changes: [{entity: US_SSN}, {entity: US_SSN}]}\n", 6, "twice"),
    ],
)
def test_a_rule_that_could_never_act_is_a_mistake(text: str, line: int, words: str) -> None:
    with pytest.raises(RulesError) as caught:
        rules_of(text)
    assert (caught.value.file, caught.value.line) == ("masking.yaml", line)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("server: crm", "server: '*'"),
        ("server: 'c?m'", "server: 'c*m'"),
        ("server: 'c[ab]'", "server: cab"),
        ("direction: to_server", "server: crm"),
        ("tool: get", "server: crm"),
        ("server: 'a*'", "server: '*a'"),
    ],
)
def test_overrides_that_may_both_decide_are_none(first: str, second: str) -> None:
    assert len(rules_of(OVERRIDES % (first, second)).overrides) == 2


@pytest.mark.parametrize(
    ("first", "second", "is_covered"),
    [
        ("/params/**", "/params/a/b", True),
        ("/**/b", "/params/a/b", True),
        ("/params/*", "/params/a", True),
        ("/params/**", "/params/*/**", True),
        ("/params/*", "/params/**", False),
        ("/params/a", "/params/*", False),
        ("/params/*/b", "/params/a/**", False),
    ],
)
def test_a_path_that_an_earlier_one_covers_is_a_mistake(first: str, second: str, *, is_covered: bool) -> None:
    text = (
        f"{HEAD}paths:\n  - {{id: a, action: forward, path: {first}}}\n  - {{id: b, action: forward, path: {second}}}\n"
    )
    if not is_covered:
        assert len(rules_of(text).paths) == 2
        return
    with pytest.raises(RulesError, match="b is never reached: a"):
        rules_of(text)


@pytest.mark.parametrize(
    ("entity", "pattern", "counts"),
    [
        ("", "score: 0.3", False),
        ("", "score: 0.4", True),
        ("threshold: 0.9, ", "score: 0.5", False),
        ("threshold: 0.9, ", "score: 0.5, context: [code]", False),
        ("threshold: 0.8, ", "score: 0.5, context: [code]", True),
        ("", "score: 0.01, context: [code]", True),
    ],
)
def test_a_pattern_whose_score_never_counts_is_a_mistake(entity: str, pattern: str, *, counts: bool) -> None:
    entities = f"version: 1\nentities: [{{{entity}entity: CODE}}]\n"
    text = f"{entities}patterns: [{{id: a, entity: CODE, regex: 'X', {pattern}}}]\n"
    if counts:
        assert len(rules_of(text).patterns) == 1
        return
    with pytest.raises(RulesError, match="a never counts"):
        rules_of(text)


def test_a_pattern_of_an_entity_that_is_off_may_have_any_score() -> None:
    text = "version: 1\nentities: [{entity: CODE, enabled: false}, {entity: US_SSN}]\n"
    rules_of(f"{text}patterns: [{{id: a, entity: CODE, regex: 'X', score: 0.1}}]\n")


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/params/**/note", "/params/note", True),
        ("/params/**/note", "/params/arguments/note", True),
        ("/params/**/note", "/params/a/b/c/note", True),
        ("/params/**/note", "/params/note/x", False),
        ("/**/items/*/id", "/result/items/items/0/id", True),
        ("/**/items/*/id", "/result/items/id", False),
        ("/params/**", "/params", True),
        ("/params/**/**", "/params/a", True),
        ("/**/a/**/b", "/x/a/b/a/c/b", True),
        ("/**/a/**/b", "/x/b/a", False),
    ],
)
def test_two_stars_stand_for_any_steps_wherever_they_stand(pattern: str, path: str, *, matches: bool) -> None:
    assert _matches(tuple(pattern[1:].split("/")), tuple(path[1:].split("/"))) is matches


def test_two_stars_in_a_row_of_rules_take_time_that_a_path_can_afford() -> None:
    pattern = tuple("**/a/" * 40 + "b")
    assert not _matches(tuple("".join(pattern).split("/")), ("a",) * 2000)


def masked(text: str, message: Json) -> Json:
    call = Call("tools/call", {"name": "put", "arguments": message}, 1, Direction.TO_SERVER)
    masker = Masker(rules_of(text), KEY)
    walk = masker._core.walk("crm", "put", call.direction, Budget())
    forward = walk.shaped(call.params, "params", _PLACE)[0]
    assert isinstance(forward, dict)
    return forward["arguments"]


def test_a_path_rule_finds_members_whose_names_hold_slashes_and_tildes() -> None:
    text = HEAD + "paths:\n  - {id: a, entity: US_SSN, action: mask, path: '/params/**/a~1b/~0c'}\n"
    assert masked(text, {"x": {"a/b": {"~c": "anything"}}}) == {"x": {"a/b": {"~c": "<US_SSN>"}}}


NAMES = "version: 1\nentities: [{entity: PROJECT}]\n"
SPELLINGS = ("Café Blå", "Café  Blå", "Café\u00a0Blå", "Café\nBlå", "CAFÉ BLÅ")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("stated", ["Café Blå", " Café  Blå", "Café\u00a0Blå"])
def test_a_denied_name_is_found_however_it_is_composed_and_parted(form: Form, stated: str) -> None:
    word = unicodedata.normalize(form, stated)
    masker = Masker(rules_of(f'{NAMES}deny: [{{id: a, entity: PROJECT, words: ["{word}"]}}]\n'), KEY)
    for text in SPELLINGS:
        for other in FORMS:
            assert masker.keep_text(f"so {unicodedata.normalize(other, text)}.") == "so <PROJECT>."
    assert masker.keep_text("Cafe Bla, Cafés Blå") == "Cafe Bla, Cafés Blå"


@pytest.mark.parametrize("form", FORMS)
def test_an_allowed_name_passes_however_it_is_composed_and_parted(form: Form) -> None:
    word = unicodedata.normalize(form, "Café  Blå")
    text = f'{NAMES}patterns: [{{id: p, entity: PROJECT, regex: "\\\\bC\\\\S+\\\\s+B\\\\S+"}}]\n'
    masker = Masker(rules_of(f'{text}allow: [{{id: a, words: ["{word}"]}}]\n'), KEY)
    for spelled in SPELLINGS:
        for other in FORMS:
            whole = unicodedata.normalize(other, spelled)
            assert masker.keep_text(f"so {whole}") == f"so {whole}"
    assert masker.keep_text("so Café Blo") == "so <PROJECT>"


LOOKING: dict[str, list[tuple[str, tuple[int, int] | None]]] = {
    r"(?<=ssn (?P<value>\d{9}))x": [("ssn 234456789x", (4, 13)), ("ssn 234456789", None)],
    r"x(?=(?P<value>\d{9}))": [("x234456789", (1, 10)), ("x23445678", None)],
    r"x(?P<value>\d*)": [("x1", (1, 2)), ("x", None)],
    r"(?e)(?<=ssn (?P<value>\d{9}))$": [("ssn 234456789", (4, 13)), ("ssn 234456789\nx", (4, 13))],
}


def finders(rules: MaskingRules) -> list[Finder]:
    cutter = Cutter(["CODE"])
    direct: list[Finder] = [DirectFinder(build_recognizers(rules), cutter, engine) for engine in ENGINES]
    return [*direct, FullFinder(build_recognizers(rules), build_language(rules, cutter))]


@pytest.mark.parametrize("pattern", LOOKING)
def test_a_value_in_a_look_around_is_found_by_every_engine(pattern: str) -> None:
    rules = rules_of(
        f"version: 1\nentities: [{{entity: CODE}}]\npatterns: [{{id: a, entity: CODE, regex: '{pattern}'}}]\n"
    )
    for finder in finders(rules):
        for text, span in LOOKING[pattern]:
            for around in ("%s", "much before it " * 40 + "%s", "%s" + "\nand much behind" * 40):
                found = finder.find(around % text, (), Budget())
                moved = around.index("%s")
                wanted = [] if span is None else [(span[0] + moved, span[1] + moved)]
                assert [(result.start, result.end) for result in found] == wanted, (finder, around % text)
