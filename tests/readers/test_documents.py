"""Documents in tables and in plain text files, whole and by lines, alone and in folders."""

import gzip
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import csv

from drystone.core.documents import documents_of
from drystone.core.errors import DataError
from drystone.readers import read
from drystone.readers.like import read_like

ALPHABET = st.one_of(st.characters(codec="utf-8"), st.sampled_from('é\u0301\u0000\n\u2028\U0001f600 a",[]'))
DOCUMENT = st.text(ALPHABET, max_size=12).map(lambda text: f"{text}x")
DOCUMENTS = st.lists(DOCUMENT, min_size=1, max_size=6)
TINYSHAKESPEARE = Path(__file__).parents[3] / "shared" / "data" / "tinyshakespeare" / "input.txt"


def documents_in(source: Any, **how: Any) -> list[str]:
    return documents_of(read(source, **how)).to_pylist()


def write_jsonl(table: pa.Table, path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()), encoding="utf-8")


def write_arrow(table: pa.Table, path: Path) -> None:
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)


WRITERS = {"d.parquet": pq.write_table, "d.arrow": write_arrow, "d.jsonl": write_jsonl}


@pytest.mark.parametrize("name", list(WRITERS))
@given(documents=DOCUMENTS)
def test_a_row_of_a_table_is_a_document(
    tmp_path_factory: pytest.TempPathFactory, name: str, documents: list[str]
) -> None:
    table = pa.table({"label": ["a"] * len(documents), "review": documents, "n": np.arange(len(documents))})
    path = tmp_path_factory.mktemp("tables") / name
    WRITERS[name](table, path)
    for source in (path, table, table.to_pandas()):
        seqs = read(source, text="review")
        assert seqs.text == "review"
        assert seqs.lengths.tolist() == [len(document) for document in documents]
        assert documents_of(seqs).to_pylist() == documents
        assert tuple(seqs.sequence_columns) == ("label", "n")


@given(documents=st.lists(DOCUMENT.map(lambda text: text.replace("\r", "").replace("\0", "")), min_size=1, max_size=6))
def test_a_row_of_a_csv_file_is_a_document(tmp_path_factory: pytest.TempPathFactory, documents: list[str]) -> None:
    path = tmp_path_factory.mktemp("tables") / "d.csv"
    csv.write_csv(pa.table({"review": documents, "n": range(len(documents))}), path)
    assert documents_in(path, text="review") == documents


def test_documents_of_csv_files_that_look_like_numbers_or_lists_stay_text(tmp_path: Path) -> None:
    for number, documents in enumerate((["12", "3.5"], ["[1, 2]", "[3]"], ["true", "false"], ["2024-01-01", "NA"])):
        path = tmp_path / f"{number}.csv"
        csv.write_csv(pa.table({"review": documents, "x": [1, 2]}), path)
        assert documents_in(path, text="review") == documents


def test_documents_may_be_categories_of_pandas_or_strings_of_views() -> None:
    frame = pd.DataFrame({"t": pd.Categorical(["ab", "c", "ab"]), "y": [1, 2, 3]})
    assert documents_in(frame, text="t") == ["ab", "c", "ab"]
    assert documents_in(pa.table({"t": pa.array(["ab", "c"]).cast(pa.string_view())}), text="t") == ["ab", "c"]


def test_lists_beside_documents_are_vectors_of_sequences() -> None:
    seqs = read(pa.table({"t": ["ab", "c"], "v": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]}), text="t")
    assert seqs.field("v").item_shape == (3,)
    assert not seqs.field("v").per_step


def test_a_table_without_a_key_is_told_of_text(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("label,review\na,good\n")
    with pytest.raises(DataError, match=r"such as text='review' \(--text review\)\. The columns are"):
        read(path)
    with pytest.raises(DataError, match=r"\(--order-by\)\. The columns are: x"):
        read(pa.table({"x": [1, 2]}))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("r.jsonl", '{"t": "a"}\n\n{"t": null}\n', "line 3 of r.jsonl has no value in column 't'"),
        ("r.csv", "t,x\na,1\n ,2\n", "sequence 1, line 3 of r.csv has length 0"),
        ("r.csv", "u\na\n", "text is 't', which is not a column. Did you mean 'u'|The columns are: u"),
        ("r.jsonl", '{"t": 3}\n', "text is 't', which holds int64; expected a column of texts"),
        ("r.jsonl", '{"t": [1, 2]}\n', "text is 't', which holds int64"),
    ],
)
def test_what_is_no_document_is_named(tmp_path: Path, name: str, content: str, words: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=words):
        read(tmp_path / name, text="t")


def test_a_missing_document_in_memory_names_its_row() -> None:
    with pytest.raises(DataError, match="row 1 has no value in column 't'"):
        read(pa.table({"t": ["a", None]}), text="t")


def test_a_table_whose_documents_became_words_has_no_key() -> None:
    table = pa.table(read(pa.table({"t": ["so so"], "y": [1]}), text="t"))
    assert read(table).text == "t"
    words = table.set_column(0, "t", pa.array([["so", "so"]]))
    assert read(words).text is None
    assert read(table.drop_columns(["t"]).append_column("x", pa.array([[1, 2]]))).text is None


def test_keys_of_documents(tmp_path: Path) -> None:
    table = pa.table({"id": ["p", "q"], "t": ["ab", "c"], "when": [1, 2]})
    seqs = read(table, text="t", sequence_id="id")
    assert seqs.place(1) == "sequence 1 (id 'q')"
    with pytest.raises(DataError, match="order_by is 'when', which has no single value a step"):
        read(table, text="t", order_by="when")
    with pytest.raises(DataError, match="column 't' is named twice"):
        read(table, text="t", sequence_id="t")


@given(document=DOCUMENT.filter(lambda text: not text.startswith("\ufeff")), mark=st.booleans())
def test_a_text_file_is_a_document(tmp_path_factory: pytest.TempPathFactory, document: str, mark: bool) -> None:
    folder = tmp_path_factory.mktemp("texts")
    content = document.encode("utf-8-sig" if mark else "utf-8")
    (folder / "d.txt").write_bytes(content)
    (folder / "d.txt.gz").write_bytes(gzip.compress(content))
    (folder / "u.txt").write_bytes(document.encode("utf-16"))
    assert documents_in(folder / "d.txt") == [document]
    assert documents_in(folder / "d.txt.gz", documents="file", text="review") == [document]
    assert documents_in(folder / "u.txt", encoding="utf-16") == [document]


@given(
    lines=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), max_size=6), max_size=6),
    end=st.sampled_from(["\n", "\r\n"]),
    has_end=st.booleans(),
)
def test_lines_may_be_documents(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], end: str, has_end: bool
) -> None:
    path = tmp_path_factory.mktemp("texts") / "d.txt"
    lines = ["first", *lines, "last"]
    path.write_bytes((end.join(lines) + (end if has_end else "")).encode())
    is_there = [bool(line.strip()) and not all(map(str.isspace, line)) for line in lines]
    seqs = read(path, documents="lines", on_empty="drop")
    found = documents_of(seqs).to_pylist()
    assert found == [line for line, there in zip(lines, is_there, strict=True) if there]
    assert seqs.place(len(seqs) - 1).endswith(f"line {len(lines)} of d.txt")


def test_a_blank_line_is_an_empty_document(tmp_path: Path) -> None:
    (tmp_path / "d.txt").write_text("one\n \t\nthree\n")
    with pytest.raises(DataError, match=r"sequence 1, line 2 of d.txt has length 0.*--drop-empty"):
        read(tmp_path / "d.txt", documents="lines")
    assert read(tmp_path / "d.txt", documents="lines", on_empty="drop").dropped.tolist() == [1]


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(content.encode())
    return folder


def test_a_folder_has_a_document_a_file(tmp_path: Path) -> None:
    folder = write(tmp_path / "corpus", {"b.TXT": "second", "a.txt": "first\n", ".hidden.txt": "x", "notes.md": "x"})
    seqs = read(folder)
    assert documents_of(seqs).to_pylist() == ["first\n", "second"]
    assert seqs.field("file").values.tolist() == ["a.txt", "b.TXT"]
    assert seqs.field_names == ("text", "file")
    assert seqs.place(1) == "sequence 1, b.TXT"
    assert read(folder, sequence_id="file").place(1) == "sequence 1 (file 'b.TXT'), b.TXT"


def test_the_folder_one_is_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write(tmp_path / "corpus", {"a/1.txt": "x", "2.txt": "x"}))
    assert read(".").remarks == ("left out 1 text file beside the folders of corpus: 2.txt",)


def test_the_folders_of_a_folder_are_labels(tmp_path: Path) -> None:
    files = {"pos/1.txt": "good", "pos/2.txt": "very good", "neg/1.txt": "bad", "urls_pos.txt": "http"}
    seqs = read(write(tmp_path / "train", files), text="review")
    assert seqs.field("file").values.tolist() == ["neg/1.txt", "pos/1.txt", "pos/2.txt"]
    assert seqs.field("label").values.tolist() == ["neg", "pos", "pos"]
    assert documents_of(seqs).to_pylist() == ["bad", "good", "very good"]
    assert seqs.text == "review"
    assert seqs.remarks == ("left out 1 text file beside the folders of train: urls_pos.txt",)


def test_lines_of_all_files_of_a_folder(tmp_path: Path) -> None:
    files = {"neg/a.txt": "bad\nworse\n", "neg/b.txt": "", "pos/c.txt": "good\n\nbetter"}
    folder = write(tmp_path / "train", files)
    seqs = read(folder, documents="lines", on_empty="drop")
    assert documents_of(seqs).to_pylist() == ["bad", "worse", "good", "better"]
    assert seqs.field("file").values.tolist() == ["neg/a.txt"] * 2 + ["pos/c.txt"] * 2
    assert seqs.field("label").values.tolist() == ["neg", "neg", "pos", "pos"]
    assert [seqs.place(at) for at in (1, 3)] == ["sequence 1, line 2 of neg/a.txt", "sequence 3, line 3 of pos/c.txt"]
    with pytest.raises(DataError, match="sequence 3, line 2 of pos/c.txt has length 0"):
        read(folder, documents="lines")
    with pytest.raises(DataError, match="sequence 1, neg/b.txt has length 0"):
        read(folder)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.md": "x"}, "corpus is a folder; give one of the files in it. A folder is read where"),
        ({"a/b/c.txt": "x"}, "a/b/c.txt lies too deep"),
        ({"a/b/c/d.txt": "x", "a/.b/c.txt": "x"}, "corpus is a folder"),
        ({"a.txt": " ", "b.txt": "\n"}, "every sequence has length 0|sequence 0, a.txt has length 0"),
    ],
)
def test_folders_that_are_no_documents(tmp_path: Path, files: dict[str, str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        read(write(tmp_path / "corpus", files))


LATIN = {
    "d.txt": b"one\ntwo \xe9",
    "d.csv": b"text,y\na,1\n\xe9,2\n",
    "d.tsv": b"text\ty\n\xe9\t2\n",
    "d.jsonl": b'{"text": "a"}\n{"text": "\xe9"}\n',
}


@pytest.mark.parametrize("name", list(LATIN))
def test_other_encodings_are_named_and_read(tmp_path: Path, name: str) -> None:
    content = LATIN[name]
    line = content.count(b"\n", 0, content.index(b"\xe9")) + 1
    (tmp_path / name).write_bytes(content)
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match=rf"not UTF-8: byte 0xe9 on line {line}\..*--encoding latin-1"):
        read(tmp_path / name, text="text")
    for path in (tmp_path / name, tmp_path / f"{name}.gz"):
        assert documents_in(path, text="text", encoding="latin-1")[-1].endswith("é")
    with pytest.raises(DataError, match=rf"{name} is not ASCII: byte 0xe9 on line {line}\."):
        read(tmp_path / name, text="text", encoding="ascii")


def test_encodings_that_there_are_not(tmp_path: Path) -> None:
    (tmp_path / "d.txt").write_bytes("ü".encode("utf-16"))
    with pytest.raises(DataError, match=r"byte 0xff on line 1\..*--encoding utf-16"):
        read(tmp_path / "d.txt")
    with pytest.raises(DataError, match="encoding is 'latin-l', which names none"):
        read(tmp_path / "d.txt", encoding="latin-l")
    with pytest.raises(DataError, match="encoding is 'base64'"):
        read(tmp_path / "d.txt", encoding="base64")
    with pytest.raises(DataError, match="documents must be"):
        read(tmp_path / "d.txt", documents="words")


def test_options_without_effect_are_told(tmp_path: Path) -> None:
    table = pa.table({"text": ["ab"], "y": [1]})
    pq.write_table(table, tmp_path / "d.parquet")
    with pytest.warns(UserWarning, match=r"encoding \(--encoding\) has no effect on d.parquet"):
        read(tmp_path / "d.parquet", text="text", encoding="latin-1")
    with pytest.warns(UserWarning, match=r"documents \(--documents\) has no effect on a table in memory"):
        read(table, text="text", documents="lines")


def test_data_like_others_need_not_have_their_form(tmp_path: Path) -> None:
    known = {"text": "review", "documents": "lines", "encoding": "latin-1", "sequence_id": "id", "order_by": None}
    (tmp_path / "d.txt").write_bytes(b"caf\xe9\nbar\n")
    pq.write_table(pa.table({"review": ["a", "b"]}), tmp_path / "d.parquet")
    pq.write_table(pa.table({"review": ["a", "b"], "id": [1, 2]}), tmp_path / "with_ids.parquet")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [read_like(tmp_path / name, known) for name in ("d.txt", "d.parquet", "with_ids.parquet")]
    assert [documents_of(seqs).to_pylist() for seqs in found] == [["café", "bar"], ["a", "b"], ["a", "b"]]
    assert [(seqs.text, seqs.sequence_id) for seqs in found] == [("review", None), ("review", None), ("review", "id")]
    with pytest.raises(DataError, match="there is no file"):
        read_like(tmp_path / "none.txt", known)


@pytest.mark.skipif(not TINYSHAKESPEARE.exists(), reason="needs the data sets of the project, which are not here")
def test_tiny_shakespeare() -> None:
    seqs = read(TINYSHAKESPEARE)
    assert seqs.lengths.tolist() == [1_115_394]
    assert documents_of(seqs)[0].as_py() == TINYSHAKESPEARE.read_text(encoding="utf-8")
    lines = read(TINYSHAKESPEARE, documents="lines", on_empty="drop")
    assert (len(lines), len(lines.dropped)) == (32_777, 7_223)
