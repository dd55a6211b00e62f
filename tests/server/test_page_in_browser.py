"""The page in Chromium, whose microphone plays a recording, against a server in a process."""

import base64
import json
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.server.browser import DIGITS, KEY, SAID, chromium, launch, spoken_once, tab
from tests.server.processes import Served

chromium()


@pytest.fixture(scope="module")
def playwright():
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def browser(playwright, tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "microphone.wav"
    browser = launch(playwright, *spoken_once(DIGITS, path))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def server():
    with Served("--fixed") as server:
        yield server


@pytest.fixture(scope="module")
def locked():
    """A server with a key and room for one."""
    with Served("--fixed", "--max-streams", "1", environment={"PARAKEET_API_KEY": KEY}) as server:
        yield server


def heard(page):
    """Presses Start, waits for what the microphone plays, and presses Stop."""
    page.start()
    page.until("document.querySelector('.take .log li') !== null")
    page.stop()


def test_words_come_as_they_are_said_and_can_be_taken_away(browser, server):
    with tab(browser, permissions=["microphone", "clipboard-read", "clipboard-write"]) as page:
        page.open(server.url)
        page.start()
        page.until("document.querySelector('.tentative').textContent.trim() !== ''")
        assert page.page.locator("#clock").is_visible()
        page.until("document.querySelector('.take .log li') !== null")
        for measure in ("#seen", "#settled"):
            assert page.page.inner_text(measure).endswith(" s")
        page.stop()
        assert page.utterances() == [SAID]
        assert page.page.inner_text("#model") == "tiny-en"

        name, text = page.download("txt")
        assert name.endswith(".txt")
        assert text == f"{SAID}\n"
        told = json.loads(page.download("json")[1])
        assert told["text"] == SAID
        assert [word["text"] for word in told["words"]] == SAID.split()
        assert (told["model"], told["latency_s"]) == ("tiny-en", 0.96)
        # The recording begins a second after the microphone.
        assert 0.9 < told["words"][0]["start"] < told["words"][-1]["end"] < 9
        assert page.download("srt")[1].startswith("1\n00:00:0")
        assert page.download("vtt")[1].startswith("WEBVTT\n\n00:00:0")
        page.page.get_by_role("button", name="Copy the text of Microphone").click()
        assert page.page.evaluate("navigator.clipboard.readText()") == f"{SAID}\n"
        assert page.wrong == []


OLD_WAY = """
    const listen = AudioContext.prototype.createMediaStreamSource;
    AudioContext.prototype.createMediaStreamSource = function (media) {
        if (this.sampleRate === 16000) throw new DOMException("", "NotSupportedError");
        return listen.call(this, media);
    };"""


def test_a_browser_that_does_not_convert_rates_is_heard(browser, server):
    with tab(browser) as page:
        page.page.add_init_script(OLD_WAY)
        page.open(server.url)
        heard(page)
        assert page.utterances() == [SAID]
        assert page.wrong == []


UNPLUGGED = """
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => (window.media = await open(wanted));"""


def test_a_microphone_that_is_unplugged_ends_it_with_what_was_said(browser, server):
    with tab(browser) as page:
        page.page.add_init_script(UNPLUGGED)
        page.open(server.url)
        page.start()
        page.until("document.querySelector('.committed').textContent.includes('three')")
        page.page.evaluate("media.getAudioTracks()[0].dispatchEvent(new Event('ended'))")
        page.until_complaint("disconnected")
        page.until_state("over")
        (text,) = page.utterances()
        assert SAID.startswith(text[:9])
        assert page.wrong == []


def test_a_start_that_is_stopped_at_once_leaves_nothing(browser, server):
    with tab(browser) as page:
        page.open(server.url)
        for _ in range(3):
            page.start()
            page.until("document.body.dataset.state !== undefined")
            page.until_state("listening")
            page.stop()
        assert page.page.locator(".take").count() == 3
        assert set(page.page.locator(".remarks").all_inner_texts()) == {"No words were recognised."}
        assert page.wrong == []


def test_a_file_that_is_removed_is_not_sent(browser, server):
    with tab(browser) as page:
        page.open(server.url)
        sent = []
        page.page.on("request", lambda request: sent.append(request.method))
        page.page.evaluate(
            """(sound) => {
                const bytes = Uint8Array.from(atob(sound), (each) => each.charCodeAt(0));
                const files = new DataTransfer();
                for (const name of ["a.wav", "b.wav"]) files.items.add(new File([bytes], name));
                const input = document.getElementById("file");
                input.files = files.files;
                input.dispatchEvent(new Event("change"));
                document.querySelector("[aria-label='Remove the transcript of b.wav']").click();
            }""",
            base64.b64encode(DIGITS.read_bytes()).decode(),
        )
        page.until("document.querySelector('.take .log li') !== null")
        assert page.page.locator(".take h2").all_inner_texts() == ["a.wav"]
        assert sent.count("POST") == 1


def test_files_that_are_dropped_or_chosen_are_transcribed_in_turn(browser, server, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no sound")
    with tab(browser) as page:
        page.open(server.url)
        page.page.evaluate(
            """(sound) => {
                const bytes = Uint8Array.from(atob(sound), (each) => each.charCodeAt(0));
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([bytes], "dropped.wav"));
                for (const type of ["dragenter", "dragover", "drop"]) {
                    document.body.dispatchEvent(
                        new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
                }
            }""",
            base64.b64encode(DIGITS.read_bytes()).decode(),
        )
        page.page.set_input_files("#file", [DIGITS, broken])
        page.until("document.querySelectorAll('.take .log li').length === 2")
        page.until("document.querySelectorAll('.remarks li').length === 1")
        assert page.page.locator(".take h2").all_inner_texts() == [
            "broken.wav",
            "digits.wav",
            "dropped.wav",
        ]
        assert [page.utterances(each) for each in (1, 2)] == [[SAID], [SAID]]
        assert page.page.locator("#drop").is_hidden()
        assert "The server says: " in page.page.locator(".remarks").first.inner_text()
        name, text = page.download("json", take=1)
        assert name == "digits.json"
        assert [word["text"] for word in json.loads(text)["words"]] == SAID.split()
        page.page.get_by_role("button", name="Remove the transcript of broken.wav").click()
        assert page.page.locator(".take").count() == 2
        # Browsers write down every answer that is an error.
        assert [each for each in page.wrong if "400 (Bad Request)" not in each] == []


def test_the_key_is_asked_for_once(browser, locked):
    with tab(browser) as page:
        page.open(locked.url)
        page.start()
        key = page.page.get_by_role("textbox", name="Key")
        key.fill("wrong")
        page.page.keyboard.press("Enter")
        page.until("document.querySelector('#key-why').textContent.includes('not know')")
        key.fill(KEY)
        page.page.get_by_role("button", name="Use key").click()
        page.until("document.querySelector('.take .log li') !== null")
        page.stop()
        assert page.utterances() == [SAID]
        page.wrong.clear()
        page.page.reload()
        page.until("!document.querySelector('#record').disabled")
        heard(page)
        page.page.set_input_files("#file", DIGITS)
        page.until("document.querySelectorAll('.take').length === 2")
        page.until("document.querySelectorAll('.take .log li').length === 2")
        assert page.wrong == []


def test_what_goes_wrong_is_told_in_plain_words(playwright, browser, locked):
    keep = f"sessionStorage.setItem('parakeet-key', {KEY!r})"
    with tab(browser) as first, tab(browser) as second:
        for page in (first, second):
            page.open(locked.url)
            page.page.evaluate(keep)
        first.start()
        first.until_state("listening")
        second.start()
        second.until_complaint("The server is full")
        assert "ERROR" not in locked.log
        assert second.page.locator(".take").count() == 0
        assert second.page.get_by_role("button", name="Start").is_enabled()
    refusing = launch(playwright, "--use-fake-device-for-media-stream")
    # Nobody answers the browser's question here, which is a no.
    with tab(refusing) as page:
        page.open(locked.url)
        page.page.evaluate(keep)
        page.start()
        page.until_complaint("The microphone is blocked")
    refusing.close()
    deaf = launch(playwright, "--host-resolver-rules=MAP other.test 127.0.0.1")
    with tab(deaf, permissions=["microphone"]) as page:
        page.open(locked.url)
        page.page.evaluate(keep)
        page.start()
        page.until_complaint("No microphone was found")
        page.open(locked.url.replace("127.0.0.1", "other.test"))
        page.until_complaint("from https or localhost")
        assert page.page.get_by_role("button", name="Start").is_disabled()
        assert page.page.get_by_role("button", name="Choose files").is_enabled()
    deaf.close()


def test_what_was_heard_stays_when_the_server_goes(browser):
    for number, complaint in ((15, "about to restart"), (9, "connection to the server was lost")):
        with Served("--fixed") as server, tab(browser) as page:
            page.open(server.url)
            page.start()
            page.until("document.querySelector('.committed').textContent.includes('three')")
            server.signal(number)
            page.until_complaint(complaint)
            page.until_state("over")
            (text,) = page.utterances()
            assert text.startswith("three")


def test_the_keyboard_and_screen_readers_reach_everything(browser, server):
    names = """() => [...document.querySelectorAll("button, input, select, [role]")]
        .filter((each) => !each.closest("[hidden], dialog:not([open])"))
        .map((each) =>
            each.ariaLabel || each.textContent.trim() || each.labels?.[0]?.textContent)"""
    with tab(browser, reduced_motion="reduce") as page:
        page.open(server.url)
        assert all(page.page.evaluate(names))
        for _ in range(3):  # the link to the transcripts, then the first button
            page.page.keyboard.press("Tab")
            if page.page.evaluate("document.activeElement.id") == "record":
                break
        page.page.keyboard.press("Enter")
        page.until_state("listening")
        assert page.page.evaluate("document.activeElement.id") == "record"
        page.until("document.querySelector('.take .log li') !== null")
        page.page.keyboard.press("Space")
        page.until_state("over")
        assert all(page.page.evaluate(names))
        # Utterances are read out, words that may still change are not.
        live = "[...document.querySelectorAll('[aria-live]')].map((each) => each.className)"
        assert page.page.evaluate(live) == ["log"]
        assert page.page.locator(".log .tentative").count() == 0
        balanced = page.page.get_by_role("radio", name="Balanced")
        assert balanced.is_checked()
        balanced.focus()
        page.page.keyboard.press("ArrowLeft")
        assert page.page.get_by_role("radio", name="Low 0.48 s").is_checked()
        page.page.reload()
        page.until("!document.querySelector('#record').disabled")
        assert page.page.get_by_role("radio", name="Low 0.48 s").is_checked()
        assert page.wrong == []


CONTRASTS = Path(__file__).with_name("contrasts.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_fits_and_can_be_read(browser, server, scheme, width):
    size = {"width": width, "height": 800}
    with tab(browser, viewport=size, color_scheme=scheme, reduced_motion="reduce") as page:
        page.open(server.url)
        page.page.set_input_files("#file", DIGITS)
        page.until("document.querySelector('.take .log li') !== null")
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.page.evaluate(CONTRASTS) == []
