"""What the measuring commands count by is right; their figures themselves gate nothing."""

from __future__ import annotations

from tools.measure_reading import Figure, longest
from tools.reading_stage import TEXT_CHARACTERS, words_of


def test_a_figure_is_missed_above_its_limit_and_never_without_one() -> None:
    assert Figure("requests", 4, "", 3).is_missed
    assert not Figure("requests", 3, "", 3).is_missed
    assert not Figure("bytes", 40_000, "bytes").is_missed
    assert Figure("requests to anybody else", 1, "", 0).is_missed
    assert "MISSED" in str(Figure("requests to anybody else", 1, "", 0))


def test_a_long_task_counts_for_the_part_in_which_it_began() -> None:
    tasks = [[10.0, 80.0], [100.0, 60.0], [130.0, 55.0]]
    assert longest(tasks, 0, 100) == 80
    assert longest(tasks, 100, 500) == 60
    assert longest(tasks, 500, 900) == 0


def test_a_text_is_the_same_for_its_number_and_about_as_long_as_what_people_write() -> None:
    texts = [words_of(number) for number in range(50)]
    assert texts == [words_of(number) for number in range(50)]
    assert len(set(texts)) == 50
    assert all(TEXT_CHARACTERS <= len(text) < 1.4 * TEXT_CHARACTERS for text in texts)
