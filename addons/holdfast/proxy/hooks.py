"""The questions that the stream layer asks the gate addon. Each is a hook of mitmproxy, so the layer waits for it."""

import dataclasses

from mitmproxy.proxy import commands

from holdfast.exchange import Peer
from holdfast.proxy.seals import Batch, Passing


@dataclasses.dataclass
class HoldfastAdmitHook(commands.StartHook):
    """The whole request has arrived; may it travel?"""

    passing: Passing


@dataclasses.dataclass
class HoldfastReleaseHook(commands.StartHook):
    """The whole response has arrived; what of it may come back?"""

    passing: Passing


@dataclasses.dataclass
class HoldfastOpenHook(commands.StartHook):
    """The head of an event stream has arrived; may it come back?"""

    passing: Passing


@dataclasses.dataclass
class HoldfastEventsHook(commands.StartHook):
    """Events of a stream have arrived; what of them may come back?"""

    batch: Batch


@dataclasses.dataclass
class HoldfastListenHook(commands.StartHook):
    """A stream is quiet; has the gateway itself something to say on it?"""

    passing: Passing


@dataclasses.dataclass
class Ending:
    """How an exchange ended that was admitted; ``reason`` is None for a stream that ended in good order."""

    passing: Passing
    reason: str | None


@dataclasses.dataclass
class Unread:
    """A request that is no acceptable HTTP; ``reason`` says why, without content."""

    peer: Peer
    reason: str
    size_bytes: int


@dataclasses.dataclass
class HoldfastUnreadHook(commands.StartHook):
    """A request could not be read; write it down."""

    unread: Unread


@dataclasses.dataclass
class HoldfastEndHook(commands.StartHook):
    """An event stream has ended, or an admitted request has failed; write it down."""

    ending: Ending
