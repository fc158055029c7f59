"""Lines of a pipe, as they come."""

import os
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone.cli.incoming import MAX_LINES, Incoming
from drystone.cli.outgoing import write_all

MAX_BYTES = 100


def read_all(content: bytes) -> list[list[bytes]]:
    reader, writer = os.pipe()
    incoming = Incoming(reader, MAX_BYTES).batches(lambda: False)
    with os.fdopen(writer, "wb") as sink:
        sink.write(content)
    found = [lines for lines in incoming if lines]
    os.close(reader)
    return found


@given(st.binary(max_size=200), st.booleans())
def test_all_lines_come_once_and_in_order(content: bytes, ends_with_a_line: bool) -> None:
    content += b"\n" if ends_with_a_line else b""
    lines = [line for batch in read_all(content) for line in batch]
    expected = [line[: MAX_BYTES + 1] for line in content.split(b"\n")]
    assert [line[: MAX_BYTES + 1] for line in lines] == (expected[:-1] if not expected[-1] else expected)


def test_a_line_without_an_end_takes_no_more_than_its_first_bytes() -> None:
    reader, writer = os.pipe()
    incoming = Incoming(reader, MAX_BYTES)
    batches = incoming.batches(lambda: False)
    for _ in range(50):
        os.write(writer, b"x" * 1000)
        next(batches)
    assert sum(map(len, incoming._rest)) <= MAX_BYTES + 1001
    os.write(writer, b"\n{}\n")
    os.close(writer)
    found = [line for lines in batches for line in lines]
    assert len(found[0]) == MAX_BYTES + 1
    assert found[1:] == [b"{}"]
    os.close(reader)


def test_input_that_must_be_waited_for() -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    batches = Incoming(reader, MAX_BYTES).batches(lambda: False)
    assert next(batches) == []
    os.write(writer, b"{}\n")
    os.close(writer)
    assert [line for lines in batches for line in lines] == [b"{}"]
    os.close(reader)


def test_input_that_cannot_be_read_is_an_error_and_no_end() -> None:
    reader, writer = os.pipe()
    with pytest.raises(OSError, match="Bad file descriptor"):
        list(Incoming(writer, MAX_BYTES).batches(lambda: False))
    os.close(writer)
    os.close(reader)


def test_output_that_must_be_waited_for_is_written_whole() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    content = bytes(range(256)) * 2000
    thread = threading.Thread(target=lambda: (write_all(writer, content), os.close(writer)))
    thread.start()
    with os.fdopen(reader, "rb") as source:
        assert source.read() == content
    thread.join()


def test_no_more_come_together_than_are_held() -> None:
    found = read_all(b"{}\n" * (MAX_LINES + 5))
    assert sum(map(len, found)) == MAX_LINES + 5
    assert max(map(len, found)) <= MAX_LINES


def test_whole_lines_are_given_before_it_stops() -> None:
    reader, writer = os.pipe()
    asked = False
    batches: Iterator[list[bytes]] = Incoming(reader, MAX_BYTES).batches(lambda: asked)
    os.write(writer, b"one\ntwo\nthr")
    found: list[bytes] = []
    while len(found) < 2:
        found += next(batches)
    assert found == [b"one", b"two"]
    asked = True
    assert [line for lines in batches for line in lines] == []
    os.close(writer)
    os.close(reader)
