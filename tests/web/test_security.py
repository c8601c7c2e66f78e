"""Who is answered, and what nobody gets."""

import re
import socket
import subprocess
import sys
from urllib.parse import urlsplit

import pytest
from served import form_token, npy, zipped

from ecg_edge.web.settings import Settings, is_loopback

TOKEN = "a-token-for-these-tests-only"
ATTACK = '"><script>alert(1)</script><img src=x onerror=alert(2)>'


@pytest.fixture(scope="module")
def guarded(serve, tmp_path_factory):
    """A server that listens beyond loopback."""
    data = tmp_path_factory.mktemp("guarded") / "data"
    return serve(data, "--host", "0.0.0.0", environment={"ECG_EDGE_TOKEN": TOKEN})


def is_problem(answer, status):
    if answer.headers["content-type"] != "application/problem+json" or answer.status_code != status:
        return False
    problem = answer.json()
    return problem["status"] == status and {"type", "title", "detail"} <= problem.keys()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "[bad"])
def test_a_foreign_name_that_leads_here_is_refused(served, host):
    assert is_problem(served.client.get("/v1/records", headers={"Host": host}), 421)
    assert served.client.get("/", headers={"Host": host, "Accept": "text/html"}).status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8377", "127.0.0.1:1", "[::1]:8377"])
def test_the_names_of_this_machine_are_answered(served, host):
    assert served.client.get("/v1/records", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_changes_nothing(served, headers, normal):
    before = served.client.get("/v1/records").json()["total"]
    answer = served.client.post("/v1/uploads", files={"files": ("a.npy", normal)}, headers=headers)
    assert is_problem(answer, 403)
    assert served.client.get("/v1/records").json()["total"] == before


def test_a_browser_needs_the_form_token_of_its_own_page(served, normal):
    browser, other = served.browser(), served.browser()
    token, foreign = form_token(browser.get("/")), form_token(other.get("/"))
    for headers in ({}, {"X-CSRF-Token": foreign}, {"X-CSRF-Token": "0" * 64}):
        assert is_problem(browser.post("/v1/uploads", files={"files": ("a.npy", normal)}, headers=headers), 403)
    own = {"X-CSRF-Token": token, "Origin": served.address}
    accepted = browser.post("/v1/uploads", files={"files": ("a.npy", normal)}, headers=own)
    assert accepted.status_code == 202
    (record,) = served.wait(accepted.json())["records"]
    assert is_problem(browser.delete(f"/v1/records/{record['id']}"), 403)
    assert browser.post(f"/records/{record['id']}/delete", data={"token_of_form": foreign}).status_code == 403
    assert served.client.get(f"/v1/records/{record['id']}").status_code == 200
    assert browser.delete(f"/v1/records/{record['id']}", headers={"X-CSRF-Token": token}).status_code == 204


def test_every_page_forbids_foreign_and_inline_script(served, normal):
    (record,) = served.wait(served.upload(("a.npy", normal)))["records"]
    browser = served.browser()
    for path in ("/", "/submission", "/login", f"/records/{record['id']}", "/records/none", "/nothing"):
        page = browser.get(path, headers={"Accept": "text/html"})
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe-inline" not in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\son\w+=|javascript:", page.text)
        assert not re.search(r"(?:src|href|action)=\"?(?:https?:)?//", page.text)
    for path in ("ecg.svg", "report.html", "trace.svg"):
        picture = browser.get(f"/v1/records/{record['id']}/{path}")
        assert "default-src 'none'" in picture.headers["content-security-policy"]
        assert "sandbox" in picture.headers["content-security-policy"]


def test_names_with_html_are_text_everywhere(served, normal):
    upload = served.upload((f"{ATTACK}.npy", normal), (f"{ATTACK}.zip", zipped(**{f"x{ATTACK}__npy": normal})))
    progress = served.wait(upload)
    browser = served.browser()
    records = [record for record in progress["records"] if "script" in record["name"] or "img" in record["name"]]
    assert records
    pages = [browser.get("/"), browser.get("/", params={"q": ATTACK}), browser.get(f"/?upload={upload['upload']}")]
    for record in records:
        pages += [browser.get(f"/records/{record['id']}"), browser.get(f"/v1/records/{record['id']}/ecg.svg")]
        pages.append(browser.get(f"/v1/records/{record['id']}/report.html"))
    for page in pages:
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
    names = served.client.get("/v1/records", params={"q": records[0]["name"]}).json()["records"]
    assert names[0]["name"] == records[0]["name"]


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/static/",
        "/templates/list.html",
        "/../../etc/passwd",
        "/ecg_edge.sqlite3",
        "/docs",
        "/openapi.json",
    ],
)
def test_no_folder_of_the_server_is_reachable(served, path):
    # The client would tidy up the path; a plain socket sends it as it is.
    address = urlsplit(served.address)
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: {address.netloc}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))
    assert b"import " not in answer
    assert b"root:" not in answer


def test_without_the_token_there_is_nothing_but_its_form(guarded, normal):
    client = guarded.client
    assert client.get("/v1/health").status_code == 200
    for path in (
        "/v1/records",
        "/v1/version",
        "/metrics",
        "/v1/export.csv",
        "/v1/openapi.json",
        "/v1/records/x/ecg.svg",
    ):
        answer = client.get(path)
        assert is_problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
    page = client.get("/", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/login")
    assert is_problem(client.post("/v1/uploads", files={"files": ("a.npy", normal)}), 401)
    for wrong in ("x", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "ä"):
        headers = {"Authorization": f"Bearer {wrong}".encode()}
        assert is_problem(client.get("/v1/records", headers=headers), 401)
    assert client.get("/v1/records", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_a_browser_opens_a_session_with_the_token(guarded):
    browser = guarded.browser()
    page = browser.get("/login")
    wrong = browser.post("/login", data={"token": "wrong", "token_of_form": form_token(page)})
    assert wrong.status_code == 403
    assert browser.get("/v1/records").status_code == 401
    opened = browser.post("/login", data={"token": TOKEN, "token_of_form": form_token(page)})
    assert (opened.status_code, opened.headers["location"]) == (303, "/")
    cookie = next(line for line in opened.headers.get_list("set-cookie") if "session" in line)
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert TOKEN not in cookie
    assert browser.get("/").status_code == 200
    forged = guarded.browser(cookies={"ecg_edge_session": f"99999999999.{'0' * 64}"})
    assert forged.get("/v1/records").status_code == 401


def test_beyond_loopback_addresses_are_answered_and_foreign_names_are_not(guarded):
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert guarded.client.get("/v1/records", headers=headers | {"Host": "192.0.2.7:8377"}).status_code == 200
    assert is_problem(guarded.client.get("/v1/records", headers=headers | {"Host": "evil.example"}), 421)


@pytest.mark.parametrize(
    "options", [["--host", "0.0.0.0"], ["--host", "::"], ["--token", "short"], ["--token", "x" * 15 + "ä"]]
)
def test_a_server_without_a_good_token_does_not_start(tmp_path, options):
    command = [sys.executable, "-m", "ecg_edge", "serve", "--data", tmp_path / "data", *options]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 2
    assert "token" in result.stderr
    assert not (tmp_path / "data").exists()


def test_the_size_of_a_body_is_bounded_while_it_comes(serve, tmp_path):
    served = serve(tmp_path / "data", "--max-upload", "1")
    large = npy_of_bytes(3 * 2**20)
    assert is_problem(served.client.post("/v1/uploads", files={"files": ("a.npy", large)}), 413)
    sent = 0

    def endless():
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'
        while sent < 2**30:
            sent += 2**16
            yield b"0" * 2**16

    # The server may hang up before it is asked for the answer.
    import httpx

    try:
        answer = served.client.post(
            "/v1/uploads", content=endless(), headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
        assert is_problem(answer, 413)
    except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        pass
    assert sent < 2**26
    assert is_problem(served.client.post("/language", content=b"x" * 2**20 + b"x"), 413)
    assert served.client.get("/v1/health").status_code == 200


def as_text(name):
    """The name as a browser sends it."""
    return name.encode("utf-8", "replace").decode()


def npy_of_bytes(size):
    import numpy as np

    return npy(np.zeros((12, size // 48), np.float32))


def test_a_bomb_and_too_many_records_are_refused_by_name(serve, tmp_path, normal):
    served = serve(tmp_path / "data", "--max-records", "3")
    upload = served.upload(
        ("bomb.zip", zipped(bomb__npy=npy_of_bytes(2**26))),
        ("many.zip", zipped(**{f"r{i}__npy": normal for i in range(5)})),
    )
    refused = {file["name"]: file["reason"] for file in upload["files"] if file["status"] == "refused"}
    assert "zip bomb" in refused["bomb.zip/bomb.npy"]
    assert "3 records" in refused["many.zip/r3.npy"]
    assert "3 records" in refused["many.zip/r4.npy"]
    assert served.wait(upload)["total"] == 3


def test_each_hostile_file_is_answered_or_refused_by_name_beside_a_good_one(served, tmp_path):
    pytest.importorskip("pydicom", "3.0")
    from hostile.__main__ import CASES, write_all

    write_all(tmp_path)
    for case in sorted(CASES):
        # Pipes, links and devices cannot be uploaded.
        paths = [path for path in sorted((tmp_path / case).iterdir()) if path.is_file() and not path.is_symlink()]
        files = [(as_text(path.name), path.read_bytes()) for path in paths if path.stat().st_size < 2**26]
        upload = served.upload(*files)
        outcomes = {file["name"]: file for file in upload["files"]}
        assert outcomes["good.npy"]["status"] == "accepted", case
        assert len(upload["files"]) >= len(files), case
        refused = [file["reason"] for file in upload["files"] if file["status"] == "refused"]
        assert all(reason and "\n" not in reason and len(reason) < 1000 for reason in refused), case
    assert served.wait(upload)["failed"] == 0
    counts = served.client.get("/metrics").text
    assert "ecg_edge_worker_restarts_total 0" in counts
    assert 'status="500"' not in counts


def test_a_loopback_address_is_told_from_others():
    assert all(is_loopback(host) for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "::", "192.168.1.4", "localhost.example", "10.0.0.1"))
    assert not Settings(data=None, host="0.0.0.0").is_loopback
