"""CSV and TSV files."""

import gzip
import io
import subprocess
import sys

import numpy as np
import pytest

from drystone.core.errors import DataError
from drystone.readers import read


def write(folder, text, name="p.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_integers_may_become_floats_after_the_first_block(tmp_path):
    buffer = io.StringIO("id,v\n")
    buffer.seek(0, io.SEEK_END)
    buffer.writelines("7,1000000\n" for _ in range(250_000))
    buffer.write("7,0.5\n")
    seqs = read(write(tmp_path, buffer.getvalue()), sequence_id="id")
    assert seqs.field("v").values[-1] == 0.5
    assert seqs.num_steps == 250_001


def test_a_row_may_be_longer_than_a_block(tmp_path):
    values = list(range(300_000))
    seqs = read(write(tmp_path, f'x,y\n"{values}",a\n[1],b\n'))
    np.testing.assert_array_equal(seqs[0]["x"], values)


def test_json_lists_become_steps(tmp_path):
    seqs = read(write(tmp_path, 'x,y\n"[1, 2.5]",a\n"[ ]",b\n[3],c\n'), on_empty="drop")
    assert [list(seqs[i]["x"]) for i in range(2)] == [[1.0, 2.5], [3.0]]
    assert list(seqs.dropped) == [1]


def test_a_list_that_is_no_json_names_its_line(tmp_path):
    with pytest.raises(DataError, match=r"'x' should hold JSON lists.*line 3 of p.csv is not JSON"):
        read(write(tmp_path, "x,y\n[1],a\n[1. 2.],b\n"))


def test_texts_in_brackets_stay_text(tmp_path):
    seqs = read(write(tmp_path, "id,word\n1,[UNK]\n1,[PAD]\n"), sequence_id="id")
    assert list(seqs[0]["word"]) == ["[UNK]", "[PAD]"]


@pytest.mark.parametrize("line", ["1", "1,2,3"])
def test_a_wrong_number_of_values_names_the_line(tmp_path, line):
    with pytest.raises(DataError, match=rf"line 5 of p.csv holds {line.count(',') + 1} values; expected 2"):
        read(write(tmp_path, f"id,v\n1,2\n\n1,3\n{line}\n1,4\n"), sequence_id="id")


def test_rows_are_counted_where_values_span_lines(tmp_path):
    seqs = read(write(tmp_path, 'id,v\n1,"a\nb"\n1,c\n'), sequence_id="id")
    assert list(seqs[0]["v"]) == ["a\nb", "c"]
    assert seqs.origin.where(1, 0) == "row 2 of p.csv"


@pytest.mark.parametrize("text", ["id,v\r\n1,2\r\n\r\n1,3\r\n", "\n\nid,v\n1,2\n1,3"])
def test_blank_lines_and_returns_keep_line_numbers(tmp_path, text):
    seqs = read(write(tmp_path, text), sequence_id="id")
    line = int(seqs.origin.where(1, 0).split()[1])
    assert text.splitlines()[line - 1] == "1,3"


def test_byte_order_mark_tabs_and_gzip(tmp_path):
    plain = b"id\tv\n1\t2\n"
    for path in (
        write(tmp_path, b"\xef\xbb\xbf" + plain, "a.tsv"),
        write(tmp_path, gzip.compress(plain), "b.tsv.gz"),
        write(tmp_path, gzip.compress(plain.replace(b"\t", b",")), "C.CSV.GZ"),
    ):
        assert read(path, sequence_id="id").field_names == ("v", "id")


@pytest.mark.parametrize("text", ["id,v\n1,è\n".encode("latin-1"), "idé,v\n1,2\n".encode("latin-1")])
def test_other_encodings_are_named(tmp_path, text):
    with pytest.raises(DataError, match=r"not UTF-8: byte 0xe\d on line [12]\. Save it as UTF-8"):
        read(write(tmp_path, text), sequence_id="id")


@pytest.mark.parametrize(("text", "words"), [("", "is empty"), ("\n\n", "is empty"), ("id,v\n", "no rows")])
def test_files_without_data(tmp_path, text, words):
    with pytest.raises(DataError, match=words):
        read(write(tmp_path, text), sequence_id="id")


def test_types_are_inferred(tmp_path):
    text = "id,day,time,flag,empty,v\n1,2024-01-02,12:30:00,true,,1\n1,,13:00:00,false,,\n"
    seqs = read(write(tmp_path, text), sequence_id="id")
    kinds = {name: seqs.field(name).column.type_name for name in seqs.step_columns}
    assert kinds == {"day": "datetime64[s]", "time": "text", "flag": "bool", "empty": "float64", "v": "float64"}


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = write(tmp_path, "id,v\n1,2\n")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pyarrow.input_stream", refuse)
    with pytest.raises(DataError, match=r"cannot read p.csv: Permission denied"):
        read(path, sequence_id="id")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("id;t;a\np;0;1,5\np;1;\n", [1.5, float("nan")]),
        ("id;t;a\np;0;1.5\np;1;2\n", [1.5, 2.0]),
        ("id\tt\ta\np\t0\t1.5\np\t1\t2\n", [1.5, 2.0]),
    ],
)
def test_semicolons_tabs_and_decimal_commas(tmp_path, text, values):
    path = tmp_path / "s.csv"
    path.write_text(text)
    np.testing.assert_array_equal(read(path, sequence_id="id", order_by="t")[0]["a"], values)


@pytest.mark.parametrize("text", ["", "\n", "\r\n\n", "\ufeff"])
def test_files_without_a_word_are_empty(tmp_path, text):
    path = tmp_path / "s.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=r"s.csv is empty"):
        read(path, sequence_id="id")


def test_a_program_that_read_a_csv_ends_in_peace(tmp_path):
    """Arrow's threads once let go of memory of Python's while the interpreter ended, and brought it down."""
    path = tmp_path / "s.csv"
    path.write_text("id,t,a\n" + "".join(f"{k // 9},{k},0.5\n" for k in range(900)))
    code = f"import sys, drystone as ds; ds.read({str(path)!r}, sequence_id='id', order_by='t'); sys.exit(2)"
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (2, b"")
