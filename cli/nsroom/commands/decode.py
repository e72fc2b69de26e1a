"""`nsroom decode`: explain frames, captures and recordings."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

from nsroom.cli.declarations import Argument, Option
from nsroom.errors import DataError, UsageError
from nsroom.output.stdio import flush, put_soon, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nsroom.errors import DecodeError
    from nsroom.protocol.explain.explainer import Explanation, Found
    from nsroom.protocol.explain.fields import Field
    from nsroom.record import Json

_TEXT_WIDTH = 40
_MEANING_WIDTH = 200
_BEFORE_CARET, _AFTER_CARET = 60, 20


def decode(
    file: Annotated[
        str | None,
        Argument(
            metavar="[FILE]",
            help="Frames one per line, a polling body, a recording, a HAR file or a network capture; - is "
            "stdin. Or one frame.",
        ),
    ] = None,
    frame: Annotated[
        list[str] | None,
        Option("-f", "--frame", metavar="FRAME", help="Explain this frame. Repeatable."),
    ] = None,
    as_json: Annotated[
        bool, Option("--json", help="Print one JSON object per frame, even on a terminal.")
    ] = False,
    plain: Annotated[bool, Option("--plain", help="Print readable lines, even in a pipe.")] = False,
) -> None:
    """Explain Engine.IO and Socket.IO frames and captures, offline.

    Reads frames as on the wire, one per line (a binary attachment is b and base64), HTTP polling bodies,
    recordings of `--save` and `--json`, and HAR files saved by a browser's network panel. Prints readable
    text on a terminal and one JSON object per frame in a pipe. Exits with 8 if a frame is malformed; the
    other frames are explained too.

    Of a network capture (pcap or pcapng) it prints the records of both directions as they arrive. What is
    missing from the capture is a gap record.

    \b
    Examples:
      nsroom decode -f '451-/chat,12["b",{"_placeholder":true,"num":0}]' -f bAQID
      nsroom decode '42["message","hi"]'
      nsroom decode page.har
      nsroom connect /chat --raw --save chat.ndjson; nsroom decode chat.ndjson
      pbpaste | nsroom decode
      tcpdump -U -w - port 3000 | nsroom decode -
      nsroom decode page.har | jq 'select(.error)'
    """
    if as_json and plain:
        raise UsageError("use either --json or --plain, not both")
    if frame and file:
        raise UsageError("use either FILE or --frame, not both")
    if file is not None and _is_frame(file):
        frame, file = [file], None
    if frame:
        _explain_frames(frame, as_json, plain)
    else:
        _decode_file(file, as_json, plain)


def _explain_frames(frames: list[str], as_json: bool, plain: bool) -> None:
    from nsroom.protocol.explain import capture

    _Printer(as_json, plain).put_all(found for frame in frames for found in capture.split(frame))


def _decode_file(file: str | None, as_json: bool, plain: bool) -> None:
    """Explain the frames of a file, or print the records of a network capture."""
    from nsroom.capture.recorded import recognise
    from nsroom.protocol.explain import capture

    name = "standard input" if file in (None, "-") else str(file)
    with ExitStack() as stack:
        try:
            is_capture, stream = recognise(_open(file, stack), flush)
            if is_capture:
                _print_capture(stream, as_json, plain)
            else:
                printer = _Printer(as_json, plain)
                printer.put_all(capture.find_frames(_lines(stream), printer.take))
        except OSError as error:
            raise DataError(f"cannot read {name}: {error.strerror}") from None


def _print_capture(stream: BinaryIO, as_json: bool, plain: bool) -> None:
    from nsroom.cli.relay_options import RelayOptions
    from nsroom.cli.run import run
    from nsroom.commands.show import print_records

    run(print_records(stream, RelayOptions(all=True, json=as_json, plain=plain)))


class _Printer:
    """Prints an explanation of each frame, and counts the malformed ones."""

    def __init__(self, as_json: bool, plain: bool) -> None:
        from nsroom.protocol.explain.explainer import Explainer
        from nsroom.protocol.explain.plain import fields

        self._encode: Callable[[Json], bytes] | None = None
        """None for readable text."""
        if not plain and (as_json or not sys.stdout.isatty()):
            from nsroom.output.ndjson import encoder

            self._encode = encoder()
        self._explain = Explainer().explain
        self._fields = fields
        self._total = 0
        self._malformed: list[int | None] = []

    def take(self, frame: str, line: int) -> bool:
        """Print the explanation of a plain frame as `put_all` does, in two thirds of the time.

        Returns whether it is plain, and printed as JSON.
        """
        if self._encode is None or (fields := self._fields(frame)) is None:
            return False
        put_soon(self._encode({"line": line, "frame": frame, "fields": fields}))
        self._total += 1
        return True

    def put_all(self, frames: "Iterable[Found]") -> None:
        """Print the explanations of all frames. Raises: DataError if one is malformed, after all of them."""
        for found in frames:
            explanation = self._explain(found)
            put_soon(self._encode(explanation.to_json()) if self._encode else _readable(explanation))
            self._total += 1
            if explanation.error:
                self._malformed.append(found.line)
        flush()
        if self._malformed:
            raise DataError(_verdict(self._total, self._malformed))


def _verdict(total: int, malformed: list[int | None]) -> str:
    first = f", the first in line {malformed[0]}" if malformed[0] else ""
    return f"{len(malformed)} of {total} frame{'' if total == 1 else 's'} malformed{first}"


def _is_frame(text: str) -> bool:
    """Return whether the argument is a frame instead of the name of a file: it has JSON in it."""
    return any(bracket in text for bracket in '["{') and not os.path.exists(text)


def _open(file: str | None, stack: ExitStack) -> BinaryIO:
    """Open a file until the stack is closed; `-` and None are stdin. Raises: UsageError."""
    if file is None or file == "-":
        if sys.stdin.isatty():
            say("reading frames, one a line; end with Ctrl-D")
        return sys.stdin.buffer
    try:
        return stack.enter_context(Path(file).open("rb"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"cannot read {file}: {reason} (to explain a frame, use --frame)") from None


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield lines, cut just above the largest frame: a longer line is malformed, and must not fill memory."""
    from nsroom.encoding import read_lines
    from nsroom.protocol.limits import LIMITS

    return read_lines(stream, LIMITS.frame + 2)


def _readable(explanation: "Explanation") -> bytes:
    """Return the frame, a line for each of its parts, and a caret at the error."""
    lines = [_heading(explanation.found), *_table(explanation.fields)]
    if explanation.found.hint:
        lines.insert(1, f"  hint: {explanation.found.hint}")
    if explanation.error:
        lines += _pointer(explanation.error)
    text = "".join(f"{line}\n" for line in [*lines, ""])
    return text.encode(sys.stdout.encoding or "utf-8", "backslashreplace")


def _heading(found: "Found") -> str:
    from nsroom.output.terminal import clip, safe

    where = "  ".join(f"{key} {safe(str(value))}" for key, value in found.where().items())
    frame = found.frame if isinstance(found.frame, str) else f"<{len(found.frame)} bytes>"
    shown = clip(safe(frame[: _MEANING_WIDTH + 1]), _MEANING_WIDTH) or "(empty)"
    return f"{where}  {shown}" if where else shown


def _table(fields: "Sequence[Field]") -> list[str]:
    text, name, meaning = (
        _column(parts, width)
        for parts, width in (
            ([field["text"] for field in fields], _TEXT_WIDTH),
            ([field["name"] for field in fields], _TEXT_WIDTH),
            ([field["meaning"] for field in fields], _MEANING_WIDTH),
        )
    )
    return [
        f"{field['at']:>6}  {text[row]}  {name[row]}  {meaning[row]}".rstrip()
        for row, field in enumerate(fields)
    ]


def _column(texts: list[str], width: int) -> list[str]:
    from nsroom.output.terminal import cells, clip, safe

    shown = [clip(safe(text[: width + 1]), width) for text in texts]
    widest = max(map(cells, shown), default=0)
    return [text + " " * (widest - cells(text)) for text in shown]


def _pointer(error: "DecodeError") -> list[str]:
    from nsroom.output.terminal import cells, safe

    if isinstance(error.frame, bytes):
        return [f"  {safe(error.reason)}"]
    start, end = max(0, error.offset - _BEFORE_CARET), error.offset + _AFTER_CARET
    before = ("…" if start else "") + safe(error.frame[start : error.offset])
    after = safe(error.frame[error.offset : end]) + ("…" if end < len(error.frame) else "")
    pointer = f"  {' ' * cells(before)}^ {safe(error.reason)}, offset {error.offset}"
    return [f"  {before}{after}".rstrip(), pointer]
