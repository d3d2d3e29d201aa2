"""The studio in a browser: diagnostics while somebody types, answers while they change a situation, keyboard, phone."""

import re

import pytest
import requests
from browser import DARK, PHONE, WIDE, Window, findings, overflows
from console import Console
from world import wait_until

CARD = "4111 1111 1111 1111"


@pytest.fixture(scope="module")
def sam(office):
    return Console(office, "sam")


@pytest.fixture
def studio(office, sam, browser, shots):
    """Opens windows in which Sam is signed in. Afterwards Sam keeps no draft."""
    windows = []

    def begin(path, **options):
        window = Window(browser, shots, **options)
        windows.append(window)
        cookie = {"name": "writ-session", "value": sam.http.cookies["writ-session"], "url": office.console}
        window.context.add_cookies([cookie])
        window.page.goto(office.console + path)
        window.page.wait_for_load_state()
        return window

    yield begin
    for window in windows:
        window.close()
    discard(sam)


def discard(console):
    kept = console.get("/api/v1/studio/draft").json()
    if kept["of"] == "draft":
        console.post("/studio/draft/discard", {"csrf": console.csrf(), "hash": kept["hash"]})


def keep(console, text):
    kept = console.get("/api/v1/studio/draft").json()
    form = {"csrf": console.csrf(), "text": text, "over": kept["hash"]}
    assert console.post("/studio/draft", form).status_code == 303


def select(page, word):
    """Puts the selection of the text on a word."""
    page.evaluate(
        """word => {
            const area = document.getElementById("text");
            const at = area.value.indexOf(word);
            area.focus();
            area.setSelectionRange(at, at + word.length);
        }""",
        word,
    )


def test_a_broken_rule_shows_its_diagnostic_beside_the_line_and_is_mended_by_a_key(office, studio):
    window = studio("/studio/text")
    page = window.page
    summary = page.locator("#summary")
    assert "This text would run" in summary.inner_text()
    select(page, "then:     justify")
    page.keyboard.type("then:     jusitfy")
    # The company's policy has warnings of its own.
    problem = page.locator("#notes .problem.error")
    problem.wait_for()
    assert "to mend before this text can run" in summary.inner_text()
    assert problem.locator("mark").inner_text() == "jusitfy"
    marked = page.locator(".lines mark.error")
    assert marked.inner_text() == "jusitfy"
    beside = problem.bounding_box()["y"] - marked.bounding_box()["y"]
    assert abs(beside) < 40, "the note stands at the height of its line"
    window.shot("studio-text-error")
    assert findings(page) == []
    # The word that was meant, by keyboard; undo takes it back, and the diagnostic returns.
    button = page.get_by_role("button", name="Put it in")
    button.focus()
    page.keyboard.press("Enter")
    wait_until(lambda: "This text would run" in summary.inner_text(), "the text runs again")
    assert page.locator(".lines mark.error").count() == 0
    page.keyboard.press("Control+z")
    problem.wait_for()
    assert requests.get(office.console + "/api/v1/studio/draft", timeout=20).status_code == 401
    # Leaving asks first, because nothing was kept.
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(office.console + "/studio")


def test_several_diagnostics_at_once_and_a_jump_to_the_line(sam, studio):
    text = sam.get("/api/v1/studio/draft").json()["text"]
    broken = text.replace("severity: serious", "severity: grave").replace("offer:    object", "ofer:     object")
    keep(sam, broken.replace("foresees: yes", "foresees: maybe"))
    window = studio("/studio/text")
    page = window.page
    notes = page.locator("#notes .problem")
    assert notes.count() >= 3
    tops = [notes.nth(place).bounding_box() for place in range(notes.count())]
    assert all(a["y"] + a["height"] <= b["y"] for a, b in zip(tops, tops[1:], strict=False)), "no note covers another"
    heights = page.evaluate("Array.from(document.querySelectorAll('.lines > div'), row => row.getBoundingClientRect().height)")
    assert all(abs(height / min(heights) - round(height / min(heights))) < 0.05 for height in heights), "marks stand on their words"
    last = notes.last
    last.locator("[data-jump]").click()
    chosen = page.evaluate("(area => area.value.slice(area.selectionStart, area.selectionEnd))(document.getElementById('text'))")
    assert chosen and chosen in last.locator("mark").inner_text()
    window.shot("studio-text-several")


def test_without_script_a_button_checks(office, sam, browser):
    context = browser.new_context(java_script_enabled=False)
    try:
        context.add_cookies([{"name": "writ-session", "value": sam.http.cookies["writ-session"], "url": office.console}])
        page = context.new_page()
        page.goto(office.console + "/studio/text")
        text = page.locator("#text").input_value()
        page.locator("#text").fill(text.replace("then:     justify", "then:     jusitfy"))
        page.get_by_role("button", name="Check").click()
        assert "to mend" in page.locator("#summary").inner_text()
        assert "jusitfy" in page.locator("#text").input_value(), "what was typed is still there"
        assert page.locator("#notes .problem.error").count() == 1
        page.goto(office.console + "/studio/try")
        page.get_by_label("Tool", exact=True).select_option("chatgpt")
        page.get_by_label("Payment data", exact=True).check()
        page.get_by_role("button", name="Answer").click()
        assert "data=payment" in page.url and "Sent without details" in page.locator("#answers").inner_text()
        page.locator("#sample").fill(f"Please charge {CARD}")
        page.get_by_role("button", name="Read it").click()
        assert "data=payment" in page.url and "4111" not in page.url
        assert page.locator("#sample").input_value() == "", "the text was not kept"
    finally:
        context.close()
        discard(sam)


def test_what_if_answers_as_the_situation_changes(studio):
    window = studio("/studio/try?who=employee&identity=password&channel=browser&service=chatgpt&account=corporate")
    page = window.page
    verdict = page.locator("#answers [data-verdict]")
    assert verdict.inner_text() == "Sent"
    page.get_by_label("Credentials", exact=True).check()
    wait_until(lambda: verdict.inner_text() == "Stopped", "the answer follows")
    assert "data=credentials" in page.url, "the address holds the situation"
    assert page.locator("[data-said]").inner_text() == "Stopped", "a screen reader is told"
    assert "2 Credentials" in page.locator("#answers").inner_text()
    assert "Your message was not sent" in page.locator(".message").inner_text()
    assert findings(page) == []
    window.shot("studio-try")
    link = page.url
    page.get_by_label("Credentials", exact=True).uncheck()
    wait_until(lambda: verdict.inner_text() == "Sent", "the answer follows")
    page.locator("#sample").fill(f"Please charge {CARD} for the booking.")
    page.wait_for_url(re.compile("data=payment"))  # detection read the text
    assert page.get_by_label("Payment data", exact=True).is_checked()
    assert verdict.inner_text() == "Sent without details"
    assert "4111" not in page.url and "4111" not in page.locator("#answers").inner_html()
    other = studio(link.split("//", 1)[1].split("/", 1)[1].join(["/", ""]))
    assert other.page.locator("#answers [data-verdict]").inner_text() == "Stopped", "a link is the situation"


def test_a_draft_answers_beside_what_runs(sam, studio):
    text = sam.get("/api/v1/studio/draft").json()["text"]
    keep(sam, text.replace("| contact, pii, payment | redact ", "| contact, pii, payment | block  "))
    window = studio("/studio/try?who=employee&identity=password&channel=browser&service=chatgpt&account=corporate&data=payment")
    page = window.page
    verdicts = page.locator("#answers [data-verdict]").all_inner_texts()
    assert verdicts == ["Sent without details", "Stopped"]
    assert "Your draft decides otherwise." in page.locator("#answers").inner_text()
    window.shot("studio-try-draft")
    page.goto(page.url.split("/studio")[0] + "/studio/diff")
    assert page.locator("tr.gone").count() == 1 and page.locator("tr.new").count() == 1
    assert findings(page) == []
    window.shot("studio-diff")


def test_by_keyboard_alone(office, studio):
    window = studio("/studio")
    page = window.page

    def tab_to(matches, most=60):
        for _ in range(most):
            page.keyboard.press("Tab")
            if page.evaluate(f"(it => {matches})(document.activeElement)"):
                return
        raise AssertionError(f"nothing like `{matches}` is reached by keyboard")

    tab_to("it.textContent.includes('Credentials')")
    page.keyboard.press("Enter")
    page.wait_for_url("**/studio/clauses/credentials")
    tab_to("it.textContent === 'Try it'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/studio/try?**")
    assert page.locator("#answers [data-verdict]").inner_text() == "Stopped"
    tab_to("it.id === 'f-who'")
    page.keyboard.press("ArrowDown")
    page.wait_for_url(re.compile("who=contractor"))  # the select is changed by a key
    focused = page.evaluate("document.activeElement.id")
    assert focused == "f-who", "whoever works in the form is not thrown out of it"
    page.goto(office.console + "/studio/text")
    page.locator("#text").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") != "text", "the text is no trap"


PAGES = ["/studio", "/studio/clauses/matrix", "/studio/clauses/credentials", "/studio/text", "/studio/findings", "/studio/try"]


@pytest.mark.parametrize("path", PAGES)
def test_pages_fit_a_phone_and_axe_has_nothing_serious_to_say(studio, path):
    name = re.sub(r"\W+", "-", path.strip("/"))
    for label, options in [("wide", {"viewport": WIDE}), ("dark", {"viewport": WIDE, "scheme": DARK}), ("phone", {"viewport": PHONE})]:
        window = studio(path, **options)
        window.shot(f"{name}-{label}")
        assert not overflows(window.page), (path, label)
        assert window.page.locator("main h1").count() == 1
        if label != "dark":
            assert findings(window.page) == [], path
