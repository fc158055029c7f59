"""Which tokens a vocabulary has, in which order: against counting in plain Python; and what it refuses."""

import os
import pickle
import random
import re
import subprocess
import sys
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.text.kinds import KINDS

OWN = ["<pad>", "<unk>"]
ascii_texts = st.lists(st.text(alphabet="abAB '.,!_-3 \n", max_size=30), min_size=1, max_size=8)
words = st.lists(st.text(max_size=3) | st.sampled_from(["<pad>", "<unk>", "<<unk>", "a b"]), min_size=1, max_size=30)


def by_count(tokens: list[str], min_count: int = 1) -> list[str]:
    counts = Counter(tokens)
    return [
        token for token, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if count >= min_count
    ]


def cut(kind: str, texts: list[str]) -> list[str]:
    """The tokens of texts in ASCII, by plain Python."""
    pattern = {"words": r"[^\W_]+|_|[^\w\s]", "characters": r"(?s:.)"}[kind]
    return [token for text in texts for token in re.findall(pattern, text)]


@given(ascii_texts, st.sampled_from(["words", "characters"]), st.booleans(), st.integers(1, 3))
def test_tokens_of_documents_stand_by_count_and_then_by_their_characters(
    texts: list[str], kind: str, lowercase: bool, min_count: int
) -> None:
    found = cut(kind, [text.lower() for text in texts] if lowercase else texts)
    expected = by_count(found, min_count)
    if not expected:
        with pytest.raises(ds.DataError, match="holds no token|no token is counted"):
            ds.Vocabulary.train(texts, kind=kind, lowercase=lowercase, min_count=min_count)
        return
    vocabulary = ds.Vocabulary.train(texts, kind=kind, lowercase=lowercase, min_count=min_count)
    assert vocabulary.tokens.to_pylist() == OWN + expected
    assert vocabulary.first_rare == 2 + sum(Counter(found)[token] > 1 for token in expected)


@given(words, st.integers(0, 3))
def test_given_words_are_tokens_as_they_are(texts: list[str], rare_count: int) -> None:
    vocabulary = ds.Vocabulary.train(texts, kind="given", rare_count=rare_count)
    assert vocabulary.tokens.to_pylist() == OWN + by_count(texts)
    ids = {token: number for number, token in enumerate(by_count(texts), start=2)}
    asked = [*texts, "never seen"]
    assert vocabulary.ids_of(asked).tolist() == [ids.get(word, 1) for word in asked]
    assert vocabulary.tokens_of(vocabulary.ids_of(texts)) == texts
    assert all(word in vocabulary for word in texts)
    rare = {token for token, count in Counter(texts).items() if count <= rare_count}
    assert set(vocabulary.tokens.to_pylist()[vocabulary.first_rare :]) == rare


def test_given_words_may_be_lowered() -> None:
    vocabulary = ds.Vocabulary.train(["Play", "play", "<UNK>", "İ"], kind="given", lowercase=True)
    assert vocabulary.tokens.to_pylist() == [*OWN, "play", "<unk>", "i"]
    assert vocabulary.ids_of(["PLAY", "<Unk>", "I", "stop", "play"]).tolist() == [2, 3, 4, 1, 2]


@pytest.mark.parametrize("kind", KINDS)
def test_what_reads_like_a_token_of_our_own_is_none(kind: str) -> None:
    texts = ["<unk> <pad> <unk>", "<unk><pad>", "<unk>", "<pad>", "<<unk>"]
    vocabulary = ds.Vocabulary.train(texts * 3, kind=kind, min_count=2)
    ids = vocabulary.ids_of(texts) if kind == "given" else vocabulary.encode_documents(texts).ids
    assert ids.min() > 1
    assert ("<unk>" in vocabulary) == (kind == "given")


@pytest.mark.parametrize("kind", KINDS)
def test_order_of_texts_threads_and_machine_do_not_matter(kind: str) -> None:
    texts = [f"{a}{b} {b}{a}{a}" for a in "ab<é😀" for b in "xyab"] * 2
    vocabulary = ds.Vocabulary.train(texts, kind=kind, size=290)
    shuffled = random.Random(0).sample(texts, len(texts))
    assert ds.Vocabulary.train(shuffled, kind=kind, size=290) == vocabulary
    code = f"import drystone as ds; print(ascii(ds.Vocabulary.train({shuffled!r}, kind={kind!r}, size=290).to_json()))"
    elsewhere = {**os.environ, "PYTHONHASHSEED": "7", "TOKENIZERS_PARALLELISM": "false"}
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=elsewhere)
    assert printed.stdout.rstrip() == ascii(vocabulary.to_json())


def test_a_size_keeps_the_most_frequent_tokens() -> None:
    vocabulary = ds.Vocabulary.train(["b b b a a c"], kind="words", size=4)
    assert vocabulary.tokens.to_pylist() == [*OWN, "b", "a"]
    assert len(vocabulary) == vocabulary.first_rare == 4
    pairs = ds.Vocabulary.train(["xyz xy axy"], kind="bpe", size=259)
    assert len(pairs) == 259
    assert "xy" in pairs


def test_byte_pairs_that_come_too_seldom_are_not_joined() -> None:
    vocabulary = ds.Vocabulary.train(["ab ab ab xy"], kind="bpe", min_count=2)
    assert "ab" in vocabulary
    assert "xy" not in vocabulary


def test_texts_come_as_arrays_lists_and_fields() -> None:
    expected = ds.Vocabulary.train(["a", "b", "a"], kind="given")
    seqs = ds.Sequences.from_arrays(per_step={"word": [["a", "b"], ["a"]]})
    as_array = np.array(["a", "b", "a"])
    chunks = pa.chunked_array([["a", "b"], ["a"]])
    for texts in (as_array, as_array.astype(object), chunks, chunks.dictionary_encode(), seqs.field("word")):
        assert ds.Vocabulary.train(texts, kind="given") == expected
    assert ds.Vocabulary.train(["a\0"], kind="given").tokens_of([2]) == ["a\0"]


def test_equal_vocabularies_are_one_key_and_survive_a_pickle() -> None:
    vocabulary = ds.Vocabulary.train(["a b"], kind="words")
    again = pickle.loads(pickle.dumps(vocabulary))
    assert again == vocabulary
    assert len({again, vocabulary}) == 1
    assert vocabulary != ds.Vocabulary.train(["a b"], kind="words", rare_count=0)
    assert vocabulary != "a b"
    assert again.encode_documents(["b c"]).ids.tolist() == [3, 1]


def test_repr_and_membership() -> None:
    vocabulary = ds.Vocabulary.train(["a a b"], kind="words")
    assert repr(vocabulary) == "Vocabulary(words: 4 tokens, 1 of them rare)"
    assert "a" in vocabulary
    assert "<pad>" not in vocabulary
    assert 3 not in vocabulary


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        ([" ", "\n"], {"kind": "words"}, "the training part holds no token; a vocabulary needs one at least."),
        ([], {"kind": "given"}, "holds no token"),
        ([""], {"kind": "bpe"}, "holds no token"),
        ([""], {"kind": "characters"}, "holds no token"),
        (["b a b"], {"kind": "words", "min_count": 3}, "min_count=3 times; the most frequent one, 'b', is counted 2 times"),
        (["a"], {"kind": "words", "size": 2}, "size is 2; padding, the unknown word and one token need at least 3."),
        (["a"], {"kind": "bpe", "size": 257}, "and all 256 bytes need at least 258"),
        (["a"], {"kind": "words", "min_count": 0}, "min_count is 0; expected 1 or more"),
        (["a"], {"kind": "words", "rare_count": -1}, "rare_count is -1; expected 0"),
        (["a"], {"kind": "subwords"}, "no vocabularies of kind 'subwords'; there are: words, characters, bpe, given."),
        ("a text", {"kind": "words"}, "texts is one string; expected several. Put it into a list."),
        (["a", None], {"kind": "words"}, "texts: value 1 is missing"),
        (["a", 3], {"kind": "given"}, "no text that can be written as UTF-8"),
        (["a", "\ud800"], {"kind": "given"}, "no text that can be written as UTF-8"),
        (pa.array([1, 2]), {"kind": "given"}, "expected text; got the Arrow type int64"),
        (7, {"kind": "given"}, "expected texts; got 7"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_on_is_told(texts: object, options: dict[str, object], message: str) -> None:
    with pytest.raises(ds.DataError, match=re.escape(message)):
        ds.Vocabulary.train(texts, **options)


def test_documents_and_given_words_are_not_mixed_up() -> None:
    with pytest.raises(ds.DataError, match="cuts no documents; use ids_of"):
        ds.Vocabulary.train(["a"], kind="given").encode_documents(["a"])
    with pytest.raises(ds.DataError, match="words cuts documents itself; use encode_documents"):
        ds.Vocabulary.train(["a"], kind="words").ids_of(["a"])
    with pytest.raises(ds.DataError, match="words: value 1 is missing"):
        ds.Vocabulary.train(["a"], kind="given").ids_of(pa.array(["a", None]))
