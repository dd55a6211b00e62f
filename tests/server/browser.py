"""Chromium with a microphone that plays a file, and what must never happen on a page."""

import os
import shutil
import time
from contextlib import contextmanager

import numpy as np
import pytest
import soundfile

from parakeet_streaming.audio.files import read_audio
from tests.server.processes import LONG_S, ROOT

DIGITS = ROOT / "examples" / "recordings" / "digits.wav"
SAID = "three one four one five nine two six"
KEY = "a/key=with:signs"
NAMES = ("chromium", "chromium-browser", "google-chrome")
FAKE_MICROPHONE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


def chromium():
    """Its path. Tests are skipped without it only where that is wanted."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None and os.environ.get("PARAKEET_WITHOUT_CHROMIUM"):
        pytest.skip("no chromium, as PARAKEET_WITHOUT_CHROMIUM allows", allow_module_level=True)
    assert found is not None, "no chromium; run scripts/chromium"
    return found


def spoken_once(recording, path, after_s=1):
    """Options of a microphone that plays it after some seconds, and then is silent."""
    samples = read_audio(recording)
    before, after = (np.zeros(seconds * 16_000, np.float32) for seconds in (after_s, 1))
    soundfile.write(path, np.concatenate([before, samples, after]), 16_000, subtype="PCM_16")
    return (*FAKE_MICROPHONE, f"--use-file-for-fake-audio-capture={path}%noloop")


def launch(playwright, *options):
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    return playwright.chromium.launch(
        executable_path=chromium(), args=[*sandbox, "--disable-gpu", *options]
    )


class Tab:
    """A page of the server; `wrong` has what its console said and what its policy forbade."""

    def __init__(self, page):
        self.page = page
        self.wrong = []
        page.on("console", lambda message: self.wrong.append(message.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.set_default_timeout(LONG_S * 1000)
        page.add_init_script(
            "addEventListener('securitypolicyviolation',"
            "({violatedDirective}) => console.error(`forbidden: ${violatedDirective}`))"
        )

    def open(self, url):
        self.page.goto(url)
        self.until("document.querySelector('#state').textContent !== 'Loading'")

    def start(self):
        self.page.get_by_role("button", name="Start").click()

    def stop(self):
        self.page.get_by_role("button", name="Stop").click()
        self.until_state("over")

    def until(self, expression):
        """Until it is so. The page's policy forbids what Playwright waits with."""
        end_s = time.monotonic() + LONG_S
        while not self.page.evaluate(expression):
            assert time.monotonic() < end_s, (expression, self.wrong, self.page.inner_text("body"))
            time.sleep(0.02)

    def until_state(self, state):
        self.until(f"document.body.dataset.state === '{state}'")

    def until_complaint(self, words):
        self.until(f"document.querySelector('#alert-text').textContent.includes({words!r})")

    def utterances(self, take=0):
        return self.page.locator(".take").nth(take).locator(".log li p").all_inner_texts()

    def download(self, name, take=0):
        with self.page.expect_download() as download:
            self.page.locator(".take").nth(take).get_by_role("button", name=name).click()
        return download.value.suggested_filename, download.value.path().read_text("utf-8")


@contextmanager
def tab(browser, **options):
    context = browser.new_context(**options)
    try:
        yield Tab(context.new_page())
    finally:
        context.close()
