"""What `calmverse ablate` does beside comparing: it writes the results, and tells them to people."""

import shlex
from typing import Any

from rich import box
from rich.table import Table

from infra.console import say
from infra.runs import environment
from models.evaluation.ablation.arms import AS_SET
from models.evaluation.ablation.compare import AblationRequest, ablate
from models.evaluation.ablation.page import ablation_page, verdict
from models.evaluation.page import text
from models.evaluation.results import print_whole, write_results

FOLDER = "ablation"


def execute(request: AblationRequest) -> dict[str, Any]:
    """Compare, write `ablation.json` and `ablation.html` into the folder of the request, and return the document."""
    document = ablate(request) | {"command": _command(request), "environment": environment()}
    write_results(request.out, document, ablation_page(document))
    return document


def tell(document: dict[str, Any]) -> None:
    """The result for people: the verdict, and a row for each arm and head."""
    say(verdict(document).sentence)
    table = Table(box=box.SIMPLE)
    for column in ("head", "setting", "log loss", f"better than {document['base']} by", "", "s"):
        table.add_column(column, justify="left" if column in {"head", "setting", ""} else "right", no_wrap=True)
    for head in document["arms"][document["base"]]["heads"]:
        for name, arm in document["arms"].items():
            one = arm["heads"][head]
            base = name == document["base"]
            compared = ("", "") if base else (text(one["difference"], 4), one["verdict"])
            table.add_row(head, name, text(one["log_loss"], 4), *compared, f"{arm['seconds']:,.1f}")
    print_whole(table)
    say(
        f"{document['starts']} random starts each, {document['people']:,} unseen people; 95% intervals over both, "
        "s: seconds of fitting"
    )


def _command(request: AblationRequest) -> str:
    design = request.design
    words = ["calmverse", "ablate", "--lake", str(request.lake)]
    for key, value in design.common.items():
        words += ["--set", f"{key}={value}"]
    words += [] if design.base.name == AS_SET else ["--against", design.base.name]
    for arm in design.others:
        words += ["--vary", "" if arm.name == AS_SET else arm.name]
    return shlex.join([*words, "--seeds", str(design.starts), "--seed", str(design.seed)])
