"""A trained network to an ONNX file of the contract."""

import warnings
from copy import deepcopy
from typing import cast

import onnx
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ecg_edge.spec import METADATA_KEY, ModelSpec
from export.choices import Choice
from export.network import Convolution, Network

OPSET = 18


class Exported(nn.Module):
    """What the ONNX file computes: calibrated window probabilities and their mean.

    Args:
        network: Trained, in evaluation mode.
        choice: Its calibration.
    """

    def __init__(self, network: Network, choice: Choice) -> None:
        super().__init__()
        self.network = fused(network)
        self.slope = nn.Buffer(torch.from_numpy(choice.slope))
        self.intercept = nn.Buffer(torch.from_numpy(choice.intercept))

    def forward(self, ecg: Tensor) -> tuple[Tensor, Tensor]:
        """Map (batch, 12, samples) to probability (batch, labels) and window probability (batch, windows, labels)."""
        window_probability = torch.sigmoid(self.network(ecg) * self.slope + self.intercept)
        return window_probability.mean(dim=1), window_probability


def to_onnx(exported: Exported, spec: ModelSpec) -> onnx.ModelProto:
    """Return the ONNX model of what is to be exported, its spec in the metadata."""
    free = torch.export.Dim.DYNAMIC
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own deprecations
        program = torch.onnx.export(
            exported.eval(),
            (torch.zeros(2, len(spec.leads), spec.window + 3 * spec.stride),),
            input_names=["ecg"],
            output_names=["probability", "window_probability"],
            dynamic_shapes={"ecg": {0: free, 2: free}},
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        msg = "the exporter returned nothing"
        raise RuntimeError(msg)
    model = program.model_proto
    _tidy(model)
    onnx.helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    return model


def fused(network: Network) -> Network:
    """Return a copy whose convolutions have taken in their batch norms."""
    copy = deepcopy(network).eval()
    for module in list(copy.modules()):
        if isinstance(module, Convolution):
            module.convolution = fuse_conv_bn_eval(module.convolution, cast("nn.BatchNorm2d", module.norm))
            module.norm = nn.Identity()
    return copy


def _tidy(model: onnx.ModelProto) -> None:
    """Name the free axes as the contract does, and drop the exporter's notes: they hold the paths of its machine."""
    graph = model.graph
    names = {"ecg": ("batch", None, "samples"), "probability": ("batch", None)}
    names["window_probability"] = ("batch", "windows", None)
    for value in (*graph.input, *graph.output):
        for axis, name in zip(value.type.tensor_type.shape.dim, names[value.name], strict=True):
            if name is not None:
                axis.dim_param = name
    del graph.value_info[:]
    del model.metadata_props[:]
    graph.doc_string = model.doc_string = ""
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        del part.metadata_props[:]
    for node in graph.node:
        node.doc_string = ""
