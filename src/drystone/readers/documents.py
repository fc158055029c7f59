"""Documents that readers found, made into sequences."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from drystone.core import build
from drystone.core.origin import Origin
from drystone.core.sequences import Sequences
from drystone.readers.keys import with_keys
from drystone.readers.options import Options


def sequences_of(
    documents: pa.LargeStringArray,
    name: str,
    per_sequence: Mapping[str, Any],
    origin: Origin,
    options: Options,
    remarks: tuple[str, ...] = (),
) -> Sequences:
    """Makes a sequence of each document, of its characters; one that is blank is empty.

    Args:
        documents: none missing.
        name: of their field.
        per_sequence: of each other field, a value a document.
        origin: where the documents lie.
        options: the keys, and what becomes of empty documents.
        remarks: what there is to say of the reading.

    Raises:
        DataError: empty documents, or keys that do not fit.
    """
    parts = build.parts_from_documents(_without_blanks(documents), name, per_sequence)
    return with_keys(Sequences.from_parts(parts, options.on_empty, origin=origin, text=name, remarks=remarks), options)


def _without_blanks(documents: pa.LargeStringArray) -> pa.LargeStringArray:
    is_blank = pc.utf8_is_space(documents)
    if not pc.any(is_blank, min_count=0).as_py():
        return documents
    return pc.if_else(is_blank, pa.scalar("", documents.type), documents)
