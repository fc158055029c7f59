"""Does a model suit a data set: warnings and errors before training, rather than numbers that mislead."""

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import keras

from drystone.core.errors import DataError
from drystone.keras.losses import WeightedMean
from drystone.keras.source import Source

if TYPE_CHECKING:
    from drystone.keras.dataset import Dataset


def check(model: keras.Model, dataset: "Dataset") -> None:
    """Checks that the numbers which Keras will print for this model and data are what they say.

    `fit` and `evaluate` do so by themselves, at the first epoch of a data set.

    Args:
        model: compiled or not.
        dataset: what it will be trained or evaluated on.

    Warns:
        UserWarning: `metrics=` where padding or weights matter, which it takes no notice of; a mask that Keras
            weighs the loss by a second time; a metric that is no mean, over batches of several numbers of steps; on
            TensorFlow, losses of single outputs over batches of several numbers of rows.

    Raises:
        DataError: targets a step for a model with outputs a sequence, or the other way round.
    """
    check_source(model, dataset.source)


def check_source(model: keras.Model, source: Source) -> None:
    """As `check`, of what a data set is made of."""
    recipe = source.recipe
    if recipe.y is None:
        return
    _check_outputs(model, source)
    if not model.compiled:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what cannot be saved: nothing is saved here
        config = cast("dict[str, Any]", model.get_compile_config() or {})
    for message in _misleading(model, config, source):
        warnings.warn(message, UserWarning, stacklevel=2)


def check_outputs_join(model: keras.Model, source: Source) -> None:
    """Raises DataError where `predict` would fail at its end, on outputs of several numbers of steps."""
    steps = set(source.frames.shapes.plan.column("steps").tolist())
    if keras.backend.backend() == "tensorflow" or len(steps) == 1:
        return
    for shape in _output_shapes(model).values():
        if len(shape) > 1 and shape[1] is None:
            raise DataError(
                f"predict joins the outputs of all batches; the model's output is {shape}, and batches have from "
                f"{min(steps)} to {max(steps)} steps. Loop over the Dataset with model.predict_on_batch(x), or choose a "
                f"layout whose batches have equal steps."
            )


def _misleading(model: keras.Model, config: dict[str, Any], source: Source) -> Iterator[str]:
    plain = list(_names(config.get("metrics")))
    frames = source.frames
    if plain and not frames.counts_every_entry:
        yield (
            f"metrics={plain} takes no notice of weights, so padding counts in it like real steps or sequences. "
            f"Give compile(weighted_metrics={plain}) instead."
        )
    targets = list(source.recipe.targets_by_step)
    forgets_rows = keras.backend.backend() == "tensorflow" and not model.run_eagerly  # of outputs, in a graph
    if forgets_rows and len(targets) > 1 and len(set(frames.shapes.rows.tolist())) > 1:
        yield (
            f"the losses of single outputs {targets}, as Keras prints them on TensorFlow, are means over batches, which "
            f"have unequal rows here; their sum, loss, is right. For each output's own, give its loss in "
            f"compile(weighted_metrics=...) too."
        )
    if not any(source.recipe.targets_by_step.values()):
        return
    odd = [name for name in _names(config.get("weighted_metrics")) if not _is_mean(name)]
    if odd and len(set(frames.shapes.plan.column("steps").tolist())) > 1:
        yield (
            f"weighted_metrics={odd}: a metric that is no mean sees steps of long batches weighted more than those of "
            f"short ones. Wrap it: drystone.keras.EveryStep(metric)."
        )
    if _masks(model) and any(name != WeightedMean.__name__ for name in _names(config.get("loss"))):
        yield (
            "the model passes a mask on to the loss, and Keras then divides the loss by the mask a second time: what it "
            "prints is no mean over steps. Give compile(loss=drystone.keras.WeightedMean(loss)), which the weights "
            "alone decide for, or leave out the Masking layer or mask_zero: the weights say what is padding."
        )


def _check_outputs(model: keras.Model, source: Source) -> None:
    recipe = source.recipe
    shapes = _output_shapes(model)
    if recipe.y is None or len(shapes) != len(recipe.y.names):
        return
    by_name = shapes if set(shapes) == set(recipe.y.names) else dict(zip(recipe.y.names, shapes.values(), strict=True))
    for name, field in recipe.y.names.items():
        shape = by_name[name]
        item = len(source.loader.seqs.field(field).item_shape)
        if recipe.targets_by_step[name]:
            steps = set(source.frames.shapes.plan.column("steps").tolist())
            if len(shape) < 3 or (shape[1] is not None and shape[1] not in steps):
                raise DataError(
                    f"target {name!r} has a value a step, and the model's output is {shape}, not (rows, steps, ...). "
                    f"Let the last layer return all steps (return_sequences=True) and keep the last dimension, 1 or "
                    f"more; or give a target with one value a sequence."
                )
        elif len(shape) > item + 2:
            raise DataError(
                f"target {name!r} has one value a sequence, and the model's output is {shape}, one a step. Let the "
                f"last recurrent layer return its last output alone (return_sequences=False; or "
                f"drystone.keras.BySequence where rows hold several sequences), or give a target with a value a step."
            )


def _output_shapes(model: keras.Model) -> dict[str, tuple[int | None, ...]]:
    try:
        outputs = model.outputs
    except AttributeError:
        return {}  # neither functional nor built: shapes are not known yet
    names = getattr(model, "output_names", None) or [str(number) for number in range(len(outputs or []))]
    return {name: tuple(output.shape) for name, output in zip(names, outputs or [], strict=True)}


def _masks(model: keras.Model) -> bool:
    return any(isinstance(layer, keras.layers.Masking) or getattr(layer, "mask_zero", False) for layer in model.layers)


def _names(compiled: Any) -> Iterator[str]:
    """Yields the names of losses or metrics, however they are nested and serialised."""
    if isinstance(compiled, str):
        yield compiled
    elif isinstance(compiled, dict) and "class_name" in compiled:
        inner = compiled["config"] if compiled["class_name"] == "function" else compiled["class_name"]
        yield str(inner)
    elif isinstance(compiled, dict):
        for value in compiled.values():
            yield from _names(value)
    elif isinstance(compiled, (list, tuple)):
        for value in compiled:
            yield from _names(value)


def _is_mean(name: str) -> bool:
    """Whether a metric is a weighted mean, as functions become; what is not known is taken for one."""
    found = getattr(keras.metrics, name, None)
    return not isinstance(found, type) or issubclass(found, keras.metrics.Mean)
