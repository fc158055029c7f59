"""What the text formats share: the bytes of a file, blocks to parse it in, and the lines that its records stand on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drystone.core.errors import DataError
from drystone.core.origin import Origin

BLOCK_BYTES = 1 << 20
MAX_BLOCK_BYTES = 2**31 - 1  # Arrow keeps the size in 32 bits
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
NEWLINE, RETURN = b"\n"[0], b"\r"[0]


def text_of(path: Path) -> pa.Buffer:
    """Returns the bytes of a text file, unpacked where it ends in .gz, without a byte order mark.

    Raises:
        DataError: the file is empty or not UTF-8.
    """
    packing = "gzip" if path.suffix.lower() == ".gz" else None
    with pa.input_stream(str(path), compression=packing) as stream:
        # Memory that Arrow owns: its threads may let go of it after the interpreter has begun to end.
        data = stream.read_buffer()
    _check_utf8(data, path.name)
    has_mark = data.slice(0, min(data.size, len(BYTE_ORDER_MARK))).to_pybytes() == BYTE_ORDER_MARK
    text = data.slice(len(BYTE_ORDER_MARK)) if has_mark else data
    if text.size == 0 or not len(_filled_lines(text)):
        raise DataError(f"{path.name} is empty.")
    return text


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
    # One string over the whole text: Arrow checks it without a copy.
    bounds = pa.py_buffer(np.array([0, data.size]))
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, bounds, data]).validate(full=True)
    except pa.ArrowInvalid:
        raise DataError(f"{name} is not UTF-8: {_first_fault(data.to_pybytes())}. Save it as UTF-8.") from None


def _first_fault(data: bytes) -> str:
    text = data.decode(errors="surrogateescape")  # which makes of byte 0x80 + n the character U+DC80 + n
    at = next(index for index, character in enumerate(text) if "\udc80" <= character <= "\udcff")
    return f"byte {ord(text[at]) - 0xDC00:#04x} on line {text.count(chr(NEWLINE), 0, at) + 1}"
