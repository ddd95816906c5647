"""Held calls that their client takes back."""

from holdfast.approval.cancelling import Cancellations


def test_a_call_is_taken_back_by_its_typed_id_and_by_nobody_else() -> None:
    cancellations = Cancellations()
    with cancellations.waiting("ann", 1) as cancelled:
        assert not cancellations.cancel("ann", "1")
        assert not cancellations.cancel("bob", 1)
        assert not cancellations.cancel("ann", [1])
        assert not cancelled.is_set()
        assert cancellations.cancel("ann", 1)
        assert cancelled.is_set()
    assert not cancellations.cancel("ann", 1)


def test_of_two_calls_with_one_id_that_no_session_tells_apart_both_are_taken_back() -> None:
    cancellations = Cancellations()
    with cancellations.waiting("ann", 1) as first:
        with cancellations.waiting("ann", 1) as second:
            cancellations.cancel("ann", 1)
        assert first.is_set()
        assert second.is_set()


def test_a_call_that_ends_leaves_another_with_its_id_waiting() -> None:
    cancellations = Cancellations()
    with cancellations.waiting("ann", 1) as first:
        with cancellations.waiting("ann", 1):
            pass
        assert cancellations.cancel("ann", 1)
        assert first.is_set()
