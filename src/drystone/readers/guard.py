"""Whatever goes wrong while a file is read becomes a DataError that names the file."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from drystone.core.errors import DataError


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turns the errors of the libraries underneath into DataErrors that name what is being read.

    Args:
        name: the file's name, or words for data that came from memory.

    Raises:
        DataError: in place of any error that unreadable data causes.
    """
    try:
        yield
    except DataError as error:
        if name in str(error):
            raise
        raise DataError(f"{name}: {error}") from error
    except OSError as error:
        raise DataError(f"cannot read {name}: {error.strerror or error}.") from error
    # ValueError stands for text that is not UTF-8, and for damaged headers.
    except (pa.ArrowException, ValueError) as error:
        raise DataError(f"cannot read {name}: {error}") from error
