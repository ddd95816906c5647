"""The web API of mitmweb, as somebody with the password uses it."""

import http.client
import json
from typing import Any, Final

from tests.live.harness.gateway import Gateway
from tests.live.harness.world import PATIENCE_S, until

PASSWORD: Final = "a password of the tests"
_XSRF: Final = {"Cookie": "_mitmproxy_xsrf=00ff", "X-XSRFToken": "00ff"}  # a page of mitmweb's own would have them
type Flow = dict[str, Any]


class Web:
    """Asks mitmweb at ``port``. Every byte it ever answered is in ``heard``."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.heard = bytearray()

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """Status and body of one request; ``body`` is JSON, or bytes as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
        try:
            headers = {"Authorization": f"Bearer {PASSWORD}", "Content-Type": kind} | _XSRF
            connection.request(method, path, data if body is not None or method == "POST" else None, headers)
            response = connection.getresponse()
            found = response.read()
        finally:
            connection.close()
        self.heard += found
        return response.status, found

    def flows(self) -> list[Flow]:
        status, body = self.ask("GET", "/flows")
        assert status == 200
        found: list[Flow] = json.loads(body)
        return found

    def flow(self, *, intercepted: bool = False) -> Flow:
        """The newest flow, once there is one."""

        def look() -> Flow | None:
            found = [flow for flow in self.flows() if flow["intercepted"] >= intercepted]
            return found[-1] if found else None

        flow = until(look, "mitmweb shows a flow")
        assert flow is not None
        return flow

    def contents(self, flow: Flow) -> bytes:
        """Everything that mitmweb shows of a flow's messages, raw and as its views put it."""
        shown = b""
        for message in ("request", "response"):
            if message in flow:
                shown += self.ask("GET", f"/flows/{flow['id']}/{message}/content.data")[1]
                shown += self.ask("GET", f"/flows/{flow['id']}/{message}/content/Auto.json")[1]
        return shown + json.dumps(flow).encode()

    def options(self, **values: object) -> int:
        return self.ask("PUT", "/options", values)[0]

    def command(self, name: str, *arguments: str) -> dict[str, Any]:
        status, body = self.ask("POST", f"/commands/{name}", {"arguments": list(arguments)})
        assert status == 200, (name, status)
        found: dict[str, Any] = json.loads(body)
        return found


def web_options(port: int) -> list[str]:
    return [
        "--web-host",
        "127.0.0.1",
        "--web-port",
        str(port),
        "--no-web-open-browser",
        "--set",
        f"web_password={PASSWORD}",
    ]


def wait_for_web(gateway: Gateway, web: Web) -> Web:
    def answers() -> bool:
        try:
            return web.ask("GET", "/state")[0] == 200
        except OSError:
            return False

    gateway.ready()
    until(answers, "mitmweb answers")
    return web
