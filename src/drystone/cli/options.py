"""Options of the command line, made from the fields of a record of settings."""

from collections.abc import Callable, Mapping
from inspect import Parameter, Signature, signature
from types import MappingProxyType, NoneType
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

METAVARS: Mapping[str, str] = MappingProxyType(
    {
        "target": "FIELD",
        "features": "A,B,...",
        "sequence_id": "COLUMN",
        "order_by": "COLUMN",
        "split_column": "FIELD",
        "out": "FOLDER",
    }
)


def with_options(function: Callable[..., None], settings: "type[BaseModel]", left_out: set[str]) -> Callable[..., None]:
    """Returns the function with an option for each field, besides its own parameters; None where one is not given.

    Args:
        function: takes the options as keywords.
        settings: fields with a description, and a panel and whether they are rare in `json_schema_extra`.
        left_out: fields that are no options.
    """
    own = [found for found in signature(function).parameters.values() if found.kind is not Parameter.VAR_KEYWORD]
    options = [_option(name, field) for name, field in settings.model_fields.items() if name not in left_out]

    def command(**given: Any) -> None:
        function(**given)

    command.__signature__ = Signature([*own, *options])  # pyright: ignore[reportFunctionMemberAccess]
    command.__annotations__ = {found.name: found.annotation for found in (*own, *options)}
    return command


def flag_of(name: str) -> str:
    """Returns the option of a setting, as it is written on the command line.

    >>> flag_of("hidden_size")
    '--hidden-size'
    """
    return f"--{name.replace('_', '-')}"


def _option(name: str, field: "FieldInfo") -> Parameter:
    about = field.json_schema_extra
    assert isinstance(about, dict)
    option = typer.Option(
        help=_help(field), metavar=METAVARS.get(name), rich_help_panel=str(about["panel"]), hidden=bool(about["rare"])
    )
    annotation = Annotated[_kind(field.annotation) | None, option]
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _kind(annotation: Any) -> Any:
    """The type of an option: a whole number, a number, text, a switch or several texts; its limits are checked later."""
    kinds = (
        [kind for kind in get_args(annotation) if kind is not NoneType] if _is_optional(annotation) else [annotation]
    )
    (kind,) = kinds
    if get_origin(kind) is tuple:
        return list[str]
    return str if get_origin(kind) is Literal else kind


def _is_optional(annotation: Any) -> bool:
    return NoneType in get_args(annotation)


def _help(field: "FieldInfo") -> str:
    words = field.description or ""
    default = "" if field.is_required() or field.default is None else f" (default {_in_words(field.default)})"
    return f"{words[:1].upper()}{words[1:]}{default}."


def _in_words(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
