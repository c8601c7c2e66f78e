"""The two stages: windows, sizes, targets and training. Every setting that shapes a shipped model is here."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from export.augmentation import AugmentationSettings
from export.dataset import SITES, Dataset
from export.network import NetworkSettings
from export.training import TrainingSettings

N_FOLDS = 5
SEED = 0
MODEL_VERSION = "7"
# 512 windows of 800 samples every 100 are 104 s: enough to be fast, and a few MB of activations.
WINDOWS_PER_CALL = 512


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the cascade."""

    name: str
    labels: tuple[str, ...]
    network: NetworkSettings
    training: TrainingSettings
    healthy_weight: float
    """Weight of a record without infarction in the loss of the labels."""
    healthy_share: float
    """Share of the records without infarction that the stage learns from."""
    scored_on_infarctions: bool
    """Whether choices and figures are made on records with infarction only: the stage runs after the first one."""
    coded_weight: float = 0.0
    """Weight of a record without label of the experts, whose labels are estimated. 0: they are not used."""
    mixed: int = 0
    """Mixed recordings that each network learns from."""
    mixed_weight: float = 0.5
    """Weight of a mixed recording in the loss of the labels."""
    estimate_share: float = 0.5
    """Part of a label of the experts that its estimate replaces, because labels are opinions."""
    trees: int = 100
    """Of the gradient boosting that estimates labels."""
    teachers: int = 0
    """Networks with other random starts, of the same records, whose mean answer the network learns."""
    teacher_share: float = 0.8
    """Part of the loss that compares with the answer of the teachers if there are any."""

    def truth(self, dataset: Dataset) -> NDArray[np.float32]:
        """Return 0 or 1, shape (records, labels)."""
        return dataset.sites if self.labels == SITES else dataset.infarction

    def auxiliary(self, dataset: Dataset) -> NDArray[np.float32]:
        """Return targets for training only: the labels of the other stage and the dataset's auxiliary targets."""
        other = dataset.infarction if self.labels == SITES else dataset.sites
        return np.hstack([other, dataset.auxiliary])

    def weight(self, dataset: Dataset) -> NDArray[np.float32]:
        """Return the weight of each record in the loss of the labels, shape (records,)."""
        return np.where(dataset.infarction[:, 0] > 0, 1, self.healthy_weight).astype(np.float32)

    def select_taught(self, dataset: Dataset) -> NDArray[np.bool_]:
        """Return the records that the stage learns from, shape (records,)."""
        drawn = np.random.default_rng(SEED).random(len(dataset.names)) < self.healthy_share
        return drawn | (dataset.infarction[:, 0] > 0)

    def select_scored(self, dataset: Dataset) -> NDArray[np.bool_]:
        """Return the records on which the stage is chosen and measured, shape (records,)."""
        return (dataset.infarction[:, 0] > 0) | (not self.scored_on_infarctions)


INFARCTION = Stage(
    "infarction",
    ("infarction",),
    NetworkSettings(window=800, stride=100, convolutions=((32, 15, 5), (64, 7, 2), (64, 5, 2)), baseline=15),
    TrainingSettings(
        epochs=16,
        candidates=(16,),
        weight_decay=0.1,
        level="window",
        smoothing=0.1,
        augmentation=AugmentationSettings(lead_gain=0.0, noise_mv=0.015, stretch=0.0, share=0.8),
    ),
    healthy_weight=1.0,
    healthy_share=1.0,
    scored_on_infarctions=False,
    coded_weight=0.5,
    mixed=2500,
)
LOCALIZATION = Stage(
    "localization",
    SITES,
    NetworkSettings(
        window=700, stride=50, convolutions=((32, 15, 5), (64, 9, 5)), neighbours=4, members=2, baseline=15
    ),
    TrainingSettings(epochs=36, candidates=(24, 30, 36), stride=350, augmentation=AugmentationSettings(share=0.5)),
    healthy_weight=0.2,
    healthy_share=0.3,
    scored_on_infarctions=True,
    coded_weight=0.5,
    trees=40,
)
STAGES = {stage.name: stage for stage in (INFARCTION, LOCALIZATION)}
