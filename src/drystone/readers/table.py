"""Tables of one sequence a row or of one step a row, made into Sequences."""

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core import storage
from drystone.core.arrow import is_list, is_text, one_chunk, plain
from drystone.core.documents import are_characters
from drystone.core.errors import DataError
from drystone.core.origin import Origin
from drystone.core.sequences import Sequences
from drystone.readers.documents import sequences_of
from drystone.readers.keys import with_keys
from drystone.readers.options import Options
from drystone.readers.steps import group_steps


def sequences_from_table(table: pa.Table, origin: Origin, options: Options) -> Sequences:
    """Makes sequences of a table.

    Args:
        table: one document a row if `text` names a column of strings; else one sequence a row if any column holds lists,
            else one step a row; without `sequence_id` all are one series.
        origin: the file behind the table.
        options: which columns are keys.

    Raises:
        DataError: unknown columns, missing keys, or values that do not make sequences.
    """
    tidy = _tidy(table)
    options.check_names(tidy.column_names)
    if options.text is not None and not is_list(tidy[options.text].type):
        return _one_document_a_row(tidy, options.text, origin, options)
    if options.sequence_id is not None:
        _check_present(tidy, options.sequence_id, origin)
    if options.sequence_id is None and not any(is_list(kind) for kind in tidy.schema.types):
        tidy = _fixed_lists_as_lists(tidy)
    if any(is_list(kind) for kind in tidy.schema.types):
        return _one_sequence_a_row(tidy, origin, options)
    if options.sequence_id is None and options.order_by is None:
        raise DataError(
            f"no column holds lists, so each row seems to be one step. Say which column tells sequences apart "
            f"with sequence_id= (--sequence-id); or, where all rows are one series, which column orders them with "
            f"order_by= (--order-by){_or_text(tidy)}. The columns are: {', '.join(tidy.column_names)}."
        )
    if options.order_by is not None:
        _check_present(tidy, options.order_by, origin)
    return group_steps(tidy, origin, options)


def one_step_a_row(schema: pa.Schema, options: Options) -> bool:
    """Whether tables of these columns are read as one step a row, and not as a sequence or a document."""
    if options.text in schema.names and not is_list(schema.field(options.text).type):
        return False
    fixed_are_steps = options.sequence_id is None
    return not any(is_list(kind) or (fixed_are_steps and pa.types.is_fixed_size_list(kind)) for kind in schema.types)


def _or_text(table: pa.Table) -> str:
    texts = [field.name for field in table.schema if is_text(field.type)]
    if not texts:
        return ""
    longest = max(texts, key=lambda name: pc.mean(pc.utf8_length(table[name])).as_py() or 0.0)
    return f"; or, where each row is a document, which column holds it, such as text={longest!r} (--text {longest})"


def _one_document_a_row(table: pa.Table, name: str, origin: Origin, options: Options) -> Sequences:
    column = table[name]
    if not is_text(column.type):
        raise DataError(f"text is {name!r}, which holds {column.type}; expected a column of texts, one document a row.")
    if options.sequence_id is not None:
        _check_present(table, options.sequence_id, origin)
    _check_no_null(column, name, origin)
    others = {other: table[other] for other in table.column_names if other != name}
    return sequences_of(one_chunk(column), name, others, origin, options)


def _one_sequence_a_row(table: pa.Table, origin: Origin, options: Options) -> Sequences:
    parts, stored = storage.parts_from_table(table, origin)
    # A table that came by way of another tool may have kept the note of a key, but not its column, or made words of it.
    known = {key: name if name in table.column_names else None for key, name in stored.items()}
    seqs = Sequences.from_parts(parts, options.on_empty, origin=origin, **known)
    if seqs.text is not None and not are_characters(seqs, seqs.text):
        seqs = replace(seqs, text=None)
    return with_keys(seqs, options)


def _fixed_lists_as_lists(table: pa.Table) -> pa.Table:
    """Lists of one fixed size are a vector a sequence beside other lists, but steps where there are no others."""
    for index, field in enumerate(table.schema):
        if pa.types.is_fixed_size_list(field.type):
            column = table[field.name].cast(pa.large_list(field.type.value_type))
            table = table.set_column(index, field.name, column)
    return table


def _tidy(table: pa.Table) -> pa.Table:
    twice = [name for name in table.column_names if table.column_names.count(name) > 1]
    if twice:
        raise DataError(f"two columns are called {twice[0]!r}; every column needs a name of its own.")
    if table.num_rows == 0:
        raise DataError(f"the table has no rows; its columns are: {', '.join(table.column_names) or 'none'}.")
    # A damaged file may hold offsets that point outside its memory, or bytes that are no text.
    table.validate(full=True)
    # pandas adds the row numbers of a filtered table as a column that its user never made.
    names = [name for name in table.column_names if not re.fullmatch(r"__index_level_\d+__", name)]
    arrays = [plain(table[name]) for name in names]
    return pa.Table.from_arrays(arrays, names=names, metadata=table.schema.metadata)


def _check_present(table: pa.Table, name: str, origin: Origin) -> None:
    column = table[name]
    missing = pc.is_null(column, nan_is_null=True)
    if is_text(column.type):
        missing = pc.or_(missing, pc.fill_null(pc.equal(column, ""), False))
    _refuse(missing, name, origin)


def _check_no_null(column: pa.ChunkedArray, name: str, origin: Origin) -> None:
    if column.null_count:
        _refuse(pc.is_null(column), name, origin)


def _refuse(missing: pa.ChunkedArray, name: str, origin: Origin) -> None:
    if pc.any(missing).as_py():
        row = int(np.argmax(np.asarray(missing)))
        where = origin.where(row, row) or f"row {row}"
        raise DataError(f"{where} has no value in column {name!r}. Fill it in, or leave the row out.")
