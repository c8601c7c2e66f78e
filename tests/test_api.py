"""What `import ecg_edge` shows and what it does not load."""

import pydoc
import subprocess
import sys

import ecg_edge


def in_a_new_process(script):
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout


def test_dir_shows_the_api():
    assert set(dir(ecg_edge)) == set(ecg_edge.__all__)
    assert {"Detector", "Recording", "read_recording", "readers"} <= set(dir(ecg_edge))


def test_modules_of_the_api_need_no_import_of_their_own():
    script = (
        "import ecg_edge; print(ecg_edge.readers.find_records, ecg_edge.errors.EcgEdgeError, ecg_edge.stream.Stream)"
    )
    assert "find_records" in in_a_new_process(script)


def test_help_shows_the_arguments_of_a_detector():
    shown = pydoc.render_doc(ecg_edge.Detector, renderer=pydoc.plaintext)
    for argument in ("models", "provider", "threads", "quality_gate"):
        assert argument in shown


def test_the_import_alone_loads_neither_numpy_nor_onnxruntime():
    loaded = in_a_new_process("import sys, ecg_edge; dir(ecg_edge); print(*sys.modules)").split()
    assert not {"numpy", "onnxruntime", "click"} & set(loaded)


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(ecg_edge, "detect_everything")
