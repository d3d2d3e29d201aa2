"""What somebody might try at the console, over HTTP. The full table of roles is tested where it is written."""

import re

import pytest
import requests
from console import Console
from office import ANA, BO, CODE, METRICS_TOKEN, Office
from test_proxy import Curl

CHANGE = {"clause": "plans", "ring": "everyone", "step": "observe", "days": "30"}


@pytest.fixture(scope="module")
def sessions(office):
    return {login: Console(office, login) for login in ["sam", "pia", ANA, BO]}


@pytest.fixture(scope="module")
def stop(office):
    """A stop of Ana's: its code, and the interaction's id."""
    refused = Curl("1.1").ask(office, ANA, False, "Use the key AKIA2OGYBAH6STMMNXNV in the request.")
    code = CODE.search(refused["message"]).group(1)
    office.newest()
    (record,) = office.records("--reference", code)
    return code, record["interaction"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "localhost.evil.example"])
def test_a_name_that_somebody_else_made_point_here_reaches_nothing(office, host):
    for path in ["/login", "/me", "/api/v1/me", "/proxy.pac", "/ca.pem"]:
        answer = requests.get(office.console + path, headers={"host": host}, allow_redirects=False, timeout=20)
        assert answer.status_code in (400, 421), (path, answer.status_code)
        assert "FindProxyForURL" not in answer.text and "BEGIN CERTIFICATE" not in answer.text


def test_a_form_of_another_site_does_nothing(sessions):
    sam = sessions["sam"]
    token = sam.csrf()
    assert sam.post("/rollout", CHANGE).status_code == 403, "no token"
    assert sam.post("/rollout", {**CHANGE, "csrf": "0" * len(token)}).status_code == 403, "a wrong token"
    assert sam.post("/rollout", {**CHANGE, "csrf": sessions["pia"].csrf()}).status_code == 403, "somebody else's token"
    # `origin: null` is what browsers say of the console's own forms, since its pages send no referrer.
    for name, value in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]:
        answer = sam.post("/rollout", {**CHANGE, "csrf": token}, headers={name: value})
        assert answer.status_code == 403, (name, value)
    answer = sam.post("/api/v1/rollout", None, json=CHANGE)
    assert answer.status_code == 403
    assert sam.get("/api/v1/rollout").json()["entries"] == []


def test_a_session_is_not_planted_and_ends(office):
    planted = "f" * 64
    bo = Console(office, BO)
    own = bo.http.cookies["writ-session"]
    page = requests.get(office.console + "/me", cookies={"writ-session": planted}, allow_redirects=False, timeout=20)
    assert page.status_code == 303
    form = bo.http.get(office.console + "/login", timeout=20)
    assert form.url.endswith("/me") or form.status_code == 200
    again = Console(office, BO)
    assert again.http.cookies["writ-session"] not in (own, planted)
    assert again.post("/logout", {"csrf": again.csrf()}).status_code == 303
    kept = requests.get(
        office.console + "/me",
        cookies={"writ-session": again.http.cookies.get("writ-session") or own[::-1]},
        allow_redirects=False,
        timeout=20,
    )
    assert kept.status_code == 303 and kept.headers["location"].startswith("/login")


def test_nobody_reads_what_is_somebody_elses(sessions, stop):
    code, interaction = stop
    own = sessions[ANA].get(f"/me/{interaction}")
    assert own.status_code == 200 and "2 Credentials" in own.text
    for login, paths in {
        BO: [f"/me/{interaction}", f"/interactions/{interaction}", f"/api/v1/records/{interaction}", f"/api/v1/stops/{code}"],
        ANA: [f"/interactions/{interaction}"],
    }.items():
        for path in paths:
            answer = sessions[login].get(path)
            assert answer.status_code in (403, 404) and "Credentials" not in answer.text, (login, path)


def test_the_page_of_a_stop_opens_with_its_token_or_to_the_person(office, sessions, stop):
    code, _ = stop
    assert sessions[ANA].get(f"/r/{code}").status_code == 200
    for token in ["", "0" * 32, "../../x"]:
        answer = requests.get(f"{office.console}/r/{code}", params={"k": token}, allow_redirects=False, timeout=20)
        assert answer.status_code in (303, 403, 404) and "Credentials" not in answer.text
    assert "Your message was not sent" not in sessions[BO].get(f"/r/{code}").text


PAGES = ["overview", "live", "tools", "policy", "inbox", "reveal", "accounts", "system", "me"]
MAY = {
    "sam": {"overview", "live", "tools", "policy", "inbox", "accounts", "system", "me"},
    "pia": {"overview", "live", "tools", "policy", "inbox", "reveal", "me"},
    ANA: {"policy", "me"},
}


@pytest.mark.parametrize("login", MAY)
def test_a_role_sees_what_it_may(sessions, login):
    seen = {page for page in PAGES if sessions[login].get(f"/{page}", allow_redirects=False).status_code == 200}
    assert seen == MAY[login]


def test_without_a_session_every_page_asks_for_one(office):
    for page in [*PAGES, "rollout", "interactions/int_0", "me/int_0"]:
        answer = requests.get(f"{office.console}/{page}", allow_redirects=False, timeout=20)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/login?next=")
        assert requests.get(f"{office.console}/api/v1/{page}", timeout=20).status_code in (401, 404)


def test_metrics_open_with_their_token(office):
    def get(authorization):
        headers = {"authorization": authorization} if authorization else {}
        return requests.get(f"{office.console}/metrics", headers=headers, allow_redirects=False, timeout=20)

    answer = get(f"Bearer {METRICS_TOKEN}")
    assert answer.status_code == 200 and "# TYPE writ_ready gauge" in answer.text
    for wrong in [None, "Bearer", "Bearer 0", f"Basic {METRICS_TOKEN}", METRICS_TOKEN]:
        assert get(wrong).status_code == 401, wrong


def test_a_program_uses_a_token(office, sessions):
    sam = sessions["sam"]
    made = sam.post("/tokens", {"csrf": sam.csrf(), "role": "analyst", "days": "7"}).text
    token = re.search(r'id="token">(\w+)<', made).group(1)
    program = {"authorization": f"Bearer {token}"}
    assert requests.get(f"{office.console}/api/v1/records", headers=program, timeout=20).json()["rows"] is not None
    answer = requests.post(f"{office.console}/api/v1/rollout", json=CHANGE, headers=program, timeout=20)
    assert answer.status_code == 403, "the token is an analyst's, whatever else Sam is"
    assert token not in (office.log.read_text() + sam.get("/tokens").text)


def test_after_a_restart_a_stop_can_still_be_continued(tmp_path):
    """The message was stopped before one restart and allowed before another."""
    with Office(tmp_path) as office:
        paper = "Summarise this board paper. sim:say Done."
        refused = Curl("1.1").ask(office, ANA, False, paper)
        code = CODE.search(refused["message"]).group(1)

        def again():
            assert office.stop() == 0
            office.start()
            return Console(office, ANA)

        ana = again()
        assert "Say why it is needed" in ana.get(f"/r/{code}").text
        done = ana.post(f"/r/{code}/reason", {"csrf": ana.csrf(), "text": "The chair asked for a summary."})
        assert done.headers["location"].startswith(f"/r/{code}?done=reason"), done.headers
        again()
        assert Curl("1.1").ask(office, ANA, False, paper + " Now.")["status"] == 403, "other content"
        assert Curl("1.1").ask(office, ANA, False, paper)["answer"] == "Done."
        for path in (office.folder / "data").rglob("*"):
            assert not path.is_file() or b"board paper" not in path.read_bytes(), path


def test_guessing_is_slowed_down(tmp_path):
    """In an office of its own: who guesses from an address slows everybody there."""
    with Office(tmp_path) as office:
        http = requests.Session()
        said = []
        for attempt in range(60):
            page = http.get(office.console + "/login", timeout=20).text
            token = re.search(r'name="csrf" value="(\w+)"', page).group(1)
            form = {"csrf": token, "next": "", "login": "sam", "password": f"wrong password {attempt}"}
            said.append(http.post(office.console + "/login", data=form, allow_redirects=False, timeout=20).status_code)
            if said[-1] == 429:
                break
        assert said[-1] == 429 and set(said[:-1]) == {403}
