"""The table of a shard, a piece at a time: as many rows as a few megabytes hold."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from drystone.core.errors import DataError
from drystone.readers.arrow_file import FILE_MAGIC
from drystone.readers.shards.shard import Shard

PIECE_BYTES = 8 << 20  # of values in memory; more workers at a time than processors have, each with a few copies
READ_BYTES = 1 << 20  # of a column of a Parquet file, read at once
WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8, "INT96": 12}


def schema_of(shard: Shard) -> pa.Schema:
    """Returns names and types of a shard's columns; reads no values.

    Raises:
        DataError: it is missing, damaged, or no file of its format.
    """
    with shard.opened() as file:
        try:
            return pq.read_schema(file) if shard.is_parquet else _reader(file).schema
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged(shard, error) from error


def pieces_of(shard: Shard, *, whole: bool) -> Iterator[tuple[pa.Table, float]]:
    """Yields the table of a shard in pieces, each with the fraction of the shard that is read with it.

    Args:
        shard: the file.
        whole: whether all rows are one piece.

    Raises:
        DataError: it is missing or damaged.
    """
    with shard.opened() as file:
        try:
            found = _of_parquet(file, whole=whole) if shard.is_parquet else _of_arrow(file, whole=whole)
            yield from ((table, fraction) for table, fraction in found if table.num_rows)
        except (pa.ArrowException, OSError, ValueError) as error:
            if isinstance(error, DataError):
                raise
            raise _damaged(shard, error) from error


def _damaged(shard: Shard, error: Exception) -> DataError:
    kind = "Parquet" if shard.is_parquet else "Arrow"
    return DataError(f"{shard.name} is cut off or damaged, or no {kind} file: {error}")


def _of_parquet(file: Any, *, whole: bool) -> Iterator[tuple[pa.Table, float]]:
    if whole:
        yield pq.ParquetFile(file).read(), 1.0
        return
    # Else whole columns of a group of rows would be in memory, and writers make groups of a million rows.
    reader = pq.ParquetFile(file, pre_buffer=False, buffer_size=READ_BYTES)
    num_rows = reader.metadata.num_rows
    rows = max(1, min(num_rows, num_rows * PIECE_BYTES // max(1, _value_bytes(reader.metadata))))
    for batch in reader.iter_batches(batch_size=rows, use_threads=False):
        yield pa.Table.from_batches([batch]), batch.num_rows / num_rows


def _value_bytes(about: pq.FileMetaData) -> int:
    """About how much memory all values need; in the file they may be packed far tighter."""
    total = 0
    for group in range(about.num_row_groups):
        rows = about.row_group(group)
        for index in range(rows.num_columns):
            column = rows.column(index)
            width = WIDTHS.get(column.physical_type)
            total += column.num_values * (8 if width is None else width)
            total += column.total_uncompressed_size if width is None else 0
    return total


def _reader(file: Any) -> Any:
    is_file = file.read(len(FILE_MAGIC)) == FILE_MAGIC
    file.seek(0)
    return (pa.ipc.open_file if is_file else pa.ipc.open_stream)(file)


def _of_arrow(file: Any, *, whole: bool) -> Iterator[tuple[pa.Table, float]]:
    reader = _reader(file)
    if whole:
        yield reader.read_all(), 1.0
        return
    is_file = hasattr(reader, "num_record_batches")
    count = reader.num_record_batches if is_file else None
    batches = (reader.get_batch(index) for index in range(count)) if count is not None else iter(reader)
    for batch in batches:
        batch.validate(full=True)  # a damaged one holds offsets that point outside its memory
        yield from _cut(batch, 0.0 if count is None else 1 / count)


def _cut(batch: pa.RecordBatch, fraction: float) -> Iterator[tuple[pa.Table, float]]:
    rows = max(1, batch.num_rows * PIECE_BYTES // max(1, batch.nbytes))
    for start in range(0, batch.num_rows, rows):
        part = batch.slice(start, rows)
        # Copied, since whatever is done to a slice of lists is done to all values behind it.
        copied = part if part.num_rows == batch.num_rows else part.take(pa.array(range(part.num_rows), pa.int64()))
        yield pa.Table.from_batches([copied]), fraction * part.num_rows / batch.num_rows
