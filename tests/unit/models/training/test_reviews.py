"""Rules of corpora: every text once, none with two labels, parts by the text alone."""

from pathlib import Path

import pytest

from infra.contracts.errors import BadInput
from models.training.reviews import Review, deduplicated, key_of, part_of, read_corpus
from tests.support.opinions import opinions, write


def test_texts_that_differ_in_signs_spaces_width_and_case_are_one() -> None:
    corpus = deduplicated([Review("很好， OK!", True), Review("很好,ＯＫ", True), Review("很好 ok。。", True)])
    assert [each.text for each in corpus.reviews] == ["很好， OK!"]
    assert corpus.repeated == 2


def test_a_text_with_both_labels_goes_entirely() -> None:
    corpus = deduplicated([Review("一般", True), Review("一般。", False), Review("一般！", True), Review("好", True)])
    assert [each.text for each in corpus.reviews] == ["好"]
    assert (corpus.contradictory, corpus.repeated) == (3, 0)


def test_a_text_without_a_letter_goes() -> None:
    corpus = deduplicated([Review("！！！", True), Review("……", False), Review("好", True)])
    assert (corpus.empty, len(corpus.reviews), corpus.lines) == (2, 1, 3)


def test_equal_texts_are_in_equal_parts_and_the_parts_are_disjoint() -> None:
    reviews = opinions(2_000, seed=1)
    corpus = deduplicated(reviews)
    parts = {name: {key_of(each.text) for each in corpus.part(name)} for name in ("train", "validation", "test")}
    assert sum(map(len, parts.values())) == len(set().union(*parts.values())) == len(corpus.reviews)
    assert len(parts["train"]) == pytest.approx(1_600, abs=80)
    assert len(parts["test"]) == pytest.approx(200, abs=50)
    assert part_of("很好， OK!") == part_of("很好,ＯＫ")


def test_a_corpus_is_two_files(tmp_path: Path) -> None:
    reviews = opinions(40, seed=2)
    corpus = read_corpus(write(tmp_path, reviews))
    assert sorted(each.text for each in corpus.reviews) == sorted(each.text for each in reviews)
    assert sum(each.positive for each in corpus.reviews) == 20


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "pos.txt").write_text("好\n")
    with pytest.raises(BadInput, match=r"there is no .*neg\.txt"):
        read_corpus(tmp_path)


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    write(tmp_path, opinions(10, seed=1))
    (tmp_path / "neg.txt").write_bytes("无聊".encode("gb18030"))
    with pytest.raises(BadInput, match=r"neg\.txt cannot be read as text in UTF-8"):
        read_corpus(tmp_path)


def test_a_class_without_a_text_of_its_own_is_named(tmp_path: Path) -> None:
    (tmp_path / "pos.txt").write_text("好\n真好\n")
    (tmp_path / "neg.txt").write_text("好！\n")
    with pytest.raises(BadInput, match=r"neg\.txt has no text that is not also in the other file"):
        read_corpus(tmp_path)
