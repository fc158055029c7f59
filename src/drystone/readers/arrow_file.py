"""Arrow files (also called Feather and IPC), as a file or as a stream; memory-mapped."""

from pathlib import Path

import pyarrow as pa

from drystone.core.errors import DataError
from drystone.core.origin import Origin

FILE_MAGIC = b"ARROW1"


def read_arrow(path: Path) -> tuple[pa.Table, Origin]:
    """Opens a table in an Arrow file or stream; values are read when they are used.

    Raises:
        DataError: the file is cut off or damaged.
    """
    try:
        source = pa.memory_map(str(path))
        is_file = source.read(len(FILE_MAGIC)) == FILE_MAGIC
        source.seek(0)
        table = (pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)).read_all()
    except (pa.ArrowException, ValueError) as error:
        raise DataError(f"{path.name} is cut off or damaged, or no Arrow file: {error}") from error
    return table, Origin(name=path.name)
