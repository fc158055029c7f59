"""Words and tags: in columns, and in folders with seq.in, seq.out and label."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drystone import Sequences
from drystone.core.errors import DataError
from drystone.readers import read

SNIPS = Path(__file__).parents[3] / "shared" / "data" / "snips"
WORD = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=6)
WORD = WORD.filter(lambda word: not word.startswith("\ufeff") and not word.startswith("-DOCSTART-"))
SENTENCES = st.lists(st.lists(st.tuples(WORD, WORD, WORD), min_size=1, max_size=5), min_size=1, max_size=5)


def words_of(seqs: Sequences, name: str) -> list[list[str]]:
    return [each[name].tolist() for each in seqs]


@given(
    sentences=SENTENCES,
    width=st.integers(1, 3),
    between=st.sampled_from(["\t", " ", "  "]),
    end=st.sampled_from(["\n", "\r\n"]),
    gap=st.integers(1, 2),
    ending=st.sampled_from([".conll", ".bio", ".iob.gz"]),
)
def test_columns_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    sentences: list[list[tuple[str, str, str]]],
    width: int,
    between: str,
    end: str,
    gap: int,
    ending: str,
) -> None:
    lines = ["-DOCSTART- -X- O", ""]
    for sentence in sentences:
        lines += [between.join(row[-width:]) for row in sentence] + [""] * gap
    path = tmp_path_factory.mktemp("columns") / f"train{ending}"
    content = end.join(lines).encode()
    path.write_bytes(gzip.compress(content) if ending.endswith(".gz") else content)
    seqs = read(path)
    names = {1: ("word",), 2: ("word", "tag"), 3: ("word", "column_2", "tag")}[width]
    assert seqs.field_names == names
    for at, name in enumerate(names, start=3 - width):
        assert words_of(seqs, name) == [[row[at] for row in sentence] for sentence in sentences]
    last = len(lines) - gap
    assert seqs.place(len(seqs) - 1, int(seqs.lengths[-1]) - 1).endswith(f"line {last} of {path.name}")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("EU B-ORG\n\nrejects\n", r"line 3 of t.conll has 1 columns; expected 2, as in the first: word, tag. It reads"),
        ("EU\tB-ORG\nNew York\tO\tB\n", "line 2 of t.conll has 3 columns; expected 2"),
        ("EU B-ORG\n# a comment\n", "line 2 of t.conll has 3 columns"),
        ("-DOCSTART- O\n\n", "t.conll holds no words"),
        ("\n\n", "t.conll is empty"),
    ],
)
def test_columns_that_do_not_fit_name_their_line(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "t.conll").write_text(content)
    with pytest.raises(DataError, match=words):
        read(tmp_path / "t.conll")


def test_words_between_tabs_may_hold_blanks(tmp_path: Path) -> None:
    (tmp_path / "t.bio").write_text("New York\tB-LOC\nis\tO\n")
    assert words_of(read(tmp_path / "t.bio"), "word") == [["New York", "is"]]


def test_words_are_no_documents(tmp_path: Path) -> None:
    (tmp_path / "t.conll").write_text("EU B-ORG\n")
    assert read(tmp_path / "t.conll", text="word").text is None
    with pytest.raises(DataError, match="text is 'wrod', which is not a column. Did you mean 'word'"):
        read(tmp_path / "t.conll", text="wrod")


def folder_of(folder: Path, **files: bytes | str | None) -> Path:
    names = {"words": "seq.in", "tags": "seq.out", "labels": "label"}
    for name, content in files.items():
        if content is not None:
            (folder / names[name]).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


@given(sentences=SENTENCES)
def test_folders_of_three_files_come_back(
    tmp_path_factory: pytest.TempPathFactory, sentences: list[list[tuple[str, str, str]]]
) -> None:
    words, tags = (["".join(f"{row[at]} " for row in sentence) for sentence in sentences] for at in (0, 1))
    labels = [sentence[0][2] for sentence in sentences]
    folder = tmp_path_factory.mktemp("slots")
    seqs = read(folder_of(folder, words="\n".join(words), tags="\r\n".join(tags), labels="\n".join(labels) + "\n"))
    assert seqs.field_names == ("word", "tag", "label")
    assert words_of(seqs, "word") == [[row[0] for row in sentence] for sentence in sentences]
    assert words_of(seqs, "tag") == [[row[1] for row in sentence] for sentence in sentences]
    assert seqs.field("label").values.tolist() == labels


def test_tags_and_labels_may_be_missing(tmp_path: Path) -> None:
    assert read(folder_of(tmp_path, words="play it\n")).field_names == ("word",)
    assert read(folder_of(tmp_path, labels="PlayMusic\n")).field_names == ("word", "label")


@pytest.mark.parametrize(
    ("words", "tags", "labels", "message"),
    [
        ("a b\nc d\n", "O O\nO\n", None, "line 2 of seq.in holds 2 words, and line 2 of seq.out 1 tags"),
        ("a\nb\n", "O\n", None, "seq.in has 2 lines and seq.out 1; expected one a sentence in each"),
        ("a\nb\n", None, "x\ny\nz\n", "seq.in has 2 lines and label 3"),
        ("a\nb\n", None, "x\n \n", "line 2 of label is blank"),
        ("a\n\nb\n", "O\n\nO\n", "x\n\nx\n", "sequence 1, line 2 of seq.in has length 0"),
        ("", None, None, "seq.in is empty"),
        (b"a\n\xe9\n", None, None, r"seq.in is not UTF-8: byte 0xe9 on line 2\..*--encoding latin-1"),
        ("a\n", b"\xe9\n", None, r"seq.out is not UTF-8: byte 0xe9 on line 1"),
    ],
)
def test_files_that_do_not_fit_together_name_their_line(
    tmp_path: Path, words: str, tags: str | None, labels: str | None, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(folder_of(tmp_path, words=words, tags=tags, labels=labels))


def test_other_encodings_and_empty_sentences(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, words=b"caf\xe9 x\n\n", tags=b"O B-\xe9\n\n", labels=b"l\n\n")
    seqs = read(folder, encoding="latin-1", on_empty="drop")
    assert [words_of(seqs, name) for name in ("word", "tag")] == [[["café", "x"]], [["O", "B-é"]]]
    assert seqs.dropped.tolist() == [1]
    (tmp_path / "t.conll").write_bytes(b"caf\xe9 O\n")
    assert words_of(read(tmp_path / "t.conll", encoding="cp1252"), "word") == [["café"]]
    with pytest.warns(UserWarning, match="documents .* has no effect on"):
        read(folder, encoding="latin-1", on_empty="drop", documents="lines")


@pytest.mark.skipif(not SNIPS.is_dir(), reason="needs the data sets of the project, which are not here")
def test_snips() -> None:
    parts = {name: read(SNIPS / name) for name in ("train", "valid", "test")}
    assert {name: (len(seqs), seqs.num_steps) for name, seqs in parts.items()} == {
        "train": (13_084, 117_700),
        "valid": (700, 6_384),
        "test": (700, 6_354),
    }
    train = parts["train"]
    assert (int(train.lengths.min()), int(train.lengths.max())) == (2, 35)
    assert len(np.unique(train.field("label").values.astype(str))) == 7
    assert len(np.unique(train.field("tag").values.astype(str))) == 72
    assert " ".join(train[1]["word"]) == "add step to me to the 50 clásicos playlist"
    assert train[1]["label"] == "AddToPlaylist"
