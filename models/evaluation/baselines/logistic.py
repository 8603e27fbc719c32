"""Logistic regression on the token and its means over the last tokens (`models.evaluation.logistic`)."""

from models.evaluation.catalog import Baseline, BaselineSettings, ByHead
from models.evaluation.logistic import fit_logistic
from models.training.dataset import Dataset


def fit(dataset: Dataset, settings: BaselineSettings) -> ByHead:
    """One regression a head."""
    window, seed = settings.model.window, settings.training.seed
    return ByHead(tuple(fit_logistic(dataset, head, window, seed).predict for head in range(len(dataset.heads))))


BASELINE = Baseline(
    title="logistic regression",
    meaning="linear in the token and in means over its person's last tokens",
    fit=fit,
)
