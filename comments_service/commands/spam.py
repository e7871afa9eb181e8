"""`comments spam train|evaluate|explain`: the filter that learns."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from comments_service.commands.installation import print_json
from comments_service.labelled import LabelledComment, read_folder
from comments_service.spam.evaluate import Figures, Score, in_thirds, mean
from comments_service.spam.evaluate import evaluate as evaluate_comments
from comments_service.spam.features import look_at
from comments_service.spam.model import Filter
from comments_service.spam.model import train as train_on
from comments_service.spam.reasons import reasons, sentence
from comments_service.spam.start import SHIPPED, Start, new_site, pack
from comments_service.spam.teaching import examples_of
from comments_service.texts import SOURCE_LANGUAGE, Catalogue

# What each figure is held against: a share from above (at most) or from below (at least)
ACCURATE, CORRELATED, ACROSS, WRONGLY, STREAM, FALL = 0.97, 0.93, 0.95, 0.03, 0.93, 0.02


@click.group("spam")
def spam() -> None:
    """The filter that learns from decisions."""


@spam.command()
@click.argument("folders", metavar="DIR…", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), default=SHIPPED, help="Where to, instead of here.")
def train(folders: tuple[Path, ...], *, output: Path) -> None:
    """Make the weights that every site starts with, from the labelled CSV files of folders."""
    comments = _read(folders)
    weights = train_on(examples_of(comments))
    sources = tuple(dict.fromkeys(comment.source for comment in comments))
    start = Start(weights, sources, len(comments), sum(comment.is_spam for comment in comments))
    packed = pack(start)
    output.write_bytes(packed)
    click.echo(
        f"{output}: {len(packed):,} bytes, from {start.comments:,} comments, {start.spam:,} of them spam."
    )


@spam.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--with",
    "given",
    metavar="DIR",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Comments that every start has learned too; none of them is judged. May be repeated.",
)
@click.option("--thirds", is_flag=True, help="Judge thirds of the topics in turn, instead of files.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def evaluate(folder: Path, *, given: tuple[Path, ...], thirds: bool, as_json: bool) -> None:
    """Print how well the filter does on the labelled CSV files of a folder.

    It starts from nothing or from the folder's other files, never from what the service ships. Touches no
    database. A topic is what comes before the last "-" of a comment's id.
    """
    comments = read_folder(folder)
    figures = evaluate_comments(in_thirds(comments) if thirds else comments, _read(given))
    if as_json:
        print_json(_as_json(figures))
    else:
        others = (
            f"the other {'thirds' if thirds else 'files'}{' and what was given with them' if given else ''}"
        )
        click.echo("\n\n".join(_blocks(figures, others)))


@spam.command()
@click.option("--name", default="", help="The author's name.")
@click.argument("text")
def explain(text: str, *, name: str) -> None:
    """Print what the filter of a new site thinks of a text ("-": of standard input), and why."""
    if text == "-":
        text = sys.stdin.read()
    seen, site = look_at(text, name), Filter(new_site())
    say: Callable[..., str] = partial(Catalogue.load().text, SOURCE_LANGUAGE)
    click.echo(say("filter.likely", percent=_percent(site.probability(seen.slots))))
    for sign in reasons(seen, site):
        click.echo(f"- {sentence(sign, say)}")


def _read(folders: Sequence[Path]) -> tuple[LabelledComment, ...]:
    return tuple(comment for folder in folders for comment in read_folder(folder))


def _percent(probability: float) -> str:
    """In whole percents, and never sure."""
    return f"{min(99, max(1, round(100 * probability)))} %"


def _blocks(figures: Figures, others: str) -> list[str]:
    published, across, stream = figures.published, figures.across, figures.stream
    fall = mean(stream, _accuracy) - mean(figures.stream_poisoned, _accuracy)
    correlated = f"MCC {mean(published, _mcc):.3f} (at least {CORRELATED})"
    judging, learning = figures.judging, figures.learning
    return [
        _table("First 70 % of each learned, starting from nothing; last 30 % judged", published),
        "\n".join([_at_least("Accuracy", mean(published, _accuracy), ACCURATE), correlated]),
        _table(f"The same, starting from {others}", figures.published_with_start),
        _table(f"Learned on {others}, each judged whole", across),
        "\n".join(
            [
                _at_least("Accuracy", mean(across, _accuracy), ACROSS),
                _at_most("Wrongly caught", mean(across, _wrongly), WRONGLY),
            ]
        ),
        _table(f"A new site in order of time, starting from {others}; after 50 decisions", stream),
        _at_least("Accuracy", mean(stream, _accuracy), STREAM),
        _table(
            "The same, where half the words of spam are honest ones and 5 % of decisions are reversed",
            figures.stream_poisoned,
        ),
        _at_most("Fall of accuracy", fall, FALL),
        f"Judging: p50 {judging.p50:.2f} ms (at most 1), p99 {judging.p99:.2f} ms (at most 3)",
        f"Learning: p50 {learning.p50:.2f} ms, p99 {learning.p99:.2f} ms (at most 5)",
    ]


def _table(title: str, scores: Sequence[Score]) -> str:
    if not scores:
        return f"{title}: needs more than one file."
    head = f"{'':<24}{'judged':>8}{'accuracy':>10}{'MCC':>8}{'wrongly caught':>16}"
    rows = [
        f"{score.source[:23]:<24}{score.judged:>8}{_shares(score.accuracy, score.mcc, score.wrongly_caught)}"
        for score in scores
    ]
    middle = _shares(mean(scores, _accuracy), mean(scores, _mcc), mean(scores, _wrongly))
    return "\n".join([title, head, *rows, f"{'mean':<32}{middle}"])


def _shares(accuracy: float, mcc: float, wrongly_caught: float) -> str:
    return f"{accuracy:>10.2%}{mcc:>8.3f}{wrongly_caught:>16.2%}"


def _at_least(what: str, value: float, limit: float) -> str:
    return f"{what} {value:.2%} (at least {limit:.0%})"


def _at_most(what: str, value: float, limit: float) -> str:
    return f"{what} {value:.2%} (at most {limit:.0%})"


def _accuracy(score: Score) -> float:
    return score.accuracy


def _mcc(score: Score) -> float:
    return score.mcc


def _wrongly(score: Score) -> float:
    return score.wrongly_caught


def _as_json(figures: Figures) -> Mapping[str, object]:
    tables = {name: value for name, value in vars(figures).items() if isinstance(value, tuple)}
    costs = {"judging_ms": asdict(figures.judging), "learning_ms": asdict(figures.learning)}
    return {name: _table_as_json(scores) for name, scores in tables.items()} | costs


def _table_as_json(scores: Sequence[Score]) -> object:
    shares = {"accuracy": _accuracy, "mcc": _mcc, "wrongly_caught": _wrongly}
    files = [asdict(score) | {name: share(score) for name, share in shares.items()} for score in scores]
    return {"files": files, "mean": {name: mean(scores, share) for name, share in shares.items()}}
