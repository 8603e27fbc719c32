"""What may be compared: arms that are trained otherwise and judged alike."""

from typing import Any

import pytest

from infra.contracts.errors import BadInput
from models.evaluation.ablation.arms import AS_SET, Arm, Design, read_arm


def test_an_arm_is_read_from_settings_with_spaces() -> None:
    assert read_arm("mechanism=banded  outputs=lapse,interaction") == Arm(
        "mechanism=banded outputs=lapse,interaction", {"mechanism": "banded", "outputs": "lapse,interaction"}
    )
    assert read_arm(" ") == Arm(AS_SET)


def test_arms_add_to_what_all_have_and_starts_vary_nothing_else() -> None:
    design = Design(base=Arm(AS_SET), others=(read_arm("window=8"),), common={"window": "16", "epochs": "3"}, seed=4)
    model, training = design.configs(design.others[0], 2)
    assert (model.window, training.epochs, training.seed, training.start) == (8, 3, 4, 2)
    assert design.configs(design.base, 0)[0].window == 16


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"others": ()}, "such as --vary"),
        ({"starts": 1}, "needs two of them"),
        ({"others": (read_arm("window=32"),)}, "'window=32' and 'as set' are the same training"),
        (
            {"others": (read_arm("horizon_min=5"),)},
            "has horizon_min=5, 'as set' 30: they would be judged by other labels",
        ),
        ({"others": (read_arm("train_share=0.5"),)}, "other people"),
        ({"others": (read_arm("seed=5"),)}, "--seeds counts the starts"),
        ({"common": {"start": "5"}}, "--seeds counts the starts"),
        ({"others": (read_arm("windw=5"),)}, "did you mean window"),
    ],
)
def test_what_cannot_be_compared_is_refused(changed: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"base": Arm(AS_SET), "others": (read_arm("window=8"),)}
    with pytest.raises(BadInput, match=message):
        Design(**(given | changed))


@pytest.mark.parametrize("text", ["window", "=3", "window=3 banded"])
def test_an_arm_without_a_value_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is not an arm"):
        read_arm(text)
