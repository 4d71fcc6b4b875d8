# A GET whose answer comes from the address that was asked, in time, and not without an end; holds no rule of what an answer says.
import http.client
import socket
import time
import urllib.request
from contextlib import suppress
from threading import Timer
from typing import Any

# Seconds.
TIMEOUT = 5


def get(url: str, longest: int) -> bytes:
    """The body of an answer of status 200. Raises where it is of another, does not come whole in time, or is longer than so many bytes. No redirect is followed."""
    began = time.monotonic()
    with _opener.open(url, timeout=TIMEOUT) as response:
        body = response.read(longest + 1)
    # What was cut off looks as if it had ended.
    if response.length or time.monotonic() - began >= TIMEOUT:
        raise ValueError("the answer is cut off, too slow, or too long")
    if response.status != 200 or len(body) > longest:
        raise ValueError("the answer is of another status, or too long")
    return body


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class _InTime(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    """A socket's own time-out is that of each read, which an answer that drips never meets; so it is cut off when its time is over."""

    def do_open(self, http_class: Any, *args: Any, **options: Any) -> Any:
        deadline = time.monotonic() + TIMEOUT

        class Answer(http.client.HTTPResponse):
            def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
                super().__init__(sock, *args, **options)
                self._timer = Timer(deadline - time.monotonic(), _cut_off, [sock])
                self._timer.daemon = True
                self._timer.start()

            def close(self) -> None:
                self._timer.cancel()
                super().close()

        def connect(*args: Any, **options: Any) -> Any:
            connection = http_class(*args, **options)
            connection.response_class = Answer
            return connection

        return super().do_open(connect, *args, **options)


def _cut_off(sock: socket.socket) -> None:
    # It may have ended at this very moment.
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


_opener = urllib.request.build_opener(_NoRedirects, _InTime)
