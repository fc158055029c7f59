"""Options of the command line, made from the fields of a record of settings."""

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from types import MappingProxyType, NoneType
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import typer

from drystone.cli.records import taking

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

METAVARS: Mapping[str, str] = MappingProxyType(
    {
        "target": "FIELD",
        "features": "A,B,...",
        "categories": "A,B,...",
        "calendar": "PART,...",
        "sequence_id": "COLUMN",
        "order_by": "COLUMN",
        "text": "COLUMN",
        "encoding": "NAME",
        "valid": "FILE",
        "test": "FILE",
        "split_column": "FIELD",
        "group": "FIELD",
        "align": "FIELD",
        "out": "FOLDER",
    }
)


def with_options(
    function: Callable[..., None], settings: "type[BaseModel]", left_out: set[str], defaults: Mapping[str, str]
) -> Callable[..., None]:
    """Returns the function with an option for each field, besides its own parameters; None where one is not given.

    Args:
        function: takes the options as keywords.
        settings: fields with a description, and a panel and whether they are rare in `json_schema_extra`.
        left_out: fields that are no options.
        defaults: words for defaults that the fields themselves do not have.
    """
    own = [found for found in signature(function).parameters.values() if found.kind is not Parameter.VAR_KEYWORD]
    fields = {name: field for name, field in settings.model_fields.items() if name not in left_out}
    options = [_option(name, field, defaults.get(name) or _default_of(field)) for name, field in fields.items()]

    return taking([*own, *options], function)


def flag_of(name: str) -> str:
    """Returns the option of a setting, as it is written on the command line.

    >>> flag_of("hidden_size")
    '--hidden-size'
    """
    return f"--{name.replace('_', '-')}"


def in_words(value: Any) -> str:
    """Returns the value of a setting as help pages show it.

    >>> in_words(True), in_words(0.5)
    ('yes', '0.5')
    """
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _option(name: str, field: "FieldInfo", default: str) -> Parameter:
    about = field.json_schema_extra
    assert isinstance(about, dict)
    words = field.description or ""
    option = typer.Option(
        help=f"{words[:1].upper()}{words[1:]}{default and f' (default {default})'}.",
        metavar=METAVARS.get(name),
        rich_help_panel=str(about["panel"]),
        hidden=bool(about["rare"]),
    )
    annotation = Annotated[_kind(field.annotation) | None, option]
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _kind(annotation: Any) -> Any:
    """The type of an option: a whole number, a number, text, a switch or several texts; its limits are checked later.

    What may be of several kinds comes as text, which the settings read.
    """
    kinds = (
        [kind for kind in get_args(annotation) if kind is not NoneType] if _is_optional(annotation) else [annotation]
    )
    if len(kinds) > 1:
        return str
    (kind,) = kinds
    if get_origin(kind) is tuple:
        return list[str]
    return str if get_origin(kind) is Literal else kind


def _is_optional(annotation: Any) -> bool:
    return NoneType in get_args(annotation)


def _default_of(field: "FieldInfo") -> str:
    return "" if field.is_required() or field.default is None else in_words(field.default)
