from collections.abc import Iterator

import pytest
from tests.identity.issuing import RSA_KEY, Desk, KeyServer, jwk, key_server


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with key_server() as running:
        running.show_keys(jwk(RSA_KEY, "k1"))
        yield running


@pytest.fixture
def desk(server: KeyServer) -> Desk:
    return Desk(server)
