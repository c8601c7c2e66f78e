"""The examples in JavaScript give Python's answers: in Node, and in a browser. See `javascript.py` for what they need."""

import json
import re
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from folders import copy_models
from javascript import JAVASCRIPT, go_without, require_package, run_node

from ecg_edge import Detector, Recording, read_recording
from ecg_edge.model.windows import chunks
from ecg_edge.package_data import example_recordings, shipped_models

PROJECT = Path(__file__).resolve().parents[1]
TOLERANCE = 1e-5
LINE = re.compile(r"(\w+) (\w+): (\d+) windows, largest difference ([\d.e+-]+), [\d.]+ ms")


@pytest.fixture(scope="module")
def long_signal():
    """A recording that takes several calls of each model, and whose last window is not a regular one."""
    normal, ill = (np.load(example_recordings() / f"{name}.npy") for name in ("normal", "inferior_infarction"))
    return np.ascontiguousarray(np.hstack([ill, ill, ill, normal] * 3)[:, :57_777])


@pytest.fixture(scope="module")
def files(tmp_path_factory, long_signal):
    """The same recording in each form that the examples read, and others."""
    folder = tmp_path_factory.mktemp("samples")
    np.save(folder / "long.npy", long_signal)
    (folder / "long.f32").write_bytes(long_signal.astype("<f4").tobytes())
    short = long_signal[:, :860]
    (folder / "short.json").write_text(json.dumps(short.tolist()))
    return folder


def signal_of(path, long_signal):
    if path.parent == example_recordings():
        return read_recording(path).signal
    return long_signal[:, :860] if path.stem == "short" else long_signal


def assert_is_the_answer_of_python(answer, signal):
    finding = Detector(quality_gate="warn").detect(Recording(signal))
    assert answer["status"] == finding.status
    assert answer["probability"] == pytest.approx(finding.probability, abs=TOLERANCE)
    assert answer["threshold"] == finding.threshold
    assert answer["operating_point"] == finding.provenance.operating_point == "balanced"
    assert answer["duration_s"] == finding.duration_s
    assert [site["site"] for site in answer["sites"]] == [site.site for site in finding.sites]
    for site, expected in zip(answer["sites"], finding.sites, strict=True):
        assert site["probability"] == pytest.approx(expected.probability, abs=TOLERANCE)
        assert (site["threshold"], site["found"]) == (expected.threshold, expected.found)


def assert_all_vectors_hold(lines):
    *lines, last = lines
    rows = [LINE.fullmatch(line).groups() for line in lines]
    vectors = json.loads((shipped_models() / "vectors.json").read_bytes())
    expected = [(entry["name"], stage) for entry in vectors["inputs"] for stage in vectors["models"]]
    assert [row[:2] for row in rows] == expected
    for name, stage, windows, difference in rows:
        assert int(windows) == len(vectors["models"][stage]["answers"][name]["windows"])
        assert float(difference) <= TOLERANCE
    assert last.startswith("OK")


RECORDINGS = ["normal.npy", "inferior_infarction.npy", "long.npy", "long.f32", "short.json"]


def find_recording(name, files):
    return files / name if (files / name).exists() else example_recordings() / name


@pytest.mark.parametrize("name", RECORDINGS)
def test_node_gives_the_answer_of_python(files, long_signal, name):
    path = find_recording(name, files)
    result = run_node("node.mjs", path)
    assert result.returncode == 0, result.stderr
    assert_is_the_answer_of_python(json.loads(result.stdout), signal_of(path, long_signal))


def test_the_long_recording_takes_several_calls_and_has_a_tail(long_signal):
    for model in Detector().models:
        spec, samples = model.spec, long_signal.shape[1]
        assert len(list(chunks(samples, spec.window, spec.stride, spec.windows_per_call))) >= 3
        assert (samples - spec.window) % spec.stride


def test_node_confirms_the_vectors():
    result = run_node("node.mjs", "--vectors")
    assert result.returncode == 0, result.stdout + result.stderr
    assert_all_vectors_hold(result.stdout.splitlines())


@pytest.mark.parametrize("change", ["value", "window", "nothing"])
def test_node_finds_an_answer_that_differs(tmp_path, change):
    def damage(vectors):
        answer = vectors["models"]["localization"]["answers"]["4950"]
        if change == "value":
            answer["windows"][3][2] += 2e-5
        elif change == "window":
            del answer["windows"][-1]
        else:
            answer["mean"][0] = None

    result = run_node("node.mjs", "--vectors", copy_models(tmp_path, "vectors.json", damage))
    assert result.returncode == 1
    assert result.stdout.splitlines()[-1].startswith("FAILED")


def test_node_takes_every_number_from_the_specs(tmp_path):
    def change(spec):
        spec["thresholds"] = [0.9999]

    folder = copy_models(tmp_path, "infarction.json", change)
    answer = json.loads(run_node("node.mjs", example_recordings() / "inferior_infarction.npy", folder).stdout)
    assert (answer["status"], answer["threshold"], answer["sites"]) == ("not_detected", 0.9999, [])


def test_node_refuses_a_spec_or_a_model_that_is_not_that_of_the_manifest(tmp_path):
    folder = copy_models(tmp_path)
    path = folder / "localization.json"
    path.write_text(path.read_text().replace("0.5", "0.6"))
    result = run_node("node.mjs", "--vectors", folder)
    assert (result.returncode, result.stderr) == (1, "error: localization.json differs from the manifest\n")
    manifest = json.loads((folder / "manifest.json").read_bytes())
    del manifest["specs"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    result = run_node("node.mjs", "--vectors", folder)
    assert result.returncode == 1
    assert "run python -m export describe" in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.npy", b"I,II,III", "the file is named .npy and is none"),
        ("empty.npy", b"", "the file is named .npy and is none"),
        ("short.f32", np.zeros((12, 799), "<f4").tobytes(), "found 799 samples, expected 800 or more"),
        ("odd.f32", b"\0" * 50, "not 12 leads of float32"),
        ("few.json", json.dumps([[0] * 900] * 11).encode(), "found 11 leads, expected I, II"),
        ("uneven.json", json.dumps([[0] * 900] * 11 + [[0] * 901]).encode(), "different numbers of samples"),
        ("gap.json", json.dumps([[0] * 900] * 11 + [[0] * 899 + [None]]).encode(), "is not a number of mV"),
    ],
)
def test_node_says_in_one_line_what_is_wrong_with_a_file(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    result = run_node("node.mjs", tmp_path / name)
    assert result.returncode == 1
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("array", [np.zeros((12, 900)), np.zeros((900, 12), "<f4").T, np.zeros((11, 900), "<f4")])
def test_node_refuses_an_array_of_another_kind(tmp_path, array):
    np.save(tmp_path / "other.npy", array)
    result = run_node("node.mjs", tmp_path / "other.npy")
    assert result.returncode == 1
    assert "the .npy file does not state" in result.stderr
    assert 'write a signal of shape (12, samples) with numpy.save(name, numpy.ascontiguousarray(signal, "<f4"))' in (
        result.stderr
    )


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_node_explains_its_commands(option):
    result = run_node("node.mjs", option)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("usage: node node.mjs FILE [MODELS]")
    assert 'the operating point "balanced"' in result.stdout


@pytest.mark.parametrize("arguments", [[], ["--vector"]])
def test_node_says_how_it_is_used_if_no_file_is_named(arguments):
    result = run_node("node.mjs", *arguments)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("error: no file is named\nusage: node node.mjs FILE")


def test_node_cuts_recordings_as_python_does():
    specs = [
        {"window": window, "stride": stride, "windows_per_call": most, "tail": tail, "whole_length": whole}
        for window, stride in ((800, 100), (700, 50), (10, 10))
        for most in (1, 2, 7)
        for tail in ("window", "dropped")
        for whole in (None, 5000)
    ]
    lengths = [9, 10, 11, 20, 21, 700, 749, 800, 801, 860, 900, 901, 1499, 1500, 1501, 2200, 4950, 5000, 5001]
    code = (
        'import { listChunks } from "./detect.mjs"; const [specs, lengths] = JSON.parse(process.argv[1]);'
        "console.log(JSON.stringify(specs.map((spec) => lengths.map((samples) => [...listChunks(samples, spec)]))))"
    )
    result = run_node("--input-type=module", "-e", code, json.dumps([specs, lengths]))
    assert result.returncode == 0, result.stderr
    for spec, found in zip(specs, json.loads(result.stdout), strict=True):
        for samples, cut in zip(lengths, found, strict=True):
            assert cut == expect_chunks(samples, **spec), (samples, spec)


def expect_chunks(samples, window, stride, windows_per_call, tail, whole_length):
    if samples < window:
        return []
    if samples == whole_length:
        return [[0, samples]]
    return [list(chunk) for chunk in chunks(samples, window, stride, windows_per_call, tail)]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=PROJECT))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if None in programs:
        go_without("browser", "this machine does not have chromium and chromedriver")
    require_package("browser", "onnxruntime-web")
    try:
        from selenium import webdriver
    except ImportError:
        go_without("browser", "selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"):
        options.add_argument(argument)
    # With both paths given, selenium looks for nothing on the network.
    driver = webdriver.Chrome(options, webdriver.ChromeService(programs[1]))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, server):
    browser.get(f"{server}/examples/javascript/browser.html")
    assert read_output(browser) == "the models are loaded"
    return browser


def forget_output(page):
    page.execute_script("document.getElementById('output').dataset.state = 'waiting'")


def read_output(page):
    from selenium.webdriver.support.ui import WebDriverWait

    output = page.find_element("id", "output")
    WebDriverWait(page, 60).until(lambda _: output.get_attribute("data-state") in {"done", "failed"})
    return output.text


def test_the_browser_confirms_the_vectors(page, server):
    forget_output(page)
    page.find_element("id", "vectors").click()
    assert_all_vectors_hold(read_output(page).splitlines())
    loaded = page.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert any(name.endswith(".wasm") for name in loaded)
    assert all(name.startswith(server) for name in loaded)


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_browser_gives_the_answer_of_python(page, files, long_signal, name):
    path = find_recording(name, files)
    forget_output(page)
    page.find_element("id", "file").send_keys(str(path))
    assert_is_the_answer_of_python(json.loads(read_output(page)), signal_of(path, long_signal))


def test_the_browser_says_what_is_wrong_with_a_file(page, tmp_path):
    (tmp_path / "short.f32").write_bytes(np.zeros((12, 799), "<f4").tobytes())
    forget_output(page)
    page.find_element("id", "file").send_keys(str(tmp_path / "short.f32"))
    assert read_output(page) == "error: found 799 samples, expected 800 or more"


def test_each_file_of_the_examples_is_short_and_names_no_registry():
    files = [path for path in JAVASCRIPT.iterdir() if path.is_file()]
    assert {"README.md", "package.json", "node.mjs", "browser.html", "browser.mjs"} <= {path.name for path in files}
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 100
        assert "resolved" not in text
    package = json.loads((JAVASCRIPT / "package.json").read_bytes())
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in package["dependencies"].values())
