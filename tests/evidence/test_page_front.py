"""The front page of a package: what a reader must see first."""

from pathlib import Path

from tests.evidence.page_world import Source, a_working_day
from tests.evidence.world import World

from holdfast.evidence.pages.front import front_page


def test_a_gap_is_the_first_thing_to_look_at_even_where_nothing_went_wrong(world: World) -> None:
    world.start()
    world.stop()
    world.reopen(600)
    world.start()
    world.ledger.close()
    material = Source(world.folder).material()
    assert material.story.exception_kinds() == {}
    page = front_page(material).decode()
    material.story.close()
    look = page[page.index('id="look"') : page.index('id="figures"')]
    assert "gap: " in look
    assert "No denial" not in look


def test_the_front_page_says_who_outside_vouched_and_for_how_much_nobody_did(tmp_path: Path, world: World) -> None:
    a_working_day(tmp_path / "day", minutes=20)
    world.ledger.close()
    for source, is_stamped, words in (
        (tmp_path / "day", True, "Outsiders vouched for these Records (tsa.example.org): the last"),
        (world.folder, False, "Nobody outside has vouched for these Records"),
    ):
        material = Source(source).material(stamped=is_stamped)
        page = front_page(material).decode()
        material.story.close()
        assert words in page
