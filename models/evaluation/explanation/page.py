"""`explanation.html`: the card of a model, from the document of `explain`: what it is, whom it serves how well, and
which explanations of its scores can be believed.
"""

from typing import Any

from infra.pages import (
    Cell,
    Check,
    Column,
    Estimate,
    Figure,
    Figures,
    Mark,
    Outcome,
    Page,
    Paragraph,
    Reproduce,
    Section,
    Swatch,
    Table,
    Verdict,
    numbers,
)
from infra.pages.palette import of_world
from models.attention import catalog as attention_catalog
from models.evaluation.explanation.catalog import method
from models.evaluation.explanation.curves import FAITHFUL
from models.evaluation.explanation.pictures import curves_chart, example_table, worlds_chart
from models.evaluation.page import text
from models.evaluation.results import reproduce

Document = dict[str, Any]
_SMALLEST_GAP = 0.01
"""Logit by which importances may miss what they should add up to."""


def explanation_page(document: Document) -> Page:
    """The page of a model."""
    model = document["model"]
    return Page(
        title=f"Model card: {model['version']}",
        subtitle=_subtitle(document),
        verdict=verdict(document),
        notices=tuple(f"{note[0].upper()}{note[1:]}." for note in document["notes"]),
        table=_methods(document),
        sections=(
            Section("What the model is", (_facts(model), _heads(model))),
            Section(
                "Deletion and insertion", (curves_chart(document), Paragraph(_how(document)), _insertion(document))
            ),
            *(_world_section(head, each) for head, each in document["worlds"].items() if each),
            Section("One score, explained", (Paragraph(_about(document)), example_table(document))),
        ),
        health=_checks(document),
        reproduce=_reproduce(document),
    )


def verdict(document: Document) -> Verdict:
    """One sentence: which methods may be believed on this model, and which not."""
    titles = {name: method(name).title for name in document["methods"]}
    faithful = [titles[name] for name, one in document["methods"].items() if one["faithful"]]
    others = [titles[name] for name, one in document["methods"].items() if not one["faithful"]]
    naive = [titles[name] for name, one in document["methods"].items() if one["faithful"] and not one["beats_recency"]]
    sentence = f"Faithful to '{document['head']}': {_listed(faithful) or 'no method'}"
    sentence += f"; not faithful: {_listed(others)}" if others else ""
    sentence += f"; {_listed(naive)} no better than taking the latest first" if naive else ""
    best = max(document["methods"], key=lambda name: document["methods"][name]["deletion"]["value"])
    sentence += f". The largest deletion area is that of {titles[best]}" if faithful else ""
    if not faithful:
        return Verdict(Outcome.BAD, f"{sentence}.", "No explanation holds")
    if others or naive:
        return Verdict(Outcome.UNKNOWN, f"{sentence}.", "Some explanations hold")
    return Verdict(Outcome.OK, f"{sentence}.", "Explanations hold")


def p_text(p: float) -> str:
    """A p-value as people read it."""
    return "<0.0001" if p < 1e-4 else numbers.number(p, 4)


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def _subtitle(document: Document) -> str:
    scores, people = document["scores"], document["people"]
    return (
        f"{numbers.count(scores, 'score')} of '{document['head']}' explained, of "
        f"{numbers.count(people, 'person', 'people')} that the model has not seen"
    )


def _estimate(figure: Document) -> Estimate:
    return Estimate(figure["value"], figure["ci_low"], figure["ci_high"])


def _methods(document: Document) -> Table:
    columns = (
        Column("Method", align="left"),
        Column("Faithful", align="left"),
        Column("Deletion area", "logit", decimals=2),
        Column("Better than random by", "logit", decimals=2),
        Column("Than latest first by", "logit", decimals=2),
        Column("p"),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            method(name).title,
            Mark(Outcome.of(one["faithful"]), "yes" if one["faithful"] else "no"),
            *(_estimate(one[key]) for key in ("deletion", "deletion_difference", "recency_difference")),
            p_text(one["p_adjusted"]),
        )
        for name, one in document["methods"].items()
    ]
    controls = document["controls"].items()
    rows += [(method(name).title, "control", _estimate(one["deletion"]), None, None, None) for name, one in controls]
    caption = (
        "How far the logit has gone back, on the mean along the way, when tokens are deleted in the order of their "
        "importance: higher is better. Differences are paired: the same scores, people resampled, 95% intervals. "
        f"Faithful: better than {document['random_orders']} random orders with p below {FAITHFUL} (one-sided Wilcoxon "
        "over people, adjusted after Holm)."
    )
    return Table(columns, tuple(rows), caption)


def _insertion(document: Document) -> Table:
    columns = (
        Column("Method", align="left"),
        Column("Insertion area", "logit", decimals=2),
        Column("Better than random by", "logit", decimals=2),
        Column("p"),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            method(name).title,
            *(_estimate(one[key]) for key in ("insertion", "insertion_difference")),
            p_text(one["insertion_p"]),
        )
        for name, one in document["methods"].items()
    ]
    controls = document["controls"].items()
    rows += [(method(name).title, _estimate(one["insertion"]), None, None) for name, one in controls]
    return Table(
        columns,
        tuple(rows),
        "How far the logit has come, on the mean, when tokens are inserted in the order of their importance. p is not "
        "adjusted: insertion decides nothing here.",
    )


def _facts(model: Document) -> Figures:
    config, data = model["config"], model["data"]
    events = data["events"]
    return Figures(
        (
            Figure("Attention", config["mechanism"], note=f"{config['layers']} layers, {config['heads']} heads"),
            Figure("Window", str(config["window"]), "tokens", f"width {config['d_model']}"),
            Figure("Parameters", numbers.number(model["parameters"])),
            Figure(
                "Trained on",
                numbers.MISSING if events is None else numbers.number(events),
                "events",
                f"data {(data['digest'] or numbers.MISSING)[:12]}, seed {model['training'].get('seed')}",
            ),
        )
    )


def _heads(model: Document) -> Table:
    columns = (
        Column("Predicts", align="left"),
        Column("What it is", align="left"),
        Column("Log loss", decimals=4),
        Column("AUC", decimals=3),
        Column("Calibration error", decimals=4),
        Column("Below the base rate by", "log loss", decimals=4),
    )
    rows: list[tuple[Cell, ...]] = []
    for head in model["config"]["outputs"]:
        found = model["metrics"].get(head, {})
        difference = found.get("difference_to_base")
        rows.append(
            (
                head,
                attention_catalog.head(head).meaning,
                *(found.get(key) for key in ("log_loss", "auc", "ece")),
                Estimate(difference["mean"], difference["ci_low"], difference["ci_high"]) if difference else None,
            )
        )
    return Table(
        columns,
        tuple(rows),
        f"As measured after training on unseen people, horizon {model['training'].get('horizon_min', 0):g} min; "
        "the interval resamples people. calmverse evaluate says more, with intervals for all.",
    )


def _how(document: Document) -> str:
    past = document["past_tokens"]
    return (
        "A deleted token is masked: nobody attends to it, and the others keep their places. What the score's own token "
        f"says is never deleted. A score has {past['least']} to {past['most']} tokens before it. A curve counts "
        "towards what the whole past has done to the score, up or down. Shapley values and LIME look at scores with "
        "masked tokens themselves, so this measure is made for them; the others never see one."
    )


def _world_section(head: str, worlds: Document) -> Section:
    chart = (worlds_chart(head, worlds),) if len(worlds) > 1 else ()
    return Section(f"By world: {head}", (_worlds(worlds), *chart))


def _worlds(worlds: Document) -> Table:
    columns = (
        Column("World", align="left"),
        Column("Rows"),
        Column("Rate", "%", decimals=0),
        Column("Log loss", decimals=3),
        Column("Calibration error", decimals=3),
        Column("Below base rate by", "log loss", decimals=3),
    )
    rows = tuple(
        (
            Swatch(world, of_world(world)),
            one["rows"],
            100 * one["rate"],
            *(_estimate(one[key]) for key in ("log_loss", "ece", "base_difference")),
        )
        for world, one in worlds.items()
    )
    worst = max(worlds, key=lambda world: worlds[world]["ece"]["value"])
    return Table(
        columns,
        rows,
        f"Events by the world they come from. Calibration is worst in {worst}, {text(worlds[worst]['ece'], 4)}. Chance "
        "adds to a calibration error, the more so the fewer rows there are. The model is better than the base rate "
        "where the interval of the difference lies above 0. 95% intervals over people.",
    )


def _about(document: Document) -> str:
    one = document["example"]
    event = one["event"]
    return (
        f"The score of a {event['kind'].replace('_', ' ')} ({event['world']}): "
        f"'{document['head']}' has a probability of {numbers.share(one['probability'])}; without the "
        f"{one['past_tokens']} tokens before it, it would be {numbers.share(one['probability_without_past'])}. Of the "
        "scores that were explained, it is the one whose past moves it by the median amount."
    )


def _checks(document: Document) -> tuple[Check, ...]:
    found = [
        Check(
            f"Adds up: {method(name).title}",
            one["largest_gap"] < _SMALLEST_GAP,
            f"importances miss their sum by at most {numbers.number(one['largest_gap'])} of the logit; at most "
            f"{_SMALLEST_GAP} is wanted",
        )
        for name, one in document["methods"].items()
        if one["largest_gap"] is not None
    ]
    for head, worlds in document["worlds"].items():
        left = [world for world, one in worlds.items() if one["verdict"] != "better"]
        said = f"not in {_listed(left)}" if left else f"in {numbers.count(len(worlds), 'world')}"
        found.append(Check(f"Better than the base rate in every world: {head}", not left, said))
    return tuple(found)


def _reproduce(document: Document) -> Reproduce:
    model = document["model"]
    return reproduce(
        document,
        {
            "model": model["version"],
            "features": model["features_version"],
            "data": model["data"]["digest"] or numbers.MISSING,
        },
    )
