"""The formats that there are: which reader a file or folder goes to, and which options say anything of it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from drystone.core.errors import DataError
from drystone.core.origin import Origin
from drystone.core.sequences import Sequences
from drystone.readers import columns, plain_text
from drystone.readers.arrow_file import read_arrow
from drystone.readers.columns import read_columns
from drystone.readers.delimited import read_csv, read_tsv
from drystone.readers.json_lines import read_json_lines
from drystone.readers.npz import read_npz
from drystone.readers.options import Options
from drystone.readers.parquet import read_parquet
from drystone.readers.plain_text import has_texts, read_text, read_texts
from drystone.readers.seq_files import is_of_seq_files, read_seq_files
from drystone.readers.shards import has_shards, read_folder
from drystone.readers.ts import read_ts

TableReader = Callable[[Path, Options], tuple[pa.Table, Origin]]
WholeReader = Callable[[Path, Options], Sequences]

BINARY_TABLES: Mapping[str, Callable[[Path], tuple[pa.Table, Origin]]] = MappingProxyType(
    {".parquet": read_parquet, ".arrow": read_arrow, ".feather": read_arrow, ".ipc": read_arrow}
)
TEXT_TABLES: Mapping[str, TableReader] = MappingProxyType(
    {
        ".jsonl": read_json_lines,
        ".ndjson": read_json_lines,
        ".jsonl.gz": read_json_lines,
        ".csv": read_csv,
        ".csv.gz": read_csv,
        ".tsv": read_tsv,
        ".tsv.gz": read_tsv,
    }
)
TEXT_WHOLES: Mapping[str, WholeReader] = MappingProxyType(
    {
        ending: reader
        for reader, endings in ((read_text, plain_text.ENDINGS), (read_columns, columns.ENDINGS))
        for ending in endings
    }
)
OTHER_WHOLES: Mapping[str, WholeReader] = MappingProxyType(
    {
        ".npz": lambda path, options: read_npz(path, options.on_empty),
        ".ts": lambda path, options: read_ts(path, options.on_empty),
    }
)
ENDINGS = (*BINARY_TABLES, *TEXT_TABLES, *TEXT_WHOLES, *OTHER_WHOLES)
OF_TEXT_FILES = ("documents", "encoding")


def ending_of(path: Path) -> str:
    """Returns the ending that says which format a file has.

    Raises:
        DataError: none of those that are known.
    """
    found = [ending for ending in ENDINGS if path.name.lower().endswith(ending)]
    if not found:
        raise DataError(
            f"{path.name}: no reader knows a file of this name; the known endings are {', '.join(ENDINGS)}."
        )
    return found[0]


def folder_reader(folder: Path) -> WholeReader:
    """Returns the reader of a folder.

    Raises:
        DataError: it holds no files that belong together.
    """
    if is_of_seq_files(folder):
        return read_seq_files
    if has_texts(folder):
        return read_texts
    if has_shards(folder):
        return read_folder
    raise DataError(
        f"{folder} is a folder; give one of the files in it. A folder is read where it holds Parquet or Arrow files, .txt "
        f"files, or seq.in with seq.out and label."
    )


def has_effect(option: str, path: Path | None) -> bool:
    """Whether an option of text files says anything of how data are read.

    Args:
        option: one of `OF_TEXT_FILES`.
        path: the file or folder; None for a table in memory, and for several files.
    """
    if path is None:
        return False
    if path.is_dir():
        return has_texts(path) or (option == "encoding" and is_of_seq_files(path))
    ending = ending_of(path)
    is_text = ending in TEXT_TABLES or ending in TEXT_WHOLES
    return is_text if option == "encoding" else ending in plain_text.ENDINGS
