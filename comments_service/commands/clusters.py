"""`comments clusters evaluate`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from comments_service.clusters.evaluate import Figures
from comments_service.clusters.evaluate import evaluate as evaluate_comments
from comments_service.commands.installation import print_json
from comments_service.labelled import read_folder


@click.group("clusters")
def clusters() -> None:
    """Like comments that are decided together."""


@clusters.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def evaluate(folder: Path, *, as_json: bool) -> None:
    """Print how well clusters do on the labelled CSV files of a folder. Touches no database."""
    figures = evaluate_comments(read_folder(folder))
    if as_json:
        print_json(_as_json(figures))
        return
    click.echo(
        f"{figures.comments} comments, {figures.spam} of them spam; {figures.milliseconds:.2f} ms each.\n\n"
        f"The index: of {figures.like_pairs} pairs that say the same, {figures.index_recall:.2%} are found "
        f"(recall);\n"
        f"of {figures.looked_at_pairs} pairs looked at, {figures.index_precision:.2%} say the same "
        f"(precision), and the others are told apart.\n\n"
        f"Deciding once: {figures.clusters} clusters, the largest of {figures.largest}. Of the pairs within "
        f"one, {figures.same_class:.2%} have one label (precision).\n"
        f"{figures.spam_in_clusters:.2%} of the spam is in a cluster (recall), and "
        f"{figures.clustered_others} other comments are. {figures.rows} rows are left to decide."
    )


def _as_json(figures: Figures) -> dict[str, object]:
    shares = ("index_recall", "index_precision", "same_class", "spam_in_clusters", "rows")
    return asdict(figures) | {name: getattr(figures, name) for name in shares}
