"""Lines of a pipe, as they come."""

import os
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from drystone.cli.incoming import MAX_LINES, Incoming


def read_all(content: bytes) -> list[list[bytes]]:
    reader, writer = os.pipe()
    incoming = Incoming(reader).batches(lambda: False)
    with os.fdopen(writer, "wb") as sink:
        sink.write(content)
    found = [lines for lines in incoming if lines]
    os.close(reader)
    return found


@given(st.binary(max_size=200), st.booleans())
def test_all_lines_come_once_and_in_order(content: bytes, ends_with_a_line: bool) -> None:
    content += b"\n" if ends_with_a_line else b""
    lines = [line for batch in read_all(content) for line in batch]
    expected = content.split(b"\n")
    assert lines == (expected[:-1] if not expected[-1] else expected)


def test_no_more_come_together_than_are_held() -> None:
    found = read_all(b"{}\n" * (MAX_LINES + 5))
    assert sum(map(len, found)) == MAX_LINES + 5
    assert max(map(len, found)) <= MAX_LINES


def test_whole_lines_are_given_before_it_stops() -> None:
    reader, writer = os.pipe()
    asked = False
    batches: Iterator[list[bytes]] = Incoming(reader).batches(lambda: asked)
    os.write(writer, b"one\ntwo\nthr")
    found: list[bytes] = []
    while len(found) < 2:
        found += next(batches)
    assert found == [b"one", b"two"]
    asked = True
    assert [line for lines in batches for line in lines] == []
    os.close(writer)
    os.close(reader)
