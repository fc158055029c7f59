"""Documents as sequences of characters: texts, one a document, to columns of one character a value, and back."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drystone import native
from drystone.core.arrow import is_text, plain
from drystone.core.errors import DataError
from drystone.core.lengths import Lengths, offsets_of
from drystone.core.string_memory import bytes_of, offsets_in, strings_of

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences

FIRST_BYTE = -64  # of a character, at least, as a signed number; those after it in UTF-8 are less


def documents_in(values: Any, name: str) -> pa.LargeStringArray:
    """Returns texts as an Arrow array.

    Args:
        values: a list or array of str, or an Arrow array of strings; one a document.
        name: of the field, for the message.

    Raises:
        DataError: one of them is no text, or missing, or there is none.
    """
    array = values if isinstance(values, (pa.Array, pa.ChunkedArray)) else _arrow(values, name)
    whole = plain(array)
    if not is_text(whole.type):
        raise DataError(f"text field {name!r} holds {whole.type}; expected texts, one a document.")
    if not len(whole):
        raise DataError(f"text field {name!r} holds no documents.")
    if whole.null_count:
        index = int(np.argmax(np.asarray(pc.is_null(whole))))
        raise DataError(f"text field {name!r}: document {index} is missing. Fill it in, or leave it out.")
    return whole


def characters_of(documents: pa.LargeStringArray) -> tuple[pa.LargeStringArray, Lengths]:
    """Returns the characters of all documents, one a value, in the same memory; and how many each has.

    A character is a Unicode code point; nothing is normalised.

    Args:
        documents: [documents] none missing.

    Example:
        >>> characters, lengths = characters_of(pa.array(["naïve", "", "ok"], pa.large_string()))
        >>> "|".join(characters.to_pylist()), lengths
        ('n|a|ï|v|e|o|k', array([5, 0, 2]))
    """
    borders = offsets_in(documents)
    data = bytes_of(documents)
    first = int(borders[0])
    is_start = data[first : int(borders[-1])].view(np.int8) >= FIRST_BYTE
    offsets = np.empty(np.count_nonzero(is_start) + 1, np.int64)
    np.add(np.flatnonzero(is_start), first, out=offsets[:-1])
    offsets[-1] = borders[-1]
    return strings_of(offsets, documents.buffers()[2]), np.diff(np.searchsorted(offsets, borders))


def documents_of(seqs: "Sequences") -> pa.LargeStringArray:
    """Returns the document of each sequence: its characters put together, also of views.

    Args:
        seqs: with a key `text`.

    Raises:
        DataError: they have none.

    Example:
        >>> from drystone import Sequences
        >>> seqs = Sequences.from_arrays(per_step={"review": ["so so", "good"]}, text="review")
        >>> documents_of(seqs.truncate(2)).to_pylist()
        ['so', 'go']
    """
    if seqs.text is None:
        raise DataError("the sequences have no key text, which names the field whose steps are characters.")
    column = cast("pa.LargeStringArray", seqs.step_columns[seqs.text].values)
    offsets, data = offsets_in(column), bytes_of(column)
    starts, stops = offsets[seqs.starts], offsets[seqs.starts + seqs.lengths]
    bounds = offsets_of(stops - starts)
    if (starts[1:] == stops[:-1]).all():
        return strings_of(bounds + (starts[0] if len(starts) else 0), column.buffers()[2])
    result = np.empty(int(bounds[-1]), np.uint8)
    native.gather(data, starts, bounds[:-1], stops - starts, result)
    return strings_of(bounds, pa.py_buffer(result))


def check_text(seqs: "Sequences", name: str) -> None:
    """Raises DataError for what is no field of text a step."""
    field = seqs.field(name)
    if not field.per_step:
        raise DataError(
            f"text is {name!r}, which has a value a sequence; expected the characters of each document, or words, one a step. "
            f"Read the table with text={name!r} (--text {name}), or pass text={name!r} to Sequences.from_arrays."
        )
    if not field.is_text:
        raise DataError(f"text is {name!r}, which holds {field.describe()}; expected text.")


def are_characters(seqs: "Sequences", name: str) -> bool:
    """Whether a field has a text of one character at every step."""
    field = seqs.field(name)
    if not (field.per_step and field.is_text):
        return False
    return bool(pc.all(pc.fill_null(pc.equal(pc.utf8_length(field.compact.values), 1), False)).as_py())


def _arrow(values: Iterable[Any], name: str) -> pa.Array:
    found = values.tolist() if isinstance(values, np.ndarray) else list(values)
    for index, value in enumerate(found):
        if not isinstance(value, str):
            raise DataError(
                f"text field {name!r}: document {index} is {type(value).__name__}, not str; each document is one str."
            )
    try:
        return pa.array(found, pa.large_string())
    except UnicodeEncodeError as error:
        raise DataError(f"text field {name!r} holds what is no Unicode text: {error}.") from error
