"""The page over WebRTC in Chromium, whose microphone plays a recording, against a real server."""

import json
import re

import pytest
from playwright.sync_api import sync_playwright

from tests.server.browser import DIGITS, KEY, SAID, chromium, launch, spoken_once, tab
from tests.server.processes import Served

chromium()

CONNECTS_WITHIN_S = 4
"""What is said before a call is connected is not heard."""


@pytest.fixture(scope="module")
def playwright():
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright, tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "microphone.wav"
    browser = launch(playwright, *spoken_once(DIGITS, path, CONNECTS_WITHIN_S))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def server():
    with Served("--fixed") as server:
        yield server


def way(page, name):
    return page.page.get_by_role("radio", name=re.compile(f"^{name}"))


def delay(page, name):
    return page.page.get_by_role("radio", name=name)


def opened(page, url):
    page.open(url)
    way(page, "WebRTC").check()
    return page


def nearly(text):
    """Whether all words are there, one of them at most another.

    What is left of sound in Opus, and where its first chunk begins, may change a word.
    """
    heard, said = text.split(), SAID.split()
    return len(heard) == len(said) and sum(map(str.__ne__, heard, said)) <= 1


def called(page):
    """What the page asks of calls, request by request."""
    asked = []

    def note(request):
        if "/realtime/" in request.url:
            asked.append((request.method, request.url.partition("/v1/")[2], request.post_data))

    page.page.on("request", note)
    return asked


def test_words_come_as_they_are_said_and_the_choice_is_remembered(browser, server):
    with tab(browser) as page:
        asked = called(opened(page, server.url))
        page.start()
        page.until("document.querySelector('.committed').textContent.includes('one')")
        assert page.page.inner_text(".tentative") == ""
        page.until("document.querySelector('.take .log li') !== null")
        for measure in ("#seen", "#settled"):
            assert page.page.inner_text(measure).endswith(" s")
        page.stop()
        (text,) = page.utterances()
        assert nearly(text)
        assert page.page.inner_text("#model") == "tiny-en"
        (begun, _, session), (ended, path, _) = asked
        assert (begun, ended) == ("POST", "POST")
        assert path.startswith("realtime/calls/rtc_")
        assert path.endswith("/hangup")
        # The server's own context is not asked for.
        assert "delay" not in session

        told = json.loads(page.download("json")[1])
        assert [word["text"] for word in told["words"]] == text.split()
        assert (told["model"], told["latency_s"]) == ("tiny-en", 0.96)
        assert 0 < told["words"][0]["start"] < told["words"][-1]["end"] < told["audio_s"]
        assert page.download("srt")[1].startswith("1\n00:00:0")

        page.page.reload()
        page.until("!document.querySelector('#record').disabled")
        assert way(page, "WebRTC").is_checked()
        assert page.wrong == []


def test_a_delay_is_asked_for_and_those_that_cannot_be_are_not_offered(browser, server):
    with tab(browser) as page:
        page.open(server.url)
        delay(page, "Lowest").check()
        way(page, "WebRTC").check()
        for name in ("Lowest", "Even flow"):
            assert delay(page, name).is_disabled()
            assert page.page.get_by_text("not by WebRTC").count() == 2
        # The server's own takes the place of what was chosen, until that can be again.
        assert delay(page, "Balanced").is_checked()
        way(page, "WebSocket").check()
        assert delay(page, "Lowest").is_checked()
        assert page.page.get_by_text("not by WebRTC").count() == 0
        way(page, "WebRTC").check()
        delay(page, "Low 0.48 s").check()
        asked = called(page)
        page.start()
        page.until_state("listening")
        assert way(page, "WebSocket").is_disabled()
        assert "0.48 s delay" in page.page.inner_text(".take-about")
        page.stop()
        assert '"delay":"minimal"' in asked[0][2]
        assert page.page.locator(".remarks").all_inner_texts() == ["No words were recognised."]
        assert way(page, "WebSocket").is_enabled()
        assert delay(page, "Lowest").is_disabled()
        assert page.wrong == []


def test_a_start_that_is_taken_back_leaves_nothing(browser, server):
    slow = """
        const answer = RTCPeerConnection.prototype.setRemoteDescription;
        RTCPeerConnection.prototype.setRemoteDescription = async function (description) {
            await new Promise((done) => (window.goOn = done));
            return answer.call(this, description);
        };"""
    with tab(browser) as page:
        page.page.add_init_script(slow)
        opened(page, server.url)
        page.start()
        page.until("window.goOn !== undefined")
        page.stop()
        assert page.page.locator(".take").count() == 0
        assert page.page.get_by_role("button", name="Start").is_enabled()
        assert page.page.locator("#alert").is_hidden()
        assert page.wrong == []


def test_a_network_without_a_way_is_told(browser, server):
    nowhere = """
        RTCPeerConnection.prototype.setRemoteDescription = async () => {};
        const later = window.setTimeout;
        window.setTimeout = (what, ms) => later(what, Math.min(ms, 500));"""
    with tab(browser) as page:
        page.page.add_init_script(nowhere)
        opened(page, server.url)
        page.start()
        page.until_complaint("Choose WebSocket")
        page.until_state("over")
        assert page.page.locator(".take").count() == 0
        assert page.wrong == []


def test_keys_and_a_full_house(browser):
    with (
        Served("--fixed", "--max-streams", "1", environment={"PARAKEET_API_KEY": KEY}) as locked,
        tab(browser) as first,
        tab(browser) as second,
    ):
        opened(first, locked.url).start()
        key = first.page.get_by_role("textbox", name="Key")
        key.fill("wrong")
        first.page.keyboard.press("Enter")
        first.until("document.querySelector('#key-why').textContent.includes('not know')")
        key.fill(KEY)
        first.page.get_by_role("button", name="Use key").click()
        first.until_state("listening")
        opened(second, locked.url)
        second.page.evaluate(f"sessionStorage.setItem('parakeet-key', {KEY!r})")
        second.start()
        second.until_complaint("The server is full")
        assert second.page.locator(".take").count() == 0
        # Who closes the tab leaves the place to others.
        first.page.goto("about:blank")
        until_free = "document.body.dataset.state === 'listening'"
        for _ in range(100):
            second.start()
            second.until(f"{until_free} || document.body.dataset.state === 'over'")
            if second.page.evaluate(until_free):
                break
        second.stop()
        assert "ERROR" not in locked.log


def test_what_was_heard_stays_when_the_server_goes(browser):
    for number, complaint in ((15, "about to restart"), (9, "connection to the server was lost")):
        with Served("--fixed") as server, tab(browser) as page:
            opened(page, server.url).start()
            page.until("document.querySelector('.committed').textContent.includes('one')")
            server.signal(number)
            page.until_complaint(complaint)
            page.until_state("over")
            (text,) = page.utterances()
            assert text.split()[1] == "one"


def test_where_there_is_none_it_is_said(browser, server):
    about = """
        const ask = window.fetch;
        window.fetch = async (address, how) => {
            const reply = await ask(address, how);
            if (!String(address).endsWith("about.json")) return reply;
            return Response.json({ ...(await reply.json()), webrtc: false });
        };"""
    missing = {about: "not on this server", "delete window.RTCPeerConnection;": "not in this brow"}
    for script, words in missing.items():
        with tab(browser) as page:
            opened(page, server.url)  # it is remembered
            page.page.add_init_script(script)
            page.page.reload()
            page.until("!document.querySelector('#record').disabled")
            assert way(page, "WebRTC").is_disabled()
            assert page.page.get_by_text(words).is_visible()
            assert way(page, "WebSocket").is_checked()
            assert delay(page, "Lowest").is_enabled()
            assert page.wrong == []
