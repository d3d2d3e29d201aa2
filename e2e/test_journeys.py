"""Three kinds of visitors walk through the demo; pictures of every stop lie in `target/journeys`."""

import re

import pytest
from browser import DARK, PHONE, Window, findings, overflows
from demo import CODE, MAIL, NOTE, Chat, Demo
from world import wait_until

pytestmark = pytest.mark.usefixtures("browser")
NAME, NUMBER = "John Smith", "4451299"


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Without traffic: what is seen is what these visitors did."""
    with Demo(tmp_path_factory.mktemp("demo"), "--no-traffic") as demo:
        yield demo


@pytest.fixture
def visit(demo, browser, shots):
    """Opens windows and closes them, with what they noted."""
    windows = []

    def begin(tour, **options):
        window = Window(browser, shots, **options)
        windows.append(window)
        return Walk(window, demo, tour)

    yield begin
    for window in windows:
        window.close()


class Walk:
    """A tour in a window. Its link signs in once; later windows of one account share what the first got."""

    cookies = {}

    def __init__(self, window, demo, tour):
        self.window, self.page, self.demo, self.tour = window, window.page, demo, tour
        kept = self.cookies.get((demo.port, tour))
        if kept:
            window.context.add_cookies(kept)
        else:
            self.page.goto(demo.links[tour])
            self.panel.wait_for()
            self.cookies[demo.port, tour] = window.context.cookies()

    @property
    def panel(self):
        return self.page.locator("aside.tour")

    def goto(self, path):
        self.page.goto(self.demo.console + path)
        self.page.wait_for_load_state()

    def begin(self):
        page = {"security": "/overview", "counsel": "/policy", "everyone": "/me"}[self.tour]
        self.goto(f"{page}?tour={self.tour}&stop=1")

    def stop(self, number, title):
        """At this stop: its panel is there, the page under it fits, and axe has nothing serious to say."""
        assert self.panel.locator("h2").inner_text() == f"{number}. {title}"
        assert self.page.locator("main h1").count() == 1
        assert not overflows(self.page)
        self.window.shot(f"{self.tour}-{number}")
        assert findings(self.page) == []

    def next(self):
        self.panel.get_by_role("link", name="Next", exact=True).click()
        self.page.wait_for_load_state()

    def press(self, label):
        """What a button of the stop says."""
        with self.page.expect_navigation():
            self.panel.get_by_role("button", name=label, exact=True).click()
        return self.panel.locator(".said").inner_text()

    def chat(self, label):
        return Chat(self.window.opened(lambda: self.panel.get_by_role("link", name=label).click()))

    def text(self):
        return self.page.locator("main").inner_text()

    def seen(self, *words):
        """Waits until the page has these words; pages lag half a second behind the ledger."""
        def there():
            self.page.reload()
            return all(word in self.text() for word in words)

        wait_until(there, f"the page shows {words}")


def stopped(chat, words):
    """Sends a patient note, which does not leave; the address of the stop's page. A choice holds for the same words."""
    assert "Your message was not sent" in chat.send(f"{NOTE} {words}")
    assert CODE.search(chat.office())
    link = chat.answer.get_by_role("link", name="Send it without those details")
    return link.get_attribute("href")


def test_everyone(visit):
    walk = visit("everyone")
    window = walk.window
    walk.begin()
    walk.stop(1, "An e-mail to polish")
    chat = walk.chat("Open ChatGPT")
    assert chat.box.input_value() == MAIL
    assert "#" not in chat.page.url, "the text does not stay in the address"
    chat.send()
    assert "Note from Northwind Health (not from ChatGPT)" in chat.office()
    assert chat.answer.locator(".content > .text").inner_text(), "the answer stands below the note"
    window.shot("everyone-1-chat", chat.page)
    chat.send("And in two sentences?")
    assert chat.answer.locator(".panel").count() == 0, "the note comes once"
    chat.page.close()

    walk.next()
    walk.stop(2, "A patient note")
    before = len(walk.demo.arrived())
    chat = walk.chat("Open ChatGPT with a patient note")
    assert chat.box.input_value() == NOTE
    assert "Your message was not sent" in chat.send()
    code = CODE.search(chat.office()).group()
    assert len(walk.demo.arrived()) == before, "nothing left"
    window.shot("everyone-2-chat", chat.page)
    assert findings(chat.page) == []
    link = chat.answer.get_by_role("link", name="Send it without those details")
    page = window.opened(link.click)
    assert re.search(rf"/r/{code}\?k=[\w-]{{16,}}", page.url)
    assert page.locator("h1").inner_text() == "Your message was not sent"
    assert "health information" in page.locator(".lead").inner_text(), "the page says what was found, at once"
    assert page.locator("textarea[data-carried]").input_value() == NOTE, "the typed text is given back"
    window.shot("everyone-2-page", page)
    assert findings(page) == []

    walk.next()
    walk.stop(3, "Without details")
    page.get_by_role("button", name="Leave the details out").click()
    page.get_by_role("status").wait_for()
    assert "Send the same message again" in page.get_by_role("status").inner_text()
    window.shot("everyone-3-page", page)
    page.close()
    chat.page.bring_to_front()
    answer = chat.again()
    assert NAME in answer and NUMBER in answer, "the answer has the names back"
    window.shot("everyone-3-chat", chat.page)
    (arrived,) = walk.demo.arrived()[before:]
    assert "[" in arrived.body and not arrived.holds(NAME) and not arrived.holds(NUMBER)

    walk.next()
    walk.stop(4, "Continue where it is allowed")
    link = chat.page.get_by_role("link", name="Continue in Care Copilot").first
    page = window.opened(link.click)
    assert findings(page) == []
    page.get_by_role("link", name="Open Care Copilot").click()
    page.wait_for_load_state()
    copilot = Chat(page)
    assert page.url == f"{walk.demo.chat}/care-copilot" and copilot.box.input_value() == NOTE
    assert NAME in copilot.send()
    assert walk.demo.arrived()[-1].holds(NAME), "it is cleared for that"
    window.shot("everyone-4-copilot", page)
    page.close()

    walk.next()
    walk.stop(5, "This was a mistake")
    chat = walk.chat("Send the note once more")
    chat.page.get_by_role("button", name="New chat").click()
    chat.box.fill(NOTE + " Thank you.")
    chat.send()
    code = CODE.search(chat.office()).group()
    page = window.opened(chat.answer.get_by_role("link", name="Yes, this was a mistake").click)
    page.get_by_label("A reviewer may ask me to see the marked words").check()
    page.get_by_role("button", name="Yes, this was a mistake").click()
    page.get_by_role("status").wait_for()
    assert "A person looks at it" in page.get_by_role("status").inner_text()
    window.shot("everyone-5-page", page)

    officer = visit("counsel")
    officer.goto("/inbox?tour=counsel&stop=7")
    officer.page.locator("tr", has_text=code).get_by_role("link", name="This was a mistake").click()
    officer.page.wait_for_load_state()
    officer.page.get_by_label("To the person").fill("Thank you. The rule stands; Care Copilot is cleared for such notes.")
    officer.window.shot("everyone-5-inbox")
    officer.page.get_by_role("button", name="It was as the rule says").click()
    officer.page.wait_for_url("**/inbox?done=answered*")

    walk.next()
    walk.seen("This was a mistake", "Care Copilot is cleared for such notes", f"code {code}", "Sent without details at ChatGPT")
    walk.stop(6, "My record")
    assert NAME not in walk.text() and NUMBER not in walk.text()


def test_counsel(visit):
    nurse = visit("everyone")
    nurse.begin()
    stopped(nurse.chat("Open ChatGPT"), "In German, please.")
    nurse.goto("/me")
    pseudonym = nurse.page.locator(".head strong").inner_text()

    walk = visit("counsel")
    walk.begin()
    walk.stop(1, "One document")
    hashes = walk.page.locator("dd.hash").all_inner_texts()
    assert len(hashes) >= 3 and all(re.fullmatch("[0-9a-f]{64}", text.replace("\n", "")) for text in hashes)

    walk.next()
    walk.seen("Stopped", pseudonym)
    walk.stop(2, "A record, as a reviewer sees it")
    walk.page.locator("tr", has_text="Stopped").first.get_by_role("link").first.click()
    walk.page.wait_for_load_state()
    assert "4.4 Health information" in walk.text() and pseudonym in walk.text()
    assert all(text in walk.text() for text in hashes[:2]), "the record names the text that was in force"
    assert not any(word in walk.page.content() for word in [NAME, NUMBER, "nurse"])
    walk.window.shot("counsel-2-record")
    assert findings(walk.page) == []

    walk.next()
    walk.stop(3, "Try to name this person")
    said = walk.press("Try to name somebody")
    assert "0 found" in said and "refused" in said and "it opened" not in said
    walk.window.shot("counsel-3-said")

    walk.next()
    walk.stop(4, "Lift a pseudonym with two holders")
    share = walk.panel.locator("code").inner_text()
    purpose = "An incident report names this pseudonym."
    walk.page.get_by_role("textbox", name="Pseudonym").fill(pseudonym)
    walk.page.get_by_role("textbox", name="Purpose").fill(purpose)
    walk.page.get_by_role("button", name="Ask the holders").click()
    walk.page.get_by_role("textbox", name="Your share").fill(share)
    walk.page.get_by_role("button", name="Agree", exact=True).click()
    walk.page.wait_for_load_state()
    assert walk.page.get_by_role("button", name="Show the name once").count() == 0, "one holder is not enough"
    walk.window.shot("counsel-4-one")
    assert "agreed to lift" in walk.press("The second holder agrees")
    walk.page.locator("main").get_by_role("link", name=pseudonym).click()
    walk.page.get_by_role("button", name="Show the name once").click()
    walk.page.get_by_role("heading", name="The person is").wait_for()
    assert walk.page.locator("main .said").inner_text() == "You"
    walk.window.shot("counsel-4-name")
    walk.page.goto(walk.page.url.removesuffix("/open"))
    assert walk.page.get_by_role("heading", name="The person is").count() == 0, "it is shown once"
    nurse.seen(purpose)
    nurse.window.shot("counsel-4-me")

    walk.goto("/reveal?tour=counsel&stop=4")
    walk.next()
    walk.stop(5, "What is not opened")
    issuers = dict(re.findall(r"\((\S+)\): signed by (.+)", walk.press("Connect to all four")))
    assert "Northwind Health" in issuers.pop("chatgpt.com")
    assert len(issuers) == 3 and set(issuers.values()) == {"Harbour Trust Services"}
    walk.window.shot("counsel-5-said")

    walk.next()
    walk.stop(6, "The list of what could be opened")
    pac = walk.page.request.get(walk.demo.console + "/proxy.pac").text()
    assert "chatgpt.com" in pac and "harbour-bank" not in pac and "DIRECT" in pac

    walk.next()
    walk.stop(7, "Requests and objections")


def test_security(visit):
    walk = visit("security")
    walk.begin()
    walk.stop(1, "What happens right now")

    walk.next()
    walk.stop(2, "An agent reads a file with keys in it")
    said = walk.press("Let the agent run").splitlines()
    assert said[0] == "reads the code: answered" and said[2] == "goes on: answered"
    assert re.match(r"reads \.env: stopped \(403\), code \S+: writ: not sent \(clause 4\.5", said[1])
    walk.window.shot("security-2-said")
    walk.seen("Stopped", "Passwords")

    walk.next()
    walk.stop(3, "Break it: the detector")
    assert re.search(r"A harmless prompt: stopped \(403\), code \S+", walk.press("Kill the detector"))
    walk.window.shot("security-3-killed")
    assert walk.press("Bring it back").endswith("A harmless prompt: answered")
    walk.seen("Stopped")

    walk.next()
    walk.stop(4, "Break it: the AI services")
    said = walk.press("Pull the services")
    assert "no answer (502)" in said and "your request itself was allowed" in said
    walk.window.shot("security-4-pulled")
    assert walk.press("Bring them back").endswith("A harmless prompt: answered")

    walk.next()
    walk.stop(5, "Break it: the policy file")
    walk.press("Spoil the file")
    assert "a change was not taken over" in walk.text(), "the page says so at once"
    assert "did you mean `block`?" in walk.text()
    walk.window.shot("security-5-spoiled")
    assert findings(walk.page) == []
    walk.goto("/overview")
    assert "a change was not taken over" in walk.text(), "and the first page does"
    walk.goto("/system?tour=security&stop=5")
    walk.press("Mend it")
    wait_until(lambda: walk.page.reload() and "not taken over" not in walk.text(), "the policy is whole again")

    walk.next()
    walk.stop(6, "Edit a clause")
    row = walk.page.locator("article tr", has_text="personal data, payment data")
    before, text = row.inner_text(), walk.page.locator("dd.hash").first.inner_text()
    walk.press("Make a cell stricter")
    assert row.inner_text() != before and walk.page.locator("dd.hash").first.inner_text() != text
    row.scroll_into_view_if_needed()
    walk.window.shot("security-6-stricter")
    walk.press("Change it back")
    assert row.inner_text() == before and walk.page.locator("dd.hash").first.inner_text() == text

    walk.next()
    walk.stop(7, "A ring of 20, and back")
    ring(walk)

    walk.goto("/rollout?tour=security&stop=7")
    walk.next()
    walk.stop(8, "Verify the ledger")
    assert re.match(r"Whole: \d+ entries, \d+ signed checkpoint\(s\), root [0-9a-f]{64}", walk.press("Verify it now"))
    walk.window.shot("security-8-verified")


def ring(walk):
    """Observe for a ring, advance, and take it back: three clicks each, with a look at what it means."""
    page = walk.page
    page.locator("#clause").select_option(label="4.4 Health information")
    page.locator("#ring").select_option(label="a stable 20 % of people")
    page.locator("#step").select_option("observe")
    page.get_by_role("button", name="Look at it first").click()
    walk.window.shot("security-7-look")
    page.locator("main form button.main").click()
    entry = page.locator("main tbody tr")
    entry.wait_for()
    assert "observe" in entry.inner_text()
    page.get_by_role("link", name=re.compile("Advance one step")).click()
    page.locator("main form button.main").click()
    entry.get_by_text("coach").wait_for()
    walk.window.shot("security-7-advanced")
    page.get_by_role("link", name=re.compile("Back one step")).click()
    page.locator("main form button.main").click()
    entry.get_by_text("observe").wait_for()


PAGES = {
    "security": ["overview", "live", "tools", "policy", "rollout", "inbox", "lookup", "me", "system", "accounts", "roles", "password"],
    "counsel": ["reveal", "inbox"],
}


@pytest.mark.parametrize("look", ["wide", "dark", "phone"])
def test_every_page_of_the_console(visit, look):
    """Every page, empty or not: nothing serious for axe, nothing wider than the window."""
    options = {"wide": {}, "dark": {"scheme": DARK}, "phone": {"viewport": PHONE}}[look]
    wrong = []
    for tour, pages in PAGES.items():
        walk = visit(tour, **options)
        for name in pages:
            walk.goto(f"/{name}?tour=none")
            walk.window.shot(f"{look}-{name}")
            if overflows(walk.page):
                wrong.append(f"{name} is wider than the window")
            if look != "dark":
                wrong += findings(walk.page)
    assert wrong == []


@pytest.mark.parametrize("look", ["wide", "dark", "phone"])
def test_pages_of_everyone(visit, look):
    """Chat, stop and sign-in, which staff see; the stop in a window without a session."""
    options = {"wide": {}, "dark": {"scheme": DARK}, "phone": {"viewport": PHONE}}[look]
    walk = visit("everyone", **options)
    window, page = walk.window, walk.page
    wrong = []

    def look_at(name):
        window.shot(f"{look}-{name}", page)
        if overflows(page):
            wrong.append(f"{name} is wider than the window")
        if look != "dark":
            wrong.extend(findings(page))

    # A denied tool stops whatever exceptions and stages the walks before have left behind.
    page.goto(walk.demo.chat + "/deepseek")
    chat = Chat(page)
    assert "Your message was not sent" in chat.send(f"Write a poem in {len(look)} words.")
    link = chat.answer.get_by_role("link").first.get_attribute("href")
    look_at("chat")
    window.context.clear_cookies()
    page.goto(link)
    look_at("stop")
    walk.goto("/login")
    look_at("login")
    page.goto(walk.demo.chat.removesuffix("/chat"))
    look_at("tools-of-staff")
    assert wrong == []


def test_with_traffic(browser, shots, tmp_path):
    """The company at work: figures, tools and people by pseudonym appear by themselves."""
    with Demo(tmp_path) as demo:
        window = Window(browser, shots)
        walk = Walk(window, demo, "security")
        walk.goto("/overview?days=1")
        walk.seen("ChatGPT")
        for name, path in {"overview": "/overview?days=1", "live": "/live", "tools": "/tools"}.items():
            walk.goto(path)
            assert findings(walk.page) == []
            window.shot(f"traffic-{name}")
        walk.goto("/live")
        newest = walk.page.locator("tbody[data-live] tr").first
        before = newest.inner_text()
        wait_until(lambda: newest.inner_text() != before, "a row comes in by itself")
        window.close()
