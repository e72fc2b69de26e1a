"""The addresses of captured traffic, which no proxy has translated."""

from nsroom.protocol.http11 import Head
from nsroom.proxy.addresses import Addresses, Page


class _Unchanged(Addresses):
    """The addresses of captured traffic, which was not translated."""

    def request(self, head: Head) -> tuple[bytes, Page]:
        """Return a request's head as it is."""
        return head.raw, Page()

    def response(self, head: Head, page: Page) -> bytes:  # noqa: ARG002
        """Return a response's head as it is."""
        return head.raw

    def is_elsewhere(self, url: str) -> bool:  # noqa: ARG002
        """Return False."""
        return False

    def server_url_in(self, text: str) -> str | None:  # noqa: ARG002
        """Return None."""
        return None


UNCHANGED = _Unchanged("http://localhost")
