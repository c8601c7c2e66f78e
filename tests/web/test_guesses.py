"""Who tries wrong tokens has to wait; nobody else has to."""

import sys

import httpx
import pytest
from served import form_token

from ecg_edge.web.guesses import Guesses
from ecg_edge.web.problems import ProblemError

TOKEN = "a-token-for-these-tests-only"

many_addresses = pytest.mark.skipif(sys.platform != "linux", reason="this machine has one address for itself")


@pytest.fixture(scope="module")
def guarded(serve, tmp_path_factory):
    """A server with a token."""
    return serve(tmp_path_factory.mktemp("guesses") / "data", environment={"ECG_EDGE_TOKEN": TOKEN})


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def from_address(served, address):
    """A client with an address of its own: all of 127.0.0.0/8 leads to this machine."""
    return httpx.Client(
        base_url=served.address, transport=httpx.HTTPTransport(local_address=address), timeout=60, cookies={}
    )


@many_addresses
def test_the_eleventh_wrong_token_of_an_address_has_to_wait_and_others_have_not(guarded):
    guesser, neighbour, person = (from_address(guarded, f"127.0.0.{last}") for last in (2, 3, 4))
    token_of_form = form_token(person.get("/login"))
    session = person.post("/login", data={"token": TOKEN, "token_of_form": token_of_form})
    assert session.status_code == 303
    assert [guesser.get("/v1/records", headers=bearer(f"wrong {n}")).status_code for n in range(10)] == [401] * 10
    answer = guesser.get("/v1/records", headers=bearer("wrong 10"))
    assert (answer.status_code, answer.headers["content-type"]) == (429, "application/problem+json")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert "wrong tokens" in answer.json()["detail"]
    # A right guess must not show either.
    assert guesser.get("/v1/records", headers=bearer(TOKEN)).status_code == 429
    assert guesser.get("/v1/records").status_code == 401
    # The page counts the same tokens.
    page = guesser.get("/login", headers={"Accept-Language": "ru"})
    fields = {"token": TOKEN, "token_of_form": form_token(page)}
    refused = guesser.post("/login", data=fields, headers={"Accept-Language": "ru"})
    assert refused.status_code == 429
    assert "Повторите попытку через минуту" in refused.text
    assert "retry-after" in refused.headers
    # Others, by token or by session, notice nothing.
    assert neighbour.get("/v1/records", headers=bearer(TOKEN)).status_code == 200
    assert person.get("/v1/records").status_code == 200


def test_wrong_tokens_on_the_page_count_too(guarded):
    token_of_form = form_token(guarded.client.get("/login"))
    tried = [
        guarded.client.post("/login", data={"token": f"wrong {n}", "token_of_form": token_of_form}).status_code
        for n in range(12)
    ]
    assert tried == [403] * 10 + [429] * 2


def is_refused(guesses, host):
    try:
        guesses.check(host)
    except ProblemError as problem:
        return problem.status == 429
    return False


def test_the_wait_ends_after_a_minute():
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    for number in range(10):
        now[0] = float(number)
        assert not is_refused(guesses, "192.0.2.1")
        guesses.note("192.0.2.1", str(number))
    with pytest.raises(ProblemError) as refused:
        guesses.check("192.0.2.1")
    assert refused.value.headers == {"Retry-After": "51"}
    now[0] = 60.5
    assert not is_refused(guesses, "192.0.2.1")


def test_an_old_token_that_a_device_goes_on_sending_locks_nobody_out():
    guesses = Guesses()
    for _ in range(1000):
        guesses.note("192.0.2.1", "the token of last year")
    assert not is_refused(guesses, "192.0.2.1")


def test_the_addresses_of_one_network_of_ipv6_count_together():
    guesses = Guesses()
    for number in range(10):
        guesses.note(f"2001:db8::{number:x}", str(number))
        guesses.note("::ffff:192.0.2.9", str(number))
    assert is_refused(guesses, "2001:db8::ffff")
    assert not is_refused(guesses, "2001:db8:0:1::1")
    assert is_refused(guesses, "192.0.2.9")


def test_guesses_from_many_addresses_need_little_memory():
    import tracemalloc

    guesses = Guesses()
    tracemalloc.start()
    for number in range(30_000):
        guesses.note(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", "x")
    assert tracemalloc.get_traced_memory()[0] < 16e6
    tracemalloc.stop()
