"""One ONNX file: its spec and a session on the requested provider."""

from threading import Timer
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecg_edge.errors import InferenceError, ModelError, ProviderError
from ecg_edge.findings import ModelProvenance
from ecg_edge.model.manifest import CheckedFile
from ecg_edge.model.onnx_check import check_onnx
from ecg_edge.model.runtime import onnxruntime
from ecg_edge.model.spec import METADATA_KEY, ModelSpec
from ecg_edge.model.windows import n_regular_windows

PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
_ROUNDING = 1e-5
# A model that takes longer for a second of ECG is of no use.
_LONGEST_PROBE_S = 10.0
# On CUDA: products in full float32, and one choice of convolution for all lengths of recordings.
_PROVIDER_OPTIONS = {"CUDAExecutionProvider": {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}}


class Model:
    """A session and its spec; safe to call from several threads at once.

    Args:
        file: Checked bytes.
        provider: A key of `PROVIDERS`.

    Raises:
        ModelError: The bytes are not a model that keeps the contract.
        ProviderError: The session does not run on the provider.
    """

    def __init__(self, file: CheckedFile, provider: str = "cpu") -> None:
        self.provider = PROVIDERS[provider]
        self._session = _create_session(file, self.provider)
        text = self._session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        if text is None:
            raise ModelError(file.path, f"does not have {METADATA_KEY!r} in its metadata")
        self.metadata: str = text
        """JSON text of the spec, as the file holds it."""
        try:
            self.spec = ModelSpec.from_json(text)
        except ValueError as error:
            raise ModelError(file.path, str(error)) from error
        self.provenance = ModelProvenance(self.spec.name, self.spec.version, file.sha256)
        self._check_interface(file)
        self._probe(file)

    def _check_interface(self, file: CheckedFile) -> None:
        """Refuse a graph whose inputs and outputs do not match its spec, before it computes anything."""
        n = len(self.spec.labels)
        promised = {"ecg": (1, len(self.spec.leads), 1), "probability": (1, n)}
        promised |= dict.fromkeys(("window_probability", f"window_{self.spec.average}"), (1, 1, n))
        inputs = [node.name for node in self._session.get_inputs()]
        found = {node.name: node for node in (*self._session.get_inputs(), *self._session.get_outputs())}
        if inputs != ["ecg"] or not promised.keys() <= found.keys():
            raise ModelError(file.path, f"does not keep the contract: its inputs and outputs are {', '.join(found)}")
        for name, shape in promised.items():
            node = found[name]
            fits = len(node.shape) == len(shape) and all(
                size == wanted or not isinstance(size, int) for size, wanted in zip(node.shape, shape, strict=True)
            )
            if not fits or node.type != "tensor(float)":
                raise ModelError(
                    file.path, f"has {name} as {node.type} {node.shape}; its spec states another type or shape"
                )

    def _probe(self, file: CheckedFile) -> None:
        """Refuse a graph whose answer does not have the shape that its spec states."""
        spec = self.spec
        samples = spec.window + spec.stride
        promised = (1, n_regular_windows(samples, spec.window, spec.stride, spec.tail), len(spec.labels))
        limit = onnxruntime.RunOptions()
        timer = Timer(_LONGEST_PROBE_S, setattr, (limit, "terminate", True))
        timer.daemon = True
        timer.start()
        try:
            ecg = np.zeros((1, len(spec.leads), samples), np.float32)
            found = self._session.run([f"window_{spec.average}"], {"ecg": ecg}, limit)[0].shape
            self.window_scores(ecg)
        except Exception as error:  # onnxruntime raises many types without a common base
            raise ModelError(file.path, f"does not keep the contract: {error}") from error
        finally:
            timer.cancel()
        if found != promised:
            raise ModelError(file.path, f"answers {samples} samples in the shape {found}; its spec states {promised}")

    def window_scores(self, ecg: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores that the spec averages: the probability or the logit of each label in each regular window.

        Args:
            ecg: In the spec's unit and sampling rate, shape (batch, leads, samples), samples >= window.

        Returns:
            Shape (batch, windows, labels).

        Raises:
            InferenceError: onnxruntime fails.
        """
        try:
            scores = self._run(f"window_{self.spec.average}", ecg)
        except Exception as error:  # onnxruntime raises many types without a common base
            raise InferenceError(error) from error
        # Comparisons with NaN are false: scores that are not finite are reported by others.
        outside = (scores < -_ROUNDING) | (scores > 1 + _ROUNDING)
        if self.spec.average == "probability" and (outside & np.isfinite(scores)).any():
            why = f"the model {self.spec.name} gives probabilities outside 0 to 1"
            raise InferenceError(why)
        return scores

    def _run(self, output: str, ecg: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.provider == PROVIDERS["cpu"]:
            result: NDArray[np.float32] = self._session.run([output], {"ecg": ecg})[0]
            return result
        # With a binding, the input goes to the device once and only this output comes back.
        binding = self._session.io_binding()
        binding.bind_cpu_input("ecg", ecg)
        binding.bind_output(output)
        self._session.run_with_iobinding(binding)
        bound: NDArray[np.float32] = binding.get_outputs()[0].numpy()
        return bound


def _create_session(file: CheckedFile, provider: str) -> Any:  # noqa: ANN401 - onnxruntime has no type hints
    offered = onnxruntime.get_available_providers()
    if provider not in offered:
        raise ProviderError(provider, offered)
    options = onnxruntime.SessionOptions()
    # One thread a call: several calls side by side are faster than one call that splits these small networks.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # On a CPU the exception says what went wrong. Only the log says why CUDA does not start.
    options.log_severity_level = 4 if provider == PROVIDERS["cpu"] else 3
    # Otherwise onnxruntime guesses the format, and might guess another one than the one that was checked.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    try:
        check_onnx(file.content)
    except ValueError as error:
        raise ModelError(file.path, str(error)) from error
    try:
        session = onnxruntime.InferenceSession(
            file.content, options, providers=[provider], provider_options=[_PROVIDER_OPTIONS.get(provider, {})]
        )
    except Exception as error:  # onnxruntime raises many types without a common base
        raise ModelError(file.path, f"onnxruntime cannot load it: {error}") from error
    active = session.get_providers()
    if active[0] != provider:
        raise ProviderError(provider, active)
    return session
