"""Parquet files."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from drystone.core.errors import DataError
from drystone.core.origin import Origin


def read_parquet(path: Path) -> tuple[pa.Table, Origin]:
    """Reads the table in a Parquet file.

    Raises:
        DataError: the file is cut off or damaged.
    """
    # Opened by hand: pyarrow gives an OSError for a damaged page and for a file that may not be read alike. A file of
    # Arrow's, so that memory is Arrow's too: its threads may let go of it after the interpreter has begun to end.
    with pa.OSFile(str(path)) as file:
        try:
            # ParquetFile, since read_table would take folders named key=value for columns.
            table = pq.ParquetFile(file).read()
        except (pa.ArrowException, OSError, ValueError) as error:
            raise DataError(f"{path.name} is cut off or damaged, or no Parquet file: {error}") from error
    return table, Origin(name=path.name)
