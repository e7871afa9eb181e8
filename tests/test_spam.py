"""The filter that learns: what it sees, how it learns and unlearns, why it thinks so, and its commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from comments_service.cli import main
from comments_service.labelled import LabelledComment
from comments_service.spam.features import fold, look_at, slot_of
from comments_service.spam.model import STEP, Example, Filter, cautious, train
from comments_service.spam.reasons import Sign, reasons, sentence, sentence_part
from comments_service.spam.start import SHIPPED, Start, pack, shipped, unpack
from comments_service.spam.teaching import examples_of
from comments_service.texts import Catalogue
from tests.test_seed import write

SPAM = "Subscribe to my channel for free coins"
HONEST = "The ferry was late again this morning"
WAYS = {  # what advertisers write, and what readers do; the number makes each another text
    "1": ("Free coins number {} at https://coins.example/{}", "Subscribe to my channel, friend {}, {} times"),
    "0": ("The ferry of {} was late by {} minutes", "I remember pier {} from {} years ago, lovely"),
}


def slots(text: str, name: str = "Ann Miller") -> Mapping[int, float]:
    """What the model sees."""
    return look_at(text, name).slots


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files of sixty comments each, every second one spam, in order of time."""
    for number, source in enumerate(("Harbour", "Market", "Station")):
        rows = [
            (f"{source}-{n}", f"Reader {n}", f"2026-01-01T10:{n:02}:00", text.format(n + number, n), label)
            for n in range(60)
            for label in ("10"[n % 2],)
            for text in (WAYS[label][n // 2 % 2],)
        ]
        write(tmp_path / f"{source}.csv", rows)
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ｖiagra", "viagra"),
        ("v\u200bia\u00adgra", "viagra"),
        ("VIAGRA", "viagra"),
        ("vіаgra", "viagra"),  # Cyrillic і and а
        ("Москва", "москва"),  # a word of its own alphabet stays what it is
    ],
)
def test_a_word_is_folded_to_what_people_read(typed: str, meant: str) -> None:
    assert fold(typed) == meant


@pytest.mark.parametrize("typed", ["viagra", "ｖ1agra", "v\u200biagra", "V1@gra!", "vi@gra", "viaaaaagra"])
def test_a_disguised_word_is_seen(typed: str) -> None:
    assert "word:viagra" in look_at(f"cheap {typed} here").values


@pytest.mark.parametrize(
    ("text", "feature"),
    [
        ("see https://www.Coins.example/shop/17?ref=9", "host:coins.example"),
        ("see https://www.Coins.example/shop/17?ref=9", "path:shop"),
        ("see https://www.Coins.example/shop/17?ref=9", "query:ref"),
        ("see bit.ly/abc", "host:(shortener)"),
        ('<a href="http://coins.example">here</a>', "host:coins.example"),
        ("BUY NOW", "mark:capitals 5"),
        ("buy now", "mark:capitals 0"),
        ("wow!!!!!!", "mark:exclamations 4"),
        ("for only $5", "mark:money"),
        ("great 🎉", "mark:pictures"),
    ],
)
def test_links_and_marks_are_seen(text: str, feature: str) -> None:
    assert feature in look_at(text).values


@pytest.mark.parametrize(
    ("name", "feature"),
    [("www.coins.example", "name:(link)"), ("COINS", "name:(capitals)"), ("coins4u", "name:(digits)")],
)
def test_a_name_is_looked_at_too(name: str, feature: str) -> None:
    assert feature in look_at("hello", name).values
    assert feature not in look_at("hello", "Ann Miller").values


@pytest.mark.parametrize("text", ["", "…", "<", "\u200b", "((((", "é" * 65_000, "a b " * 16_000])
def test_any_text_can_be_looked_at(text: str) -> None:
    seen = look_at(text)
    assert len(seen.values) < 4_000
    assert Filter(cautious(shipped().weights)).probability(seen.slots) >= 0


def test_learning_moves_the_right_way_and_not_too_far() -> None:
    site = Filter()
    before = site.probability(slots(SPAM))
    step = site.learn(slots(SPAM), is_spam=True)
    site.learn(slots(HONEST), is_spam=False)
    assert site.probability(slots(SPAM)) > before > site.probability(slots(HONEST))
    assert 0 < step <= STEP


def test_what_is_learned_leaves_the_start_as_it_was() -> None:
    start = train([Example(slots(SPAM), True), Example(slots(HONEST), False)])
    site = Filter(dict(start))
    site.learn(slots(SPAM), is_spam=False)
    assert site.start == start
    assert site.probability(slots(SPAM)) < Filter(start).probability(slots(SPAM))


def test_one_opposite_step_undoes_whatever_was_learned_since() -> None:
    undone, never = Filter(), Filter()
    step = undone.learn(slots(SPAM), is_spam=True)
    other = undone.learn(slots(HONEST), is_spam=False)
    undone.unlearn(slots(SPAM), step)
    never.unlearn(slots(HONEST), -other)
    for text in (SPAM, HONEST, "Subscribe to the ferry"):
        assert undone.score(slots(text)) == pytest.approx(never.score(slots(text)), abs=1e-12)


def test_few_decisions_teach_a_site_its_own_spam() -> None:
    site = Filter(cautious(shipped().weights))
    ours = "Grand opening of the rope museum, doors at nine"
    assert site.probability(slots(ours)) < 0.5
    for _ in range(5):
        site.learn(slots(ours), is_spam=True)
    assert site.probability(slots(ours.replace("nine", "ten"))) > 0.5


def test_reasons_name_the_words_of_the_comment() -> None:
    site = Filter()
    site.learn(slots(SPAM), is_spam=True)
    site.learn(slots(HONEST), is_spam=False)
    found = reasons(look_at("Subscribe, the ferry was late", "Bob"), site)
    told = {(sign.kind, sign.what): sign.weight for sign in found}
    assert told["word", "subscribe"] > 0 > min(told.values())
    assert "ferry" in " ".join(what for (_, what), weight in told.items() if weight < 0)
    assert len(found) == 5
    assert [abs(sign.weight) for sign in found] == sorted((abs(s.weight) for s in found), reverse=True)


def test_a_filter_that_knows_nothing_has_no_reasons() -> None:
    assert reasons(look_at(SPAM), Filter()) == ()


def test_weights_come_back_from_their_file() -> None:
    weights = {0: 1.6, 5: -0.48, 300: 0.08, 262_144: -1.6, 7: 0.04}
    back = unpack(pack(Start(weights, ("Harbour",), 3, 2)))
    assert back.weights == pytest.approx({0: 1.6, 5: -0.48, 300: 0.08, 262_144: -1.6})
    assert (back.sources, back.comments, back.spam) == (("Harbour",), 3, 2)


def test_the_shipped_start_is_small_and_says_what_it_was_made_of() -> None:
    assert SHIPPED.stat().st_size <= 70_000
    beside = SHIPPED.with_suffix(".weights.txt").read_text("utf-8")
    assert "Creative Commons Attribution 4.0" in beside
    assert all(source in beside for source in shipped().sources)


@pytest.mark.parametrize(
    ("text", "is_spam"),
    [
        ("Hey everyone, please subscribe to my channel and check out my videos!", True),
        ("Earn money from home, click https://coins.example/earn?ref=17", True),
        ("I love how she sings this, it never gets old", False),
        ("Thanks, that helped.", False),
    ],
)
def test_the_shipped_start_is_useful(text: str, is_spam: bool) -> None:
    assert (Filter(cautious(shipped().weights)).probability(slots(text)) > 0.5) is is_spam


def test_training_gives_the_same_file_each_time(folder: Path, tmp_path: Path) -> None:
    made = []
    for seed in ("1", "2"):  # of the hashes by which sets are ordered
        output = tmp_path / f"{seed}.weights"
        command = [sys.executable, "-m", "comments_service", "spam", "train", str(folder), "--output"]
        subprocess.run([*command, str(output)], check=True, env={**os.environ, "PYTHONHASHSEED": seed})
        made.append(output.read_bytes())
    assert made[0] == made[1]
    assert unpack(made[0]).sources == ("Harbour", "Market", "Station")


def test_spam_is_learned_among_honest_words_too() -> None:
    def comment(text: str, *, is_spam: bool) -> LabelledComment:
        return LabelledComment("Harbour", text, "Ann Miller", text, is_spam)

    taught = examples_of([comment(SPAM, is_spam=True), comment(HONEST, is_spam=False)])
    assert [example.is_spam for example in taught] == [True, False, True]
    assert taught[0].slots == slots(SPAM)
    words = {*SPAM.split(), *HONEST.split()}
    seen = {word for word in words if slot_of(f"word:{fold(word)}")[0] in taught[2].slots}
    assert set(SPAM.split()) < seen


def test_the_figures_are_printed_for_people_and_for_programs(folder: Path) -> None:
    told = CliRunner().invoke(main, ["spam", "evaluate", str(folder)])
    figures = json.loads(CliRunner().invoke(main, ["spam", "evaluate", str(folder), "--json"]).stdout)
    assert "Learned on the other files" in told.stdout
    assert "Accuracy 100.00% (at least 97%)" in told.stdout
    assert {score["source"] for score in figures["across"]["files"]} == {"Harbour", "Market", "Station"}
    first = figures["published"]["files"][0]
    assert first["spam_caught"] + first["spam_missed"] + first["honest_passed"] + first["honest_caught"] == 18
    assert figures["stream"]["files"][0]["spam_caught"] <= 5  # of the ten after the first fifty


def test_labels_that_contradict_the_texts_show_in_the_figures(folder: Path) -> None:
    file = folder / "Market.csv"
    lines = file.read_text("utf-8").splitlines()
    turned = [line[:-1] + {"0": "1", "1": "0"}.get(line[-1], line[-1]) for line in lines]
    file.write_text("\n".join(turned), "utf-8")
    figures = json.loads(CliRunner().invoke(main, ["spam", "evaluate", str(folder), "--json"]).stdout)
    accuracy = {score["source"]: score["accuracy"] for score in figures["across"]["files"]}
    assert accuracy["Market"] < 0.1


def test_one_file_alone_has_no_table_across_files(folder: Path) -> None:
    for name in ("Market", "Station"):
        (folder / f"{name}.csv").unlink()
    told = CliRunner().invoke(main, ["spam", "evaluate", str(folder)])
    assert told.exit_code == 0
    assert "judged whole: needs more than one file" in told.stdout


def test_a_folder_without_comments_is_told_in_a_sentence(tmp_path: Path) -> None:
    for command in ("train", "evaluate"):
        result = CliRunner().invoke(main, ["spam", command, str(tmp_path)])
        assert (result.exit_code, "There is no CSV file with comments" in result.output) == (1, True)


@pytest.mark.parametrize("text", ["Please subscribe to my channel", "-"])
def test_a_text_is_explained(text: str) -> None:
    told = CliRunner().invoke(main, ["spam", "explain", text], input="Please subscribe to my channel")
    assert told.stdout.startswith("Likely spam: 9")
    assert "Speaks for spam: the word “subscribe”" in told.stdout


SIGNS_OF = (
    (
        "WOW!!! $5 @you #free 12:30 ☃ really?\n<a href='http://bit.ly/a?b=c'>x</a> да да да  да да да soooo",
        "ANN",
    ),
    (
        "http://a.example http://b.example/one http://c.example/one/two?three=4 me@a.example",
        "COINS4U www.a.example",
    ),
    ("AAAA bb cc dd ee ff 1 22 333 4444 !! ??", "Ann Miller of Town"),
    ("1234567890 Call +49 170 123 45 67!", "Ann of the Hill Farm"),
    ("Hello! HELLO? hello", "Ann Miller"),
    ("a", "!!!"),
    ("?!!!!" * 40, ""),
    ("word " * 400, ""),
    ("", ""),
)


@pytest.mark.parametrize("seconds", [None, 0, 1, 3, 100, 5_000])
@pytest.mark.parametrize(("text", "name"), SIGNS_OF)
def test_every_sign_has_a_text(text: str, name: str, seconds: int | None) -> None:
    say = partial(Catalogue.load().text, "en")
    seen = look_at(text, name, "https://coins.example", seconds)
    for feature, value in seen.values.items():
        if feature.startswith("gram:"):
            continue  # pieces are told of with their word
        slot, signed = slot_of(feature, value)
        (sign, *_) = reasons(seen, Filter({slot: 1 / signed}))
        told = sentence(sign, say)
        assert told.startswith("Speaks for spam: ")
        assert "{" not in told


@pytest.mark.parametrize(
    ("feature", "text", "told"),
    [
        ("pair:^ see", "See the bridge", "“see” at the beginning"),
        ("pair:bridge $", "See the bridge", "“bridge” at the end"),
        ("pair:the bridge", "See the bridge", "the words “the bridge”"),
        ("mark:pictures", "I saw it 🎉", "emoji or symbols"),
        ("mark:script", "Привет мир", "many letters other than a to z"),
        ("mark:blanks", "One.  Two.", "two blanks in a row"),
        ("depth:0", "See https://a.example", "a link to a front page"),
        ("depth:2", "See https://a.example/b/c/d", "a link deep into a site"),
        ("mark:links 0", "Nothing", "no links"),
        ("mark:links 3", "http://a.example http://b.example http://c.example", "three links or more"),
        ("mark:capitals 0", "nothing", "no capitals"),
        ("mark:capitals 3", "ONE two", "41 to 60 % of its letters in capitals"),
        ("mark:length 3", "Hello", "4 to 7 characters"),
        ("mark:words 2", "Hello there", "2 to 3 words"),
        ("mark:seconds 4", "Hello", "a form that was open for 8 to 15 seconds"),
        ("name:(2 words)", "Hello", "a name of two words"),
    ],
)
def test_a_sign_says_what_there_is(feature: str, text: str, told: str) -> None:
    seen = look_at(text, "Tom Miller", None, 9)
    slot, signed = slot_of(feature, seen.values[feature])
    (sign, *_) = reasons(seen, Filter({slot: 1 / signed}))
    assert sentence(sign, partial(Catalogue.load().text, "en")) == f"Speaks for spam: {told}"


@pytest.mark.parametrize(
    ("kind", "what", "told"),
    [
        ("pair", "… …", "the words “[link] [link]”"),
        ("pair", "^ …", "“[link]” at the beginning"),
        ("pair", "00 off", "the words “[number] off”"),
        ("pair", "@ now", "the words “[email] now”"),
        ("word", "000", "the word “[number]”"),
        ("word", "covid00", "the word “covid##”"),
    ],
)
def test_what_the_filter_does_not_read_is_not_told_as_if_it_were_typed(
    kind: str, what: str, told: str
) -> None:
    say = partial(Catalogue.load().text, "en")
    assert sentence_part(Sign(kind, what, 1.0), say) == told


@pytest.mark.parametrize(
    ("text", "told"), [("The ferry was late", "“tom” in the name"), ("Tom was late", "the word “tom”")]
)
def test_a_word_of_the_name_is_told_as_such_where_the_text_has_it_not(text: str, told: str) -> None:
    slot, signed = slot_of("word:tom")
    (sign, *_) = reasons(look_at(text, "Tom"), Filter({slot: 1 / signed}))
    assert sentence(sign, partial(Catalogue.load().text, "en")) == f"Speaks for spam: {told}"
