"""Optional libraries: there, or an error that says how to install them."""

from importlib.util import find_spec

from drystone.core.errors import MissingExtraError


def need(extra: str, *libraries: str) -> None:
    """Raises MissingExtraError for the first of these libraries that is not installed; imports none.

    Args:
        extra: the extra of drystone that installs them.
        libraries: their import names.
    """
    for library in libraries:
        if find_spec(library) is None:
            raise MissingExtraError(extra, library)
