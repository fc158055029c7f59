"""Results and gradients by sequence, and how far two of them differ."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from drystone.audit.arrangement import Arrangement
from drystone.audit.report import Change
from drystone.audit.subject import Call, Subject
from drystone.core.errors import ShapeError

TOLERANCES = {torch.float64: 1e-10, torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 5e-2}

BySequence = dict[int, Tensor]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What one call gave.

    Args:
        results: of each result, its values by sequence.
        gradients: of each input field, the gradient of the sum of all losses, by sequence.
        shared: of each parameter, that gradient.
        per_step: the results that have a value a step; gradients of inputs always have.
    """

    results: dict[str, BySequence]
    gradients: dict[str, BySequence]
    shared: dict[str, Tensor]
    per_step: frozenset[str]


def run(subject: Subject, arrangement: Arrangement) -> Outcome:
    """Calls the model, and takes the gradient of the losses of all sequences together."""
    with torch.enable_grad():
        call = subject.call(arrangement)
        results = split_results(subject, arrangement, call)
        losses = losses_of(results)
    names, parameters = list(call.inputs), subject.parameters
    wanted = [*call.inputs.values(), *parameters.values()]
    found = gradients_of(sum(losses.values()) if losses else None, wanted)
    by_field = dict(zip(names, found, strict=False))
    return Outcome(
        results={name: {at: value.detach() for at, value in parts.items()} for name, parts in results.items()},
        gradients={
            f"gradient with regard to {name}": split_steps(gradient, arrangement)
            for name, gradient in by_field.items()
            if gradient is not None
        },
        shared={
            f"gradient with regard to parameter {name}": gradient
            for name, gradient in zip(parameters, found[len(names) :], strict=True)
            if gradient is not None
        },
        per_step=frozenset(subject.per_step),
    )


def split_results(subject: Subject, arrangement: Arrangement, call: Call) -> dict[str, BySequence]:
    """Sorts what a model returned by sequence."""
    unknown = set(subject.per_step) - set(call.results)
    if unknown:
        raise ShapeError(
            f"per_step names {sorted(unknown)}, which the model does not return; it returns {sorted(call.results)}."
        )
    return {
        name: split_steps(value, arrangement, name)
        if name in subject.per_step
        else _split_sequences(value, arrangement, name)
        for name, value in call.results.items()
    }


def split_steps(values: Tensor, arrangement: Arrangement, name: str = "x") -> BySequence:
    """Cuts [rows, steps, ...] into the steps of each sequence."""
    stops = [start + length for start, length in zip(arrangement.starts, arrangement.lengths, strict=True)]
    if values.ndim < 2 or values.shape[0] != arrangement.num_rows or values.shape[1] < max(stops):
        raise ShapeError(
            f"{name} has shape {tuple(values.shape)}; expected [{arrangement.num_rows} rows, "
            f"{arrangement.num_steps} steps, ...]. Name in per_step only results that have a value a step."
        )
    places = zip(arrangement.sequences, arrangement.rows, arrangement.starts, stops, strict=True)
    return {number: values[row, start:stop] for number, row, start, stop in places}


def _split_sequences(values: Tensor, arrangement: Arrangement, name: str) -> BySequence:
    if values.ndim < 1 or len(values) != len(arrangement.sequences):
        raise ShapeError(
            f"{name} has shape {tuple(values.shape)}; expected [{len(arrangement.sequences)} sequences, ...]. Name it "
            f"in per_step where it has a value a step."
        )
    return dict(zip(arrangement.sequences, values.unbind(0), strict=True))


def losses_of(results: dict[str, BySequence]) -> BySequence:
    """Returns one loss a sequence, which weighs each of its values differently; none where nothing is differentiable."""
    losses: BySequence = {}
    for parts in results.values():
        for number, values in parts.items():
            if values.requires_grad:
                weight = torch.cos(torch.arange(values.numel(), device=values.device) + number + 1.0)
                loss = (values * weight.reshape(values.shape).to(values.dtype)).sum().double()
                losses[number] = losses[number] + loss if number in losses else loss
    return losses


def gradients_of(loss: Tensor | int | None, wanted: list[Tensor], *, keep: bool = False) -> list[Tensor | None]:
    """Returns the gradients of a loss, None with regard to what takes none; 0 where it does not depend on it."""
    takes = [tensor for tensor in wanted if tensor.requires_grad]
    if not isinstance(loss, Tensor) or not takes:
        return [None] * len(wanted)
    found = iter(torch.autograd.grad(loss, takes, retain_graph=keep, allow_unused=True, materialize_grads=True))
    return [next(found) if tensor.requires_grad else None for tensor in wanted]


def tolerance_of(outcome: Outcome) -> float:
    """Returns what passes as rounding, in the coarsest type of the results: far above it, far below any leak."""
    values = [value for parts in outcome.results.values() for value in parts.values()]
    return max((TOLERANCES.get(value.dtype, 0.0) for value in values), default=0.0)


def compare(expected: Outcome, found: Outcome, where: str, *, shared: bool) -> Iterator[Change]:
    """Yields the largest difference of each result of each sequence that both have, however small."""
    for kind, wanted in ((found.results, expected.results), (found.gradients, expected.gradients)):
        for name, parts in kind.items():
            by_step = kind is found.gradients or name in found.per_step
            scale = scale_of(wanted[name].values())
            for number, values in parts.items():
                error, place = error_of(name, values, wanted[name][number], scale)
                step = place[0] if by_step and place else None
                yield Change(result=name, sequence=number, step=step, error=error, where=where)
    # One scale for all parameters: the gradient of a bias before a norm is 0 but for rounding.
    scale = scale_of(expected.shared.values())
    for name in found.shared if shared else ():
        error, _ = error_of(name, found.shared[name], expected.shared[name], scale)
        yield Change(result=name, sequence=None, step=None, error=error, where=where)


def scale_of(values: Iterable[Tensor]) -> float:
    """Returns the largest finite value."""
    found = (value.double().abs() for value in values)
    return max((float(torch.where(part.isfinite(), part, 0.0).max()) for part in found if part.numel()), default=0.0)


def error_of(name: str, found: Tensor, expected: Tensor, scale: float) -> tuple[float, tuple[int, ...]]:
    """Returns the largest difference as a fraction of the scale, and where it is."""
    if found.shape != expected.shape:
        raise ShapeError(
            f"{name} of a sequence has shape {tuple(expected.shape)} in one batch and {tuple(found.shape)} in another. "
            f"Name it in per_step where it has a value a step."
        )
    if not found.numel():
        return 0.0, ()
    difference = (found.double() - expected.double()).abs().nan_to_num(nan=torch.inf, posinf=torch.inf)
    difference = torch.where(found == expected, 0.0, difference)
    worst = int(difference.argmax())
    place = tuple(int(index) for index in torch.unravel_index(torch.tensor(worst), difference.shape))
    largest = float(difference.flatten()[worst])
    return (0.0 if largest == 0 else largest / scale if scale else torch.inf), place
