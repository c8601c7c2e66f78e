"""The two networks of the original system, and how their checkpoints are read."""

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from export.original.errors import CheckpointError

LEADS = 12
UNUSED = "encoder_layer."


@dataclass(frozen=True, slots=True)
class Architecture:
    """The differences between the two networks."""

    name: str
    """Name of the original class."""
    window: int
    """Samples of a window, fixed by the shape of `fc1`."""
    heads: int
    outputs: int


BINARY = Architecture("ECG_CNN_TransformerBIN", window=800, heads=3, outputs=1)
LOCALIZATION = Architecture("ECG_CNN_Transformer", window=700, heads=2, outputs=6)


class OriginalNetwork(nn.Module):
    """One network as the code of its authors computes it, one window at a time. Exports are compared with it.

    Args:
        architecture: Which of the two.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.conv1 = nn.Conv1d(LEADS, 64, 7, padding=3)
        self.conv2 = nn.Conv1d(64, 128, 5, padding=2)
        self.conv3 = nn.Conv1d(128, 256, 3, padding=1)
        layer = nn.TransformerEncoderLayer(d_model=LEADS, nhead=architecture.heads)
        self.transformer_encoder = nn.TransformerEncoder(layer, num_layers=1, enable_nested_tensor=False)
        self.fc1 = nn.Linear((256 + LEADS) * architecture.window, 128)
        self.fc2 = nn.Linear(128, architecture.outputs)

    def forward(self, windows: Tensor) -> Tensor:
        """Map scaled windows (batch, 12, window) to logits (batch, outputs)."""
        x = functional.relu(self.conv1(windows))
        x = functional.relu(self.conv2(x))
        x = functional.relu(self.conv3(x)).flatten(1)
        # Sequence first: attention is over the samples of a window, never over the windows of a batch.
        y = self.transformer_encoder(windows.permute(2, 0, 1)).permute(1, 0, 2).flatten(1)
        logits: Tensor = self.fc2(functional.relu(self.fc1(torch.cat((x, y), dim=1))))
        return logits


def read_checkpoint(path: Path, architecture: Architecture) -> OriginalNetwork:
    """Read a `state_dict`. No code in the file is run.

    Raises:
        CheckpointError: The file is damaged or not a checkpoint of this network. The message names the key.
    """
    state = _read(path)
    with torch.device("meta"):
        network = OriginalNetwork(architecture)
    expected = network.state_dict()
    used = {key: value for key, value in state.items() if not key.startswith(UNUSED)}
    for why, keys in (("missing keys", expected.keys() - used.keys()), ("unknown keys", used.keys() - expected.keys())):
        if keys:
            raise CheckpointError(path, f"{why}: {', '.join(sorted(keys))}; expected the keys of {architecture.name}")
    for key, value in used.items():
        _check(path, key, value, expected[key])
    network.load_state_dict(used, assign=True)
    return network.eval().requires_grad_(requires_grad=False)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        file = io.BytesIO(path.read_bytes())
    except OSError as error:
        raise CheckpointError(path, f"cannot read the file: {error.strerror}") from error
    try:
        damaged = _find_damaged_part(file)
        state = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for other files
        raise CheckpointError(path, "the file is damaged, or contains more than weights") from error
    if damaged is not None:
        raise CheckpointError(path, f"the file is damaged: {damaged} in it does not match its checksum")
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise CheckpointError(path, "the file is not a state_dict of weights")
    return {str(key): value for key, value in state.items()}


def _find_damaged_part(file: io.BytesIO) -> str | None:
    # torch itself does not look at the checksums of the archive.
    damaged = None
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()
    file.seek(0)
    return damaged


def _check(path: Path, key: str, found: Tensor, expected: Tensor) -> None:
    if found.shape != expected.shape:
        raise CheckpointError(path, f"{key} has the shape {tuple(found.shape)}, expected {tuple(expected.shape)}")
    if found.dtype != torch.float32:
        raise CheckpointError(path, f"{key} is {found.dtype}, expected torch.float32")
    if not found.isfinite().all():
        raise CheckpointError(path, f"{key} has NaN or infinite values")
