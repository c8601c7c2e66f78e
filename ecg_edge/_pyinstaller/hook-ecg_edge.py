"""PyInstaller runs this where a program imports ecg_edge."""

from ecg_edge.package_data import example_recordings, shipped_models
from ecg_edge.readers.registry import module_names

hiddenimports = ["ecg_edge.detector", "ecg_edge.stream", "ecg_edge.recording.resampling", *module_names()]
datas = [(str(shipped_models()), "ecg_edge/onnx_models"), (str(example_recordings() / "*.npy"), "ecg_edge/examples")]
