"""What was decided, and why nothing was offered where nothing was."""

from infra.pages import Block, Chart, Paragraph, Section, charts, numbers
from infra.pages.palette import of_policy
from services.experiments.pages_facts import RunFacts

_NO_OFFER = ("none", "no offer", "no_offer", "0")
_REASONS = {
    "open": "open to an offer",
    "daily_cap": "daily cap reached",
    "quiet_hours": "quiet hours",
    "cool_down": "cooling down after one",
    "in_practice": "in a practice",
}


def decisions_section(facts: RunFacts) -> Section:
    """Bars by action and by reason, with the share that led to an offer."""
    actions, reasons = facts.part("decisions_by_action"), facts.part("decisions_by_reason")
    body: list[Block] = []
    if actions or reasons:
        body.append(_chart(actions, reasons, facts.policy))
    applied, decisions = facts.number("interventions_applied"), facts.number("decisions")
    if applied is not None and decisions is not None:
        sentence = _sentence(int(decisions), int(applied), facts.policy) + _refused(facts.part("interventions_refused"))
        body.insert(0, Paragraph(sentence))
    if not body:
        body.append(Paragraph("Decisions were not counted."))
    return Section("What was decided", tuple(body))


def _sentence(decisions: int, applied: int, policy: str) -> str:
    return (
        f"The {policy} policy decided at {numbers.count(decisions, 'eligible point')}, each logged with the "
        f"probability of what was chosen, no offer included; {numbers.count(applied, 'practice')} took effect."
    )


def _refused(refused: dict[str, int]) -> str:
    """Orders that found a person who could not take them."""
    if not any(refused.values()):
        return ""
    reasons = ", ".join(f"{name.replace('_', ' ')} {numbers.number(times)}" for name, times in refused.items())
    return f" {numbers.count(sum(refused.values()), 'order')} did not: {reasons}."


def _chart(actions: dict[str, float], reasons: dict[str, float], policy: str) -> Chart:
    colour = of_policy(policy)
    panels = [
        charts.BarPanel(title, _bars(counts, words), colour)
        for title, counts, words in (
            ("What was chosen", actions, dict.fromkeys(_NO_OFFER, "no offer")),
            ("Was an offer possible?", reasons, _REASONS),
        )
        if counts
    ]
    return charts.bars(
        panels,
        unit="",
        caption=_caption(actions, reasons),
        alt_text="Bars of decisions by action and by reason.",
        columns=2,
    )


def _bars(counts: dict[str, float], words: dict[str, str]) -> tuple[charts.Bar, ...]:
    total = sum(counts.values()) or 1
    rows = sorted(counts.items(), key=lambda item: -item[1])
    return tuple(
        charts.Bar(
            words.get(name.lower(), name.lower().replace("_", " ")),
            count,
            f"{numbers.number(int(count))} · {numbers.share(count / total)}",
        )
        for name, count in rows
    )


def _caption(actions: dict[str, float], reasons: dict[str, float]) -> str:
    parts = []
    if actions:
        offers = sum(count for name, count in actions.items() if name.lower() not in _NO_OFFER)
        total = sum(actions.values()) or 1
        parts.append(f"{numbers.share(offers / total)} of the decisions are an offer.")
    if reasons:
        open_ = sum(count for name, count in reasons.items() if name.lower() == "open")
        total = sum(reasons.values()) or 1
        parts.append(f"At {numbers.share(open_ / total)} of the points the rules left an offer possible.")
    return " ".join(parts)
