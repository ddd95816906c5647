"""A child sees of our environment what it needs and what was named."""

import pytest

from holdfast.bridge.child import environment
from holdfast.errors import SettingsError

OURS = {"PATH": "/bin", "HOME": "/h", "API_KEY": "secret", "PYTHONPATH": "/x", "NAMED": "n"}


def test_a_child_sees_what_programs_need_and_what_is_named() -> None:
    assert environment([], OURS) == {"PATH": "/bin", "HOME": "/h"}
    assert environment(["NAMED", "OTHER=a=b", "EMPTY="], OURS) == {
        "PATH": "/bin",
        "HOME": "/h",
        "NAMED": "n",
        "OTHER": "a=b",
        "EMPTY": "",
    }


def test_a_variable_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SettingsError, match="--env GONE: there is no such variable"):
        environment(["GONE"], OURS)
