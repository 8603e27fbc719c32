"""Commands: `train`, `tune`, `finetune`, `compress`, `ablate`, `evaluate`, `explain`, `models …`, `sentiment`, and
`bench train`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from infra.console import emit_json, progress_bar, say
from infra.contracts.errors import BadInput
from models.ablate_cli import ablate
from models.compress_cli import compress
from models.explain_cli import explain
from models.finetune_cli import finetune
from models.lake_options import INTERRUPTED, named_lake
from models.registry_cli import FOLDER as REGISTRY
from models.registry_cli import models as registry_commands
from models.sentiment_cli import sentiment
from models.tune_cli import tune

if TYPE_CHECKING:
    from models.evaluation.comparison import People
    from models.training.settings import OutsideLog, Progress, TrainingRequest, TrainingResult


def train(
    run: Annotated[
        str | None, typer.Option("--run", help="Run to train on: a folder, an id in runs/, or latest.")
    ] = None,
    lake: Annotated[Path | None, typer.Option("--lake", help="Lake to train on, instead of a run.")] = None,
    truth: Annotated[
        Path | None, typer.Option("--truth", help="Where the true probabilities are, for the evaluation only.")
    ] = None,
    events: Annotated[
        Path | None, typer.Option("--events", help="Somebody else's log to train on: Parquet, CSV or JSON lines.")
    ] = None,
    schema: Annotated[
        Path | None, typer.Option("--schema", help="YAML that maps the log's person, time, kind, item and outcome.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the checkpoint; model/ beside the lake when not given.")
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=0, help="Ray Train workers; 0 trains in this process, without Ray.")
    ] = 1,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training that was stopped.")] = False,
    mlflow: Annotated[
        str | None, typer.Option("--mlflow", help="Address of an MLflow server to log to, beside OUT/tensorboard.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE of model or training; may be given again.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the split, the first weights and the order.")] = 1,
    registry: Annotated[Path, typer.Option("--registry", help="Where the model is registered.")] = REGISTRY,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")] = False,
) -> None:
    """Train the attention model, and compare it on unseen people with a simple model and the best possible."""
    from models.training.registry import Registry
    from models.training.settings import TrainingRequest, parse
    from models.training.train import train as run_training

    log = _log(events, schema, [run, lake, truth])
    where, known_truth = named_lake(run, lake, truth) if log is None else (log.file, None)
    own = {} if log is None else {"horizon_min": 0} | log.mapping.training
    model, training = parse(own | {"seed": seed} | _pairs(settings or []))
    say(f"training on {where}")
    with progress_bar() as bar:
        request = TrainingRequest(
            lake=where,
            out_dir=out or where.parent / ("model" if log is None else f"{where.stem}-model"),
            truth=known_truth,
            model=model,
            training=training,
            workers=workers,
            resume=resume,
            log=log,
            mlflow=mlflow,
            progress=_shower(bar.add_task("training", total=training.epochs), bar),
        )
        result = _stoppable(request, run_training)
    _show(result)
    Registry(registry).add(result.checkpoint_dir)
    if json:
        emit_json(_document(result))


def evaluate(
    run: Annotated[
        str | None, typer.Option("--run", help="Run to evaluate on: a folder, an id in runs/, or latest.")
    ] = None,
    model: Annotated[Path | None, typer.Option("--model", help="Checkpoint; the run's model/ when not given.")] = None,
    lake: Annotated[Path | None, typer.Option("--lake", help="Lake to evaluate on, instead of a run.")] = None,
    truth: Annotated[Path | None, typer.Option("--truth", help="Where the true probabilities are.")] = None,
    people: Annotated[
        str, typer.Option("--people", help="unseen by the model, or all (of a run of other people).")
    ] = "unseen",
    baselines: Annotated[
        str | None, typer.Option("--baselines", help="Names with commas, or none; all when not given.")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="Of the intervals and the baselines; the model's own if not given."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")] = False,
) -> None:
    """Hold a model against five baselines and the best possible on a run, with intervals; written beside the run."""
    from models.evaluation.command import execute, tell
    from models.evaluation.comparison import EvaluationRequest

    where, known_truth = named_lake(run, lake, truth)
    if people not in {"unseen", "all"}:
        raise BadInput(f"--people {people}: unseen, or all")
    request = EvaluationRequest(
        model=model or where.parent / "model",
        run=where.parent,
        lake=where,
        truth=known_truth,
        people=cast("People", people),
        baselines=_chosen(baselines),
        seed=seed,
        say=say,
    )
    document = execute(request)
    tell(document)
    say(f"the page is {where.parent / 'evaluation' / 'evaluation.html'}")
    if json:
        emit_json(document)


def bench_train(
    people: Annotated[int, typer.Option("--people", min=50, help="People of the made-up data.")] = 4_000,
    epochs: Annotated[int, typer.Option("--epochs", min=2, help="Of each lane; the first is warm-up.")] = 4,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Of all lanes.")] = 2,
    batch_tokens: Annotated[
        int, typer.Option("--batch-tokens", min=256, help="Tokens a step and worker, in every lane.")
    ] = 4_096,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line on stdout.")] = False,
) -> None:
    """Training on one and two Ray workers against plain PyTorch loops on the same batches."""
    from models.training.bench import TrainBench, run_bench

    bench = TrainBench(people=people, epochs=epochs, rounds=rounds, batch_tokens=batch_tokens)
    found = run_bench(bench, progress=say)
    say(
        f"one Ray worker {found['tokens_per_s']:,} tokens/s, {found['ratio']:.2f} of a plain loop "
        f"({found['baseline_tokens_per_s']:,}); two {found['tokens_per_s_2_workers']:,}, "
        f"{found['efficiency_2_workers']:.2f} of two plain loops; {found['input_wait_fraction']:.1%} waiting for input"
    )
    if json:
        emit_json(found)


COMMANDS: dict[str, Callable[..., Any] | typer.Typer] = {
    "train": train,
    "ablate": ablate,
    "compress": compress,
    "evaluate": evaluate,
    "explain": explain,
    "finetune": finetune,
    "models": registry_commands,
    "sentiment": sentiment,
    "tune": tune,
}
BENCHES: dict[str, Callable[..., Any]] = {"train": bench_train}


def _stoppable(
    request: "TrainingRequest", run_training: "Callable[[TrainingRequest], TrainingResult]"
) -> "TrainingResult":
    """Train; Ctrl-C says how to go on, and exits with 130."""
    from models.training.savepoints import stopped_in

    try:
        return run_training(request)
    except KeyboardInterrupt:
        found = stopped_in(request.savepoints)
        if found is None:
            say("stopped before the first savepoint: nothing is kept")
        else:
            phase, where = found
            epoch = f"epoch {where.epoch + 1}" if phase == "training" else f"epoch {where.epoch + 1} of {phase}"
            say(f"stopped; saved in {epoch} after {where.step} steps: go on with --resume")
        raise typer.Exit(INTERRUPTED) from None


def _chosen(names: str | None) -> tuple[str, ...]:
    """Baselines by name; all of them for None, none for `none`. Raises BadInput for one that does not exist."""
    from models.evaluation.catalog import baseline, baselines

    if names is None:
        return baselines()
    chosen = tuple(name.strip() for name in names.split(",") if name.strip() not in {"", "none"})
    for name in chosen:
        baseline(name)
    return tuple(dict.fromkeys(chosen))


def _log(events: Path | None, schema: Path | None, others: list[object]) -> "OutsideLog | None":
    """The outside log, where one is named."""
    from models.features.outside_map import load_map
    from models.training.settings import OutsideLog

    if events is None:
        if schema is not None:
            raise BadInput("--schema says how a log's columns map: give the log too, with --events FILE")
        return None
    if any(each is not None for each in others):
        raise BadInput("--events is somebody else's log: leave out --run, --lake and --truth")
    return OutsideLog(file=events, mapping=load_map(schema))


def _pairs(texts: list[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign or not key:
            raise BadInput(f"--set {text}: give KEY=VALUE, such as --set epochs=4")
        pairs[key] = value
    return pairs


def _shower(task: Any, bar: Any) -> "Callable[[Progress], None]":  # noqa: ANN401  rich's own types
    def show(progress: "Progress") -> None:
        bar.update(task, description=progress.phase, total=progress.epochs, completed=progress.epoch)
        loss = "log loss" if progress.phase == "training" else f"loss of {progress.phase}"
        say(
            f"epoch {progress.epoch}/{progress.epochs}: {loss} {progress.train_loss:.4f} in training, "
            f"{progress.validation_loss:.4f} in validation, {progress.tokens_per_s:,.0f} tokens/s"
        )

    return show


def _document(result: "TrainingResult") -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "version": result.version,
        "checkpoint": str(result.checkpoint_dir),
        "heads": result.heads,
        "notes": list(result.notes),
        "history": [asdict(each) for each in result.history],
        "seconds": result.seconds,
    }


def _show(result: "TrainingResult") -> None:
    """The table for people: log loss on unseen people, the model between the base rate and the best possible."""
    from rich import box
    from rich.table import Table

    from infra.console import stderr

    say("log loss on unseen people (lower is better):")
    table = Table(box=box.SIMPLE)
    for column in ("head", "people", "base", "logistic", "model", "oracle", "closed", "AUC"):
        table.add_column(column, justify="left" if column == "head" else "right", no_wrap=True)
    for name, head in result.heads.items():
        table.add_row(name, *_cells(head))
    stderr().print(table)
    for name, head in result.heads.items():
        if head["rows"]:
            say(f"{name}: {_advantage(head)}")
    for note in result.notes:
        say(f"note: {note}")
    for name, head in result.heads.items():
        if head["rows"] and not head["beats_base"]:
            say(f"note: head '{name}' does not beat the base rate on unseen people: train on more, or for longer")
    say(f"model {result.version} is in {result.checkpoint_dir}")


def _cells(head: dict[str, Any]) -> list[str]:
    if not head["rows"]:
        return ["0"]
    return [
        f"{head['people']:,}",
        _number(head["base_log_loss"]),
        _number(head["logistic_log_loss"]),
        _number(head["log_loss"]),
        _number(head["latent_oracle_log_loss"]),
        "–" if head["gap_closed"] is None else f"{head['gap_closed']:.0%}",
        _number(head["auc"]),
    ]


def _advantage(head: dict[str, Any]) -> str:
    """The difference to the logistic regression, or else the base rate, in words, with its interval."""
    other = "logistic regression" if "difference_to_logistic" in head else "frequencies of the classes"
    difference = head.get("difference_to_logistic", head["difference_to_base"])
    interval = f"[{_number(difference['ci_low'])}, {_number(difference['ci_high'])}]"
    return f"{_number(difference['mean'])} below the {other}, 95% interval {interval}, {head['rows']:,} labels"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
