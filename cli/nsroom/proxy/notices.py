"""Lines for the user of the proxy: what it noticed, and what to do about it. Each is printed once."""

from collections.abc import Callable, Iterable

from nsroom.client.target import DEFAULT_PATH
from nsroom.output import shell

_MAX_LINES = 100
"""The number of different lines: a client may be refused in ever new words."""
_MAX_TEXT = 200
"""Characters of a client's or server's text in a line."""


class Notices:
    """Prints each notice once."""

    def __init__(self, url: str, say: Callable[[str], None]) -> None:
        """`url` is the server's."""
        self._url = url
        self._say = say
        self._said: set[str] = set()

    def report_session(self, path: str, namespace: str, keys: Iterable[str], is_old: bool) -> None:
        """Print the command that connects as the first session did, without the values of its payload."""
        words = ["nsroom", "connect", self._url + (namespace if namespace != "/" else "")]
        if path != DEFAULT_PATH:
            words += ["--path", path]
        if is_old:
            words += ["--protocol", "3"]
        words += [word for key in keys for word in ("--auth", f"{key}=…")]
        try:
            command = shell.join(word[:_MAX_TEXT] for word in words)
        except ValueError:
            command = "not shown, because a name in its command is not safe to paste"
        self._print("session", f"first session: {command}")

    def report_leaving(self, where: str, url: str) -> None:
        """Warn that a page leaves the proxy."""
        self._print(
            "leaving",
            f"{where[:_MAX_TEXT]} names {url[:_MAX_TEXT]} itself, so its traffic does not pass the proxy: "
            "use relative addresses, such as io(), or the proxy's",
        )

    def report_refusal(self, why: str, origin: str) -> None:
        """Explain how to get a handshake accepted; `origin` is the page's, as the server received it."""
        if origin:
            cure = f"does the server allow pages of {origin[:_MAX_TEXT]}? else try --origin {self._url}"
        else:
            cure = "the client's records and the server's log say more"
        text = f"handshake refused: {why[:_MAX_TEXT]}: {cure}"
        self._print(text, text)

    def report_forbidden(self, reason: str) -> None:
        """Report a request that the proxy did not pass on."""
        self._print(reason, f"refused: {reason}")

    def report_hold(self) -> None:
        """Report the change that --hold makes."""
        self._print("hold", "--hold: clients receive a pingTimeout of a day in their handshake")

    def report_unheld(self, reason: str) -> None:
        """Report that --hold cannot keep a session."""
        self._print(reason, f"cannot hold a session: {reason[:_MAX_TEXT]}")

    def _print(self, topic: str, text: str) -> None:
        if topic not in self._said and len(self._said) < _MAX_LINES:
            self._said.add(topic)
            self._say(text)
