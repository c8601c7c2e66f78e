"""The HTTP interface keeps what its description in OpenAPI says."""

import json
import subprocess
import sys

import pytest

CHECKS = ("not_a_server_error", "content_type_conformance", "response_schema_conformance", "status_code_conformance")


@pytest.fixture(scope="module")
def described(served, infarction):
    """The description, with the id of a record that there is."""
    record = served.client.post("/v1/records?wait=30", files={"file": ("a.npy", infarction)}).json()
    described = served.client.get("/v1/openapi.json").json()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == "record_id" and method == "get":
                    assert path.startswith("/v1/records/{record_id}")
                    parameter["schema"]["enum"] = [record["id"]]
    return described


def test_generated_requests_find_no_fault_of_the_server(served, described, tmp_path):
    pytest.importorskip("schemathesis", reason="schemathesis, which makes up requests, is not installed")
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(described), encoding="utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(path), "--url", served.address, "--no-color"]
    command += ["--checks", ",".join(CHECKS), "--max-examples", "5", "--generation-deterministic"]
    command += ["--suppress-health-check", "all", "--phases", "coverage,fuzzing"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180, cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert 'status="500"' not in served.client.get("/metrics").text


def test_the_description_has_every_route_of_the_interface(described):
    operations = {(method, path) for path, methods in described["paths"].items() for method in methods}
    assert operations == {
        ("post", "/v1/uploads"),
        ("get", "/v1/uploads/{upload_id}"),
        ("post", "/v1/records"),
        ("get", "/v1/records"),
        ("get", "/v1/records/{record_id}"),
        ("delete", "/v1/records/{record_id}"),
        ("get", "/v1/records/{record_id}/ecg.svg"),
        ("get", "/v1/records/{record_id}/report.html"),
        ("get", "/v1/records/{record_id}/trace.svg"),
        ("get", "/v1/records/{record_id}/samples"),
        ("post", "/v1/submission"),
        ("get", "/v1/export.csv"),
        ("get", "/v1/export.jsonl"),
        ("get", "/v1/health"),
        ("get", "/v1/version"),
    }


def test_programs_get_problems_and_people_get_pages(served):
    for path in ("/v1/records/none", "/v1/uploads/none", "/nothing", "/static/none.css", "/v1/records?page=0"):
        problem = served.client.get(path)
        assert problem.headers["content-type"] == "application/problem+json"
        assert problem.json()["status"] == problem.status_code
        assert problem.json()["detail"]
        page = served.browser().get(path, headers={"Accept": "text/html"})
        assert page.headers["content-type"].startswith("text/html")
        assert page.status_code == problem.status_code
    wrong = served.client.put("/v1/records")
    assert (wrong.status_code, wrong.headers["content-type"]) == (405, "application/problem+json")


def test_health_version_and_metrics(served, normal):
    served.wait(served.upload(("a.npy", normal)))
    assert served.client.get("/v1/health").json() == {"status": "ok"}
    version = served.client.get("/v1/version").json()
    assert [model["name"] for model in version["models"]] == ["infarction", "localization", "plausibility"]
    metrics = served.client.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    values = dict(line.rsplit(" ", 1) for line in metrics.text.splitlines() if not line.startswith("#"))
    assert int(values['ecg_edge_requests_total{method="GET",status="200"}']) >= 2
    assert int(values['ecg_edge_records{status="done"}']) >= 1
