"""Settings of the parts of the data: what trains, what validates, what tests."""

from typing import Any, Literal

from pydantic import model_validator

from drystone.train.settings.setting import DATA, SomeSettings, setting

SplitName = Literal["random", "time"]
TEST_FRACTION = 0.2  # where no field and no file states the parts
PART_FIELD = "drystone.part"  # the field that says of each sequence which of the files of a run it is from


class PartSettings(SomeSettings):
    """Which parts the data have, drawn or stated."""

    valid: str | None = setting(None, DATA, "the file of the validation part; DATA then trains")
    test: str | None = setting(None, DATA, "the file of the test part; DATA then trains")
    split_column: str | None = setting(None, DATA, "a field that says train, valid or test of each sequence")
    split: SplitName | None = setting(
        None,
        DATA,
        "how parts are drawn: random, or time: the last sequences for the test (needs order_by)",
        rare=True,
    )
    group: str | None = setting(None, DATA, "a field, such as patient, whose sequences of equal value stay in one part")
    valid_fraction: float = setting(
        0.0,
        DATA,
        "share of sequences (forecast: of time) for validation; of the training part, where parts are stated",
        ge=0,
        lt=1,
    )
    test_fraction: float | None = setting(
        None, DATA, "share of sequences (forecast: of time) for the test; 0.2 unless parts are stated", ge=0, lt=1
    )
    context: int | None = setting(
        None,
        DATA,
        "forecast: steps before validation and test that warm up the state; by default the whole past",
        rare=True,
        ge=1,
    )

    @property
    def part_field(self) -> str | None:
        """The field that says of each sequence which part it belongs to, if there is one."""
        return PART_FIELD if self.valid is not None or self.test is not None else self.split_column

    @property
    def parts_are_stated_by(self) -> str:
        """The settings that state the parts, in words: "split_column", or "valid" and "test"."""
        return " and ".join(name for name in ("split_column", "valid", "test") if getattr(self, name) is not None)

    @property
    def has_validation(self) -> bool:
        """Whether there is a validation part."""
        return self.split_column is not None or self.valid is not None or bool(self.valid_fraction)

    @model_validator(mode="before")
    @classmethod
    def _draw_a_test(cls, values: dict[str, Any]) -> dict[str, Any]:
        if all(values.get(name) is None for name in ("split_column", "valid", "test", "test_fraction")):
            values = values | {"test_fraction": TEST_FRACTION}
        return values

    def _check_parts(self) -> None:
        stated = {
            name: value for name in ("valid", "test", "split_column") if (value := getattr(self, name)) is not None
        }
        if stated and self.test_fraction:
            name, value = next(iter(stated.items()))
            raise ValueError(f"{name} is {value!r}, which states the parts; leave out test_fraction.")
        if self.split_column is not None and len(stated) > 1:
            raise ValueError(
                f"give either split_column or {' and '.join(name for name in stated if name != 'split_column')}."
            )
        if self.valid is not None and self.valid_fraction:
            raise ValueError(f"valid is {self.valid!r}, which is the validation part; leave out valid_fraction.")
        if self.valid_fraction + (self.test_fraction or 0.0) >= 1:
            raise ValueError("valid_fraction and test_fraction together must leave something to train on.")
