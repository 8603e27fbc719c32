"""Commands for records that could not be handled: deadletters list, show, replay."""

from pathlib import Path
from typing import Annotated

import typer

from infra.broker_options import SecurityFile
from infra.console import emit_json, say
from infra.contracts.errors import BadInput, EnvironmentFailed
from infra.tail import target_of_broker, target_of_run

Run = Annotated[str, typer.Option("--run", help="A run id, a path, or latest.")]
Bootstrap = Annotated[str | None, typer.Option("--bootstrap", help="host:port of a broker, instead of --run.")]
Namespace = Annotated[str | None, typer.Option("--namespace", help="Namespace on that broker.")]
Runs = Annotated[Path, typer.Option("--runs", help="Where run folders are.")]
Stream = Annotated[str | None, typer.Option("--stream", help="Only of this stream: events, outcomes, scores, …")]
Reason = Annotated[str | None, typer.Option("--reason", help="Only those whose error holds this text.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")]

deadletters = typer.Typer(no_args_is_help=True, help="Records that could not be handled: list, show, send again.")


@deadletters.command("list")
def list_letters(
    run: Run = "latest",
    bootstrap: Bootstrap = None,
    namespace: Namespace = None,
    security: SecurityFile = None,
    stream: Stream = None,
    reason: Reason = None,
    each: Annotated[bool, typer.Option("--each", help="Every record, with its id, not only counts.")] = False,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> None:
    """How many records were put aside, by topic and reason; each counts once, however many readers met it."""
    from infra.deadletters.cases import chosen, describe, find_cases, summarise

    target = target_of_broker(bootstrap, namespace, security) or target_of_run(runs, run)
    cases = chosen(find_cases(target, _streams(stream)), [], reason)
    groups, letters = summarise(cases), [describe(case) for case in cases]
    for group in groups:
        again = f", {group['replayed']} replayed" if group["replayed"] else ""
        say(f"{group['count']:>6}  {group['topic']}  {group['reason']}  (from {group['first']}{again})")
    if each:
        for letter in letters:
            where = f"{letter['topic']}[{letter['partition']}] {letter['offset']}"
            say(f"{letter['id']}  {letter['state']}  {where}  {letter['error']}")
    say(f"{len(cases)} dead letters" if cases else "no dead letters")
    if json:
        emit_json({"dead_letters": len(cases), "groups": groups} | ({"letters": letters} if each else {}))


@deadletters.command("show")
def show_letter(
    name: Annotated[str, typer.Argument(metavar="ID", help="Such as events/2/17; list --each has them.")],
    run: Run = "latest",
    bootstrap: Bootstrap = None,
    namespace: Namespace = None,
    security: SecurityFile = None,
    value: Annotated[Path | None, typer.Option("--value", help="Write the record's value, as it is, here.")] = None,
    runs: Runs = Path("runs"),
    json: Annotated[bool, typer.Option("--json", help="Accepted for symmetry: it always prints JSON.")] = False,
) -> None:
    """One record as JSON: headers, error, and its rows where they can be read. Sensitive content is withheld."""
    from infra.deadletters.cases import chosen, find_cases, show

    del json
    target = target_of_broker(bootstrap, namespace, security) or target_of_run(runs, run)
    stream = name.partition("/")[0]
    (case,) = chosen(find_cases(target, _streams(stream)), [name], None)
    if value is not None:
        try:
            value.write_bytes(case.letter.raw.value)
        except OSError as problem:
            raise EnvironmentFailed(f"cannot write {value}: {problem.strerror}: choose another --value") from problem
        say(f"{len(case.letter.raw.value)} bytes are in {value}; text and symptoms in them are sensitive")
    emit_json(show(case))


@deadletters.command("replay")
def replay_letters(
    names: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Which; or --all.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that --stream and --reason leave.")] = False,
    run: Run = "latest",
    bootstrap: Bootstrap = None,
    namespace: Namespace = None,
    security: SecurityFile = None,
    stream: Stream = None,
    reason: Reason = None,
    unreadable: Annotated[
        bool, typer.Option("--unreadable", help="Also what this version cannot read, for readers that can.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False,
    runs: Runs = Path("runs"),
    json: Json = False,
) -> None:
    """Send records again, after a mend: same key, value and headers, to the topic and partition they stood in, once."""
    from infra.deadletters.cases import chosen, describe, find_cases
    from infra.deadletters.replay import plan, replay

    if everything == bool(names):
        raise BadInput("say which dead letters: their ids, or --all (with --stream and --reason where you like)")
    target = target_of_broker(bootstrap, namespace, security) or target_of_run(runs, run)
    cases = chosen(find_cases(target, _streams(stream)), names or [], reason)
    result = plan(target, cases, unreadable_too=unreadable)
    if not dry_run:
        result = replay(target, result)
    for why, kept in sorted(result.kept.items()):
        say(f"{len(kept):>6}  not sent: {why}  (from {kept[0]})")
    say(f"{len(result.sent):>6}  {'would be sent' if dry_run else 'sent'} again")
    if json:
        sent = [describe(case) for case in result.sent]
        emit_json({"dry_run": dry_run, "sent": len(sent), "letters": sent, "not_sent": result.kept})


def _streams(stream: str | None) -> tuple[str, ...]:
    from infra.contracts.topics import STREAMS

    return STREAMS if stream is None else (stream,)
