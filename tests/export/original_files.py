"""Files like those of the original system, with random weights."""

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
        for name, each in network.named_parameters():
            if name.endswith("bias") or "norm" in name:
                each.add_(0.1 * torch.randn_like(each))
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


def scaler(path, samples=5000, **options):
    """Store a scaler fitted on noise whose level rises with time; return it."""
    noise = np.random.default_rng(0).normal(0, 1, (50, samples)) * np.linspace(0.2, 0.5, samples) + 0.1
    fitted = StandardScaler().fit(noise)
    joblib.dump(fitted, path, **options)
    return fitted
