"""What the text formats share: the bytes of a file, blocks to parse it in, and the lines that its records stand on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drystone.core.errors import DataError
from drystone.core.origin import Origin
from drystone.core.string_memory import strings_of

BLOCK_BYTES = 1 << 20
MAX_BLOCK_BYTES = 2**31 - 1  # Arrow keeps the size in 32 bits
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
NEWLINE, RETURN = b"\n"[0], b"\r"[0]


def text_of(path: Path, encoding: str | None = None) -> pa.Buffer:
    """Returns the text of a file that must not be empty; see `any_text_of`.

    Raises:
        DataError: the file is empty, or holds bytes that are no text in its encoding.
    """
    text = any_text_of(path, encoding)
    if text.size == 0 or not len(_filled_lines(text)):
        raise DataError(f"{path.name} is empty.")
    return text


def any_text_of(path: Path, encoding: str | None = None) -> pa.Buffer:
    """Returns the text of a file as UTF-8, unpacked where it ends in .gz, without a byte order mark.

    Args:
        path: the file.
        encoding: of the file; None for UTF-8.

    Raises:
        DataError: bytes that are no text in this encoding; the message names the first and its line.
    """
    packing = "gzip" if path.suffix.lower() == ".gz" else None
    with pa.input_stream(str(path), compression=packing) as stream:
        # Memory that Arrow owns: its threads may let go of it after the interpreter has begun to end.
        data = stream.read_buffer()
    if encoding is None:
        _check_utf8(data, path.name)
    else:
        data = _as_utf8(data, path.name, encoding)
    has_mark = data.slice(0, min(data.size, len(BYTE_ORDER_MARK))).to_pybytes() == BYTE_ORDER_MARK
    return data.slice(len(BYTE_ORDER_MARK)) if has_mark else data


def as_string(text: pa.Buffer) -> pa.LargeStringArray:
    """Returns one string that is the whole text, without a copy."""
    return strings_of(np.array([0, text.size]), text)


def lines_of(text: pa.Buffer) -> list[bytes]:
    """Returns the lines of a text, without what ends them."""
    lines = text.to_pybytes().split(b"\n")
    return [line.removesuffix(b"\r") for line in (lines if lines[-1] else lines[:-1])]


def parse_in_blocks(parse: Callable[[int], pa.Table], data: pa.Buffer) -> pa.Table:
    """Parses in blocks that run in parallel, or in one block if a row is longer than that.

    Args:
        parse: takes the size of a block in bytes.
        data: what is parsed.
    """
    try:
        return parse(BLOCK_BYTES)
    except pa.ArrowInvalid:
        return parse(min(max(data.size, BLOCK_BYTES), MAX_BLOCK_BYTES))


def origin_of(name: str, data: pa.Buffer, *, num_records: int, num_headers: int) -> Origin:
    """Says on which line each record stands; counts rows instead where a record spans several lines.

    Args:
        name: the file's name.
        data: the whole text; blank lines hold no record.
        num_records: how many records were read.
        num_headers: how many lines hold no record but a header.
    """
    lines = _filled_lines(data)
    if len(lines) != num_records + num_headers:
        return Origin(name=name, unit="row", first=1)
    if lines[-1] == len(lines):
        return Origin(name=name, unit="line", first=1 + num_headers)
    return Origin(name=name, unit="line", order=lines[num_headers:])


def _filled_lines(data: pa.Buffer) -> npt.NDArray[np.int64]:
    """The numbers, from 1, of the lines that are not blank."""
    text = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(text == NEWLINE)
    if text[-1] != NEWLINE:
        ends = np.append(ends, len(text))
    starts = np.append(0, ends[:-1] + 1)
    sizes = ends - starts
    blank = (sizes == 0) | ((sizes == 1) & (text[starts] == RETURN))
    return np.flatnonzero(~blank) + 1


def _check_utf8(data: pa.Buffer, name: str) -> None:
    # Arrow checks the whole as one string, without a copy.
    try:
        as_string(data).validate(full=True)
    except pa.ArrowInvalid:
        likely = "utf-16" if data.slice(0, min(data.size, 2)).to_pybytes() in UTF_16_MARKS else "latin-1"
        _decoded(data, name, "utf-8", f', or name its encoding, such as encoding="{likely}" (--encoding {likely})')


def _as_utf8(data: pa.Buffer, name: str, encoding: str) -> pa.Buffer:
    # As above, in memory that Arrow owns.
    text = pa.array([_decoded(data, name, encoding, ", or name another encoding")], pa.large_string())
    return text.buffers()[2] or pa.allocate_buffer(0)


def _decoded(data: pa.Buffer, name: str, encoding: str, remedy: str) -> str:
    plain = data.to_pybytes()
    try:
        return plain.decode(encoding)
    except UnicodeDecodeError as error:
        line = plain.count(NEWLINE, 0, error.start) + 1
        raise DataError(
            f"{name} is not {encoding.upper()}: byte {plain[error.start]:#04x} on line {line}. Save it as UTF-8{remedy}."
        ) from None
    except LookupError as error:
        raise DataError(f"encoding is {encoding!r}: {error}.") from None
