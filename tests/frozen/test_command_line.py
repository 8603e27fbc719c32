"""The command line is a public surface: scripts are written against it."""

import json

import pytest

from tests.frozen.command_line import AGREED, surface

AGREED_ON = json.loads(AGREED.read_text()) if AGREED.exists() else {}


def test_no_command_appears_or_disappears_unseen() -> None:
    assert sorted(surface()) == sorted(AGREED_ON)


@pytest.mark.parametrize("command", sorted(AGREED_ON))
def test_a_commands_options_are_as_agreed(command: str) -> None:
    now = json.loads(json.dumps(surface().get(command)))
    assert now == AGREED_ON[command], "changed on purpose? python -m tests.frozen.command_line, and review the diff"


@pytest.mark.parametrize("command", sorted(set(AGREED_ON) - {"broker", "up", "tail", "watch"}))
def test_a_command_can_answer_with_one_json_object(command: str) -> None:
    assert ["--json"] in [parameter["spelled"] for parameter in AGREED_ON[command]]
