"""`restore: caller` and values that come split over events of one stream: which masks stand for them."""

import pytest
from tests.gate.test_restoring import arguments, given, restoring_rules
from tests.gate.test_splitting import block, opened, progress, texts
from tests.gate.works import MAIL, Works, tool
from tests.live.harness.warm import masker_of

from holdfast.masking.masker import Masker
from holdfast.policy.ruleset import Ruleset


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    return restoring_rules(tmp_path_factory.mktemp("restoring"))


@pytest.fixture(scope="module")
def masker(shipped: Ruleset) -> Masker:
    return masker_of(shipped.masking)


async def sent_back(works: Works, mask: str) -> str:
    """What the server gets where the Caller sends ``mask``."""
    return str(arguments(await works.admit(tool("get_mail", 99, to=mask)))["to"])


async def said_in_parts(works: Works, *parts: str) -> list[str]:
    """What the Caller reads of a text that comes in events, the last of which ends the stream."""
    stream = await opened(works)
    out = [await stream.release([block(progress(part))]) for part in parts]
    out.append(await stream.release_last([]))
    read = [text for some in out for text in texts(some)]
    assert len(read) == len(parts)
    return read


def mask_in(text: str) -> str:
    return text[text.index("<") : text.index(">") + 1]


async def test_a_mask_of_a_value_that_came_in_two_events_comes_back_where_its_end_was_seen(works: Works) -> None:
    first, second = await said_in_parts(works, "mail bob@exa", "mple.com, she says")
    assert (first, second) == (f"mail {mask_in(first)}", ", she says")
    assert await sent_back(works, mask_in(first)) == MAIL
    assert MAIL.encode() not in works.everything_written()


async def test_it_is_the_mask_that_the_whole_value_has(works: Works) -> None:
    first, _ = await said_in_parts(works, "mail bob@exa", "mple.com, she says")
    assert mask_in(first) == await given(works, call_id=5)
    assert await sent_back(works, mask_in(first)) == MAIL


@pytest.mark.parametrize("rest", ["mple.com", "mple.com.", "mple.com. "])
async def test_a_mask_of_a_value_whose_end_was_not_seen_stays_a_mask(works: Works, rest: str) -> None:
    first, *_ = await said_in_parts(works, "mail bob@exa", rest)
    assert await sent_back(works, mask_in(first)) == mask_in(first)


async def test_a_mask_of_what_proves_to_be_a_part_of_a_value_stands_for_nothing(works: Works) -> None:
    stream = await opened(works)
    (first,) = texts(await stream.release([block(progress("mail bob@example.co"))]))
    assert await sent_back(works, mask_in(first)) == "bob@example.co"
    (second,) = texts(await stream.release([block(progress("m, she says"))]))
    assert second == ", she says"
    assert await sent_back(works, mask_in(first)) == mask_in(first)
    # Nor does it stand for what it seemed to be, said anew.
    assert await given(works, "bob@example.co", 5) == mask_in(first)
    assert await sent_back(works, mask_in(first)) == mask_in(first)


async def test_a_whole_value_at_the_end_of_an_event_comes_back_whatever_the_next_one_says(works: Works) -> None:
    first, _ = await said_in_parts(works, f"mail {MAIL}", " and wait")
    assert await sent_back(works, mask_in(first)) == MAIL


async def test_a_value_that_began_before_and_was_known_too_late_has_no_mask_that_comes_back(works: Works) -> None:
    stream = await opened(works)
    assert await stream.release([block(progress("mail bob@exa"))]) == b""
    wait_s = stream.wait_s()
    assert wait_s is not None
    works.clock.advance(wait_s)
    assert texts(await stream.release_due()) == ["mail bob@exa"]
    (rest,) = texts(await stream.release_last([block(progress("mple.com now"))]))
    assert await sent_back(works, mask_in(rest)) == mask_in(rest)
