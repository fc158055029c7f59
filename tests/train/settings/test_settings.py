"""Settings as a whole: the parts that they are put together of."""

from itertools import groupby
from typing import Any

import pytest

from drystone.cli.fit_config import FitConfig
from drystone.core.errors import ConfigError
from drystone.train.settings import Settings


def test_settings_stand_panel_by_panel_and_data_come_first() -> None:
    about: list[Any] = [field.json_schema_extra for field in FitConfig.model_fields.values()]
    panels = [panel for panel, _ in groupby(each["panel"] for each in about)]
    assert panels == ["Data", "Layout of batches", "Model", "Training", "Output"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"task": "regress", "layout": "stateful", "batch_size": 4}, "layout is 'stateful'; task regress takes"),
        ({"layout": "padded", "rows": 4, "patience": 2}, "rows goes with layout"),
        ({"patience": 2, "test": "test.csv", "test_fraction": 0.1}, "patience needs a validation part"),
    ],
)
def test_where_several_settings_are_wrong_the_task_comes_first_and_the_parts_last(
    values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Settings.of(target="y", **values)


def test_what_nobody_chose_depends_on_what_was_chosen() -> None:
    plain = Settings.of(target="y")
    assert (plain.epochs, plain.test_fraction) == (100, 0.2)
    chosen = Settings.of(target="y", updates=5, valid="valid.csv")
    assert (chosen.epochs, chosen.test_fraction) == (None, None)


def test_a_language_model_learns_its_text_unless_a_target_is_named() -> None:
    assert Settings.of(task="language-model").target == "text"
    assert Settings.of(task="language-model", text="review").target == "review"
    assert Settings.of(task="language-model", target="y").target == "y"
    with pytest.raises(ConfigError, match="target"):
        Settings.of(task="classify")


def test_a_missing_target_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^target is not given: the field to predict\.$"):
        Settings.of(epochs=3)
