"""A trained run as a plain Keras model."""

from pathlib import Path
from typing import Any

from drystone.train.export.about import FILE, FLOAT32, about, entry, features, probabilities
from drystone.train.export.arrays import arrays_of
from drystone.train.export.format import Format, Source


def _write(source: Source, path: Path) -> dict[str, Any]:
    from drystone.keras import export  # here, since training needs no Keras

    schema = source.schema
    valid = entry(
        "bool", ["rows", "steps"], "true at real steps, which come first in each row; every row has one or more"
    )
    said = about(
        source,
        inputs={"x": features(schema, FLOAT32), "valid": valid},
        outputs={"probabilities": probabilities(source)},
    )
    export.save(arrays_of(source), path, said)
    return said


def _usage(path: Path, _said: dict[str, Any]) -> list[str]:
    return [
        "import keras",
        f"model = keras.saving.load_model({path.as_posix()!r})",
        'probabilities = model.predict({"x": x, "valid": valid})',
    ]


KERAS = Format(
    name="keras",
    title="Keras model",
    suffix=".keras",
    extra="keras",
    libraries=("keras",),
    module="drystone.keras.export",
    write=_write,
    kept=f"{FILE} within the file, which is a zip archive",
    usage=_usage,
)
