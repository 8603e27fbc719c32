"""Charts and the worked example of the card of a model."""

from typing import Any

from infra.pages import Chart, Column, Table, numbers
from infra.pages.charts import Axes, Interval, Line, LinePanel, line_chart, paired_differences
from infra.pages.palette import BLUE, GREEN, INK, MUTED, ORANGE, PURPLE, SKY, VERMILLION, Colour, of_world
from models.evaluation.explanation.catalog import CONTROLS, RANDOM, method
from models.evaluation.explanation.curves import SHARES

Document = dict[str, Any]
_COLOURS = (BLUE, ORANGE, VERMILLION, GREEN, PURPLE, SKY)


def curves_chart(document: Document) -> Chart:
    """Both curves up to half of the tokens, a line a method, the controls dashed."""
    found = {**document["methods"], **document["controls"]}
    shown = len(SHARES) // 2 + 1
    names = list(document["methods"])
    colours: dict[str, Colour] = {name: _COLOURS[at % len(_COLOURS)] for at, name in enumerate(names)}
    colours |= dict(zip(CONTROLS, (MUTED, INK), strict=True))
    panels = [
        LinePanel(
            title,
            tuple(
                Line(
                    method(name).title,
                    tuple(100 * share for share in one["curve"]["share"][:shown]),
                    tuple(one["curve"][which][:shown]),
                    colours[name],
                    dashed=name in CONTROLS,
                )
                for name, one in found.items()
            ),
        )
        for which, title in (("deletion", "Deletion: how far the logit has gone"), ("insertion", "Insertion: has come"))
    ]
    early = {name: one["curve"]["deletion"][len(SHARES) // 4] for name, one in found.items()}
    best = max(early, key=lambda name: early[name])
    caption = (
        f"Mean over {numbers.count(document['scores'], 'score')}. With a quarter of the tokens deleted the logit has "
        f"gone {numbers.number(early[best], 2)} by {method(best).title}, {numbers.number(early[RANDOM], 2)} in random "
        "order. The first half of the tokens is shown: with all of them, all orders meet. Intervals are in the tables."
    )
    axes = Axes(x="tokens deleted or inserted, %", y="change of the logit", zero=True)
    return line_chart(panels, axes, caption=caption, alt_text="Deletion and insertion curves of every method.")


def worlds_chart(head: str, worlds: Document) -> Chart:
    """The model's advantage over the base rate in each world."""
    ends = {world: one["base_difference"] for world, one in worlds.items()}
    rows = [_interval(world, figure) for world, figure in ends.items()]
    low, high = (choose(ends, key=lambda world: ends[world]["value"]) for choose in (min, max))
    caption = (
        f"{head}: the model is worth least in {low}, "
        f"{numbers.number(ends[low]['value'], 3)} of log loss, and most in {high}, "
        f"{numbers.number(ends[high]['value'], 3)}. Above 0 the model is better."
    )
    return paired_differences(
        rows, unit="log loss below the base rate", caption=caption, alt_text=f"Advantage of {head} in each world."
    )


def _interval(world: str, figure: Document) -> Interval:
    value, low, high = (float("nan") if figure[key] is None else figure[key] for key in ("value", "ci_low", "ci_high"))
    return Interval(world, value, low, high, of_world(world))


def example_table(document: Document) -> Table:
    """The tokens that matter most in the worked example, and what each method makes of them."""
    names = list(document["methods"])
    columns = (
        Column("Event", align="left"),
        Column("Before", "min", decimals=1),
        *(Column(method(name).title, "logit" if method(name).signed else "share", decimals=3) for name in names),
    )
    rows = tuple(
        (
            _event(token),
            token["minutes_before"],
            *(token[name] for name in names),
        )
        for token in document["example"]["tokens"]
    )
    return Table(
        columns,
        rows,
        f"The {len(rows)} tokens of {document['example']['past_tokens']} that matter most by the mean over methods. "
        "Above 0 a token raises the logit; shares of attention know no direction. One score has no interval.",
    )


def _event(token: Document) -> str:
    """What happened, where, and what it said."""
    said = ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in token["said"].items())
    return f"{token['kind'].replace('_', ' ')} ({token['world']}){': ' if said else ''}{said}"
