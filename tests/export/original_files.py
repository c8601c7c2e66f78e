"""Files like those of the original system, with random weights, and what its notebook makes of them."""

import joblib
import numpy as np
import torch
from sklearn.preprocessing import StandardScaler

from export.original.checkpoint import OriginalNetwork


def weights(architecture, seed=1):
    """Weights of the right keys and shapes, with the unused layer, lively enough that answers differ."""
    torch.manual_seed(seed)
    network = OriginalNetwork(architecture)
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if name.endswith("bias") or "norm" in name:
                weight.add_(0.1 * torch.randn_like(weight))
        network.fc2.weight *= 8
    state = network.state_dict()
    layer = "transformer_encoder.layers.0"
    unused = {key.replace(layer, "encoder_layer"): torch.zeros(1) for key in state if key.startswith(layer)}
    return {**unused, **state}


def hollow(architecture):
    """Right keys and shapes in a file of a few kilobytes: one number stands for a whole tensor."""
    with torch.device("meta"):
        network = OriginalNetwork(architecture)
    return {key: torch.zeros(()).expand(value.shape) for key, value in network.state_dict().items()}


def store_scaler(path, samples=5000, **options):
    """Store a scaler fitted on noise whose level rises with time; return it."""
    noise = np.random.default_rng(0).normal(0, 1, (50, samples)) * np.linspace(0.2, 0.5, samples) + 0.1
    fitted = StandardScaler().fit(noise)
    joblib.dump(fitted, path, **options)
    return fitted


def signal(samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.3, (12, samples)).astype(np.float32)


def scaled(ecg, files):
    """As scikit-learn does it for 5000 samples, else by the mean of the means and the mean of the scales."""
    original = joblib.load(files / "scaler.joblib")
    if ecg.shape[1] == 5000:
        return original.transform(ecg)
    return (ecg - original.mean_.mean()) / original.scale_.mean()


def logits(network, ecg, starts):
    """As the notebook does it: window by window."""
    window = network.architecture.window
    parts = [torch.from_numpy(ecg[None, :, start : start + window].astype(np.float32)) for start in starts]
    with torch.no_grad():
        return torch.cat([network(part) for part in parts])


def checkpoints(files):
    """Options of the command that names them."""
    named = [("--binary", "infarction.pt"), ("--localization", "localization.pt"), ("--scaler", "scaler.joblib")]
    return [part for option, name in named for part in (option, files / name)]
