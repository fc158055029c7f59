"""Plain text: files whose text is a document, or whose lines are; and folders of them."""

from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core.errors import DataError
from drystone.core.origin import Origin
from drystone.core.sequences import Sequences
from drystone.core.words import so_many
from drystone.readers.documents import sequences_of
from drystone.readers.options import Options
from drystone.readers.text import any_text_of, as_string, text_of

ENDINGS = (".txt", ".txt.gz")
FIELD = "text"  # where nobody named it
FILE, LABEL = "file", "label"  # the fields of a folder
MOST_NAMED = 3


def read_text(path: Path, options: Options) -> Sequences:
    """Reads a text file: one document, or one a line (`documents="lines"`).

    Args:
        path: the file.
        options: with the encoding, and the name of the field in `text`.

    Raises:
        DataError: the file is empty, a line is (see `on_empty`), or bytes are no text in the encoding.
    """
    documents = _documents(text_of(path, options.encoding), options)
    return sequences_of(documents, options.text or FIELD, {}, _origin(path.name, options), options)


def read_texts(folder: Path, options: Options) -> Sequences:
    """Reads all text files of a folder: each is a document, or each of its lines, with its name in the field `file`.

    Where they lie in folders of this one, as in FOLDER/pos/1.txt, these folders' names are the field `label`, and files
    beside them are left out.

    Args:
        folder: the folder.
        options: as `read_text`.

    Raises:
        DataError: no text files, or some that lie deeper; or as `read_text`.
    """
    files, remarks = _chosen(folder)
    names = tuple(file.relative_to(folder).as_posix() for file in files)
    found: list[pa.LargeStringArray] = []
    for file, name in zip(files, names, strict=True):
        try:
            found.append(_documents(any_text_of(file, options.encoding), options))
        except DataError as error:
            raise DataError(f"{name}: {error}") from None
    counts = [len(documents) for documents in found]
    of_files = {FILE: names} if "/" not in names[0] else {FILE: names, LABEL: [name.split("/")[0] for name in names]}
    fields = {field: np.repeat(np.array(values, object), counts) for field, values in of_files.items()}
    origin = _origin_of_lines(names, found) if options.documents == "lines" else Origin(name=folder.name, names=names)
    return sequences_of(pa.concat_arrays(found), options.text or FIELD, fields, origin, options, remarks)


def has_texts(folder: Path) -> bool:
    """Whether a folder, or folders in it, hold text files."""
    return next(_texts(folder), None) is not None


def _texts(folder: Path) -> Iterator[Path]:
    # A folder may be the top of anything, so that no more of it is looked at than says whether some lie too deep.
    for pattern in ("*", "*/*", "*/*/*"):
        for file in folder.glob(pattern):
            is_hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
            if file.name.lower().endswith(ENDINGS) and not is_hidden and file.is_file():
                yield file


def _chosen(folder: Path) -> tuple[list[Path], tuple[str, ...]]:
    files = sorted(_texts(folder))
    depths = [len(file.relative_to(folder).parts) for file in files]
    if max(depths) > 2:
        deep = files[int(np.argmax(depths))].relative_to(folder)
        raise DataError(
            f"{deep.as_posix()} lies too deep; expected text files in {folder.name}, or in folders of it that are their "
            f"labels. Name a folder further down."
        )
    beside = [file.name for file, depth in zip(files, depths, strict=True) if depth < max(depths)]
    if not beside:
        return files, ()
    shown = ", ".join(beside[:MOST_NAMED]) + (", ..." if len(beside) > MOST_NAMED else "")
    remark = f"left out {so_many(len(beside), 'text file')} beside the folders of {folder.name}: {shown}"
    return [file for file, depth in zip(files, depths, strict=True) if depth == max(depths)], (remark,)


def _documents(text: pa.Buffer, options: Options) -> pa.LargeStringArray:
    whole = as_string(text)
    if options.documents != "lines":
        return whole
    lines = pc.split_pattern(whole, "\n").flatten()
    is_after_the_last = len(lines) > 0 and lines[-1].as_py() == ""
    return pc.utf8_rtrim(lines[:-1] if is_after_the_last else lines, characters="\r")


def _origin(name: str, options: Options) -> Origin:
    return Origin(name=name, unit="line", first=1) if options.documents == "lines" else Origin(name=name, names=(name,))


def _origin_of_lines(names: tuple[str, ...], found: list[pa.LargeStringArray]) -> Origin:
    firsts = accumulate((len(documents) for documents in found[:-1]), initial=0)
    # No record is a step, so that it does not matter where in the steps a file starts.
    members = ((0, first, Origin(name=name, unit="line", first=1)) for first, name in zip(firsts, names, strict=True))
    return Origin(members=tuple(members))
