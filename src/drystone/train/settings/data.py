"""Settings of the data: what is predicted, from which fields, and how they are read."""

from typing import Any, Literal

from pydantic import field_validator

from drystone.readers.options import Documents, Duplicates, check_encoding
from drystone.train.bio import OnBroken
from drystone.train.features.calendar import PartName
from drystone.train.features.wishes import Missing, TextWishes, Tokens, Wishes
from drystone.train.settings.setting import DATA, SomeSettings, setting

TaskName = Literal["classify", "regress", "tag", "joint", "forecast", "language-model"]


class DataSettings(SomeSettings):
    """What is learned from what, but for the parts of the data: see `PartSettings`."""

    data: str | None = setting(
        None, DATA, "the file, or the name of the built-in data set, that sequences are read from"
    )
    target: str = setting(..., DATA, "the field to predict")
    task: TaskName | None = setting(
        None,
        DATA,
        "classify, regress: a class, numbers a sequence; tag: at every step; joint: both; forecast: what comes next; language-model: the next token; by default what suits",
    )
    horizon: int | None = setting(None, DATA, "forecast: how many steps ahead", ge=1)
    season: int | None = setting(
        None, DATA, "forecast: steps of a season; found from regular timestamps by default", rare=True, ge=1
    )
    ahead: int | None = setting(None, DATA, "tag: how many steps later the target is", ge=1)
    bio: OnBroken | None = setting(
        None,
        DATA,
        "tag, joint: what becomes of tags that break BIO: count (and warn); mend: I- becomes B-; error",
        rare=True,
    )
    features: tuple[str, ...] | None = setting(
        None, DATA, "input fields; by default numbers that change, and text of few values", strict=False
    )
    categories: tuple[str, ...] | None = setting(
        None, DATA, "features of whole numbers or bools that are categories; text is anyway", strict=False
    )
    calendar: tuple[PartName, ...] | None = setting(
        None, DATA, "more features, of the timestamps of order_by: minute, hour, weekday, yearday", strict=False
    )
    known_ahead: tuple[str, ...] | None = setting(
        None, DATA, "forecast: features, or parts of the calendar, known for the whole horizon", rare=True, strict=False
    )
    max_steps: int | None = setting(
        None,
        DATA,
        "classify, regress, joint: the first so many steps (of documents, tokens) of a sequence are read; all by default",
        rare=True,
        ge=1,
    )
    missing: Missing = setting(
        "error",
        DATA,
        "what to do with missing values of features: error; ffill: the last one before; indicator: tell the model",
    )
    tokens: Tokens | None = setting(None, DATA, "what documents are cut to: words (by default), characters, bpe")
    vocabulary_size: int | None = setting(
        None, DATA, "text: the most tokens, the most frequent ones; all by default", rare=True, ge=3
    )
    min_count: int = setting(1, DATA, "text: tokens that training has less often are unknown", rare=True, ge=1)
    lowercase: bool = setting(False, DATA, "text: whether it is lowered", rare=True)
    spelling: bool = setting(False, DATA, "text: whether words are read letter by letter too", rare=True)
    sequence_id: str | None = setting(None, DATA, "for one step a row: the column that tells sequences apart")
    order_by: str | None = setting(
        None, DATA, "the column that orders steps; alone, for one step a row, it makes all rows one series"
    )
    duplicates: Duplicates | None = setting(
        None, DATA, "steps of one sequence at the same time: first, mean, error; by default all are kept"
    )
    text: str | None = setting(
        None,
        DATA,
        "the field of text: documents, one a row, or words, one a step",
    )
    documents: Documents | None = setting(
        None, DATA, "of plain text files, what a document is: file (by default), lines", rare=True
    )
    encoding: str | None = setting(None, DATA, "of text files, such as latin-1; UTF-8 by default", rare=True)
    drop_empty: bool = setting(False, DATA, "whether sequences of 0 steps are left out, not refused")

    @property
    def wishes(self) -> Wishes:
        """What is said of the inputs."""
        return Wishes(
            names=self.features,
            categories=self.categories or (),
            calendar=self.calendar or (),
            missing=self.missing,
            known_ahead=self.known_ahead or (),
            horizon=self.horizon or 0,
            text=TextWishes(
                name=self.text,
                tokens=self.tokens,
                size=self.vocabulary_size,
                min_count=self.min_count,
                lowercase=self.lowercase,
                spelling=self.spelling,
                max_tokens=self.max_steps,
            ),
        )

    @field_validator("features", "categories", "calendar", "known_ahead", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        if value is not None:
            check_encoding(value)
        return value
