"""Options that belong together: a record of them, which a verb takes as one parameter and its users as options."""

from collections.abc import Callable, Sequence
from dataclasses import Field, fields, is_dataclass
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints


def with_records(function: Callable[..., None]) -> Callable[..., None]:
    """Returns the function with the fields of each record, in place of the record, as parameters of their own.

    Args:
        function: its keyword-only parameters may be dataclasses, whose fields are annotated as typer takes them.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True, kw_only=True)
        ... class Size:
        ...     rows: int = 1
        ...     steps: int = 8
        >>> @with_records
        ... def show(name: str, *, size: Size) -> None:
        ...     print(name, size)
        >>> signature(show)
        <Signature (name: str, *, rows: int = 1, steps: int = 8)>
        >>> show(name="grid", rows=2, steps=4)
        grid Size(rows=2, steps=4)
    """
    hints = get_type_hints(function, include_extras=True)
    records = {name: hint for name, hint in hints.items() if isinstance(hint, type) and is_dataclass(hint)}
    parameters = [
        each
        for name, own in signature(function).parameters.items()
        for each in (_fields_of(records[name]) if name in records else [own.replace(annotation=hints[name])])
    ]

    def call(**given: Any) -> None:
        made = {
            name: record(**{field.name: given.pop(field.name) for field in fields(record)})
            for name, record in records.items()
        }
        function(**given, **made)

    return taking(parameters, call)


def taking(parameters: Sequence[Parameter], function: Callable[..., None]) -> Callable[..., None]:
    """Returns a function that says it takes these parameters, and hands them on as keywords."""

    def command(**given: Any) -> None:
        function(**given)

    command.__signature__ = Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    command.__annotations__ = {found.name: found.annotation for found in parameters}
    return command


def given_in(record: Any) -> list[str]:
    """Returns the names of the fields of a record that are not at their defaults, which all have."""
    return [field.name for field in fields(record) if getattr(record, field.name) != field.default]


def _fields_of(record: type) -> list[Parameter]:
    hints = get_type_hints(record, include_extras=True)

    def parameter(field: "Field[Any]") -> Parameter:
        return Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name])

    return [parameter(field) for field in fields(record)]
