"""A load test of the stand-in as a process of its own, for tests that send it signals: `drive.py RUNS BEHAVIOUR`."""

import sys
from pathlib import Path

from infra.console import emit_json
from infra.contracts.errors import CalmverseError
from load_tests.cli import exit_code
from load_tests.command import LoadTest, run

STAND_IN = (sys.executable, "-P", str(Path(__file__).with_name("stand_in.py")))


def request(runs: Path, behaviour: str, *, seconds: float = 2.0, slos: tuple[str, ...] = ()) -> LoadTest:
    settings = {"rate": 400.0, "seconds": seconds, "warmup": 0.5, "seed": 3}
    return LoadTest(
        scenario="pipeline", settings=settings, slos=slos, runs=runs, policy=behaviour, drain=20.0, program=STAND_IN
    )


def main() -> int:
    try:
        document = run(request(Path(sys.argv[1]), sys.argv[2], seconds=60.0))
    except CalmverseError as problem:
        sys.stderr.write(f"error: {problem}\n")
        return problem.exit_code
    emit_json(document)
    return exit_code(document)


if __name__ == "__main__":
    sys.exit(main())
