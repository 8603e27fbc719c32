"""Rules of texts as tokens: n-grams of characters and words, each on the characters that it covers."""

import numpy as np
import pytest

from models.features.sentiment.text import normalise, tokenise

BUCKETS = 2**18


def covered(text: str) -> list[str]:
    tokens = tokenise(text, BUCKETS, longest_text=100)
    return [tokens.text[first:past] for first, past in zip(tokens.first, tokens.past, strict=True)]


def test_width_case_and_spaces_do_not_matter() -> None:
    assert normalise("  Ｇｏｏｄ　 电影！ ") == "good 电影!"


def test_chinese_is_cut_into_runs_of_one_and_two_characters() -> None:
    assert covered("很无聊") == ["很", "无", "聊", "很无", "无聊"]


def test_a_word_of_letters_is_one_unit_with_its_inside_as_further_tokens() -> None:
    assert covered("Not good") == ["not", "good", "not good", *["good"] * 4]
    assert covered("don't 10")[:2] == ["don't", "10"]


def test_equal_words_have_equal_tokens_and_other_words_others() -> None:
    first, second = tokenise("书好", BUCKETS, 100), tokenise("好", BUCKETS, 100)
    assert first.bucket[1] == second.bucket[0] != first.bucket[0]
    assert tokenise("ab c", BUCKETS, 100).bucket[2] != tokenise("a bc", BUCKETS, 100).bucket[2]


def test_buckets_are_the_same_on_every_machine() -> None:
    assert tokenise("无聊", BUCKETS, 100).bucket.tolist() == [155418, 211818, 45421]


def test_a_text_without_anything_has_one_token_of_its_own() -> None:
    tokens = tokenise(" \n", BUCKETS, 100)
    assert tokens.bucket.tolist() == [0]
    assert 0 not in tokenise("什么都有 anything", BUCKETS, 100).bucket


def test_only_known_tokens_are_left_or_the_one_of_nothing() -> None:
    tokens = tokenise("很无聊", BUCKETS, 100)
    known = np.zeros(BUCKETS, dtype=np.bool_)
    assert tokens.among(known).bucket.tolist() == [0]
    assert tokens.among(known).past.tolist() == [3]
    known[tokens.bucket[4]] = True
    assert (tokens.among(known).first.tolist(), tokens.among(known).past.tolist()) == ([1], [3])


def test_what_follows_the_longest_text_is_not_read() -> None:
    assert tokenise("一二三四五", BUCKETS, 3).bucket.tolist() == tokenise("一二三", BUCKETS, 3).bucket.tolist()


@pytest.mark.parametrize("text", ["这部电影很无聊", "a very boring film", "无聊 boring 😀", ""])
def test_weights_of_tokens_are_weights_of_characters(text: str) -> None:
    tokens = tokenise(text, BUCKETS, 100)
    weight = np.random.default_rng(1).dirichlet(np.ones(len(tokens.bucket)))
    share = tokens.by_character(weight)
    assert share.shape == (len(tokens.text),)
    assert share.sum() == pytest.approx(1.0)


def test_a_token_weighs_on_its_own_characters_in_equal_parts() -> None:
    tokens = tokenise("很无聊", BUCKETS, 100)
    weight = np.zeros(5)
    weight[[1, 4]] = 0.5  # 无, 无聊
    assert tokens.by_character(weight) == pytest.approx([0.0, 0.75, 0.25])
