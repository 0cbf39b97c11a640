"""The page in a real browser: a whole run, one that is cancelled, and a file that is damaged."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from later import later

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (find_spec("panel") and find_spec("selenium")),
        reason="panel or selenium is not installed",
    ),
]
webdriver = later("selenium.webdriver")
exceptions = later("selenium.common.exceptions")

#: seconds for what the page has to do
_PATIENCE = 120.0
#: all elements below a selector, also within the shadow roots that widgets are drawn in
_DEEP = """
const selector = arguments[0], found = [];
function walk(root) {
    for (const element of root.querySelectorAll('*')) {
        if (element.matches(selector)) found.push(element);
        if (element.shadowRoot) walk(element.shadowRoot);
    }
}
walk(document);
return found;
"""


def while_drawing() -> tuple[type[Exception], ...]:
    """What the driver raises if an element is replaced or not yet shown."""
    return exceptions.StaleElementReferenceException, exceptions.ElementNotInteractableException


class Page:
    """A browser on the page."""

    def __init__(self, driver: Any):
        self.driver = driver

    def all(self, selector: str, text: str = "") -> list[Any]:
        found = self.driver.execute_script(_DEEP, selector)
        return [element for element in found if not text or element.text.strip() == text]

    def wait(self, what: Callable[[], Any]) -> Any:
        """Ask until there is an answer; elements may be replaced while one looks at them."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(*while_drawing()):
                if found := what():
                    return found
            time.sleep(0.2)
        raise AssertionError([alert.text for alert in self.all(".alert")])

    def click(self, selector: str, text: str) -> None:
        def clicked() -> bool:
            found = self.all(selector, text)
            if found:
                found[0].click()
            return bool(found)

        self.wait(clicked)

    def tab(self, name: str) -> None:
        self.click(".bk-tab", name)

    def press(self, name: str) -> None:
        self.click("button", name)

    def said(self, text: str) -> bool:
        return any(text in alert.text for alert in self.all(".alert"))

    def choose(self, value: str) -> None:
        self.click("option", value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models")
    (path / "broken.keras").write_bytes(b"no model")
    return path


@pytest.fixture(scope="module")
def url(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    command = [sys.executable, "-m", "bioconv", "app", "--no-browser", "--folder", str(folder)]
    # Nothing is measured or compiled yet: more is imported then, in another thread than the page's.
    fresh = {**os.environ, "BIOCONV_CACHE": str(tmp_path_factory.mktemp("cache"))}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=fresh) as server:
        assert server.stdout is not None
        yield server.stdout.readline().split()[-1]
        server.terminate()


@pytest.fixture(scope="module")
def browser(url: str) -> Iterator[Any]:
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if None in programs:
        pytest.skip("no browser: chromium and chromium-driver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = str(programs[0])
    # Nothing but this machine can be reached, so that the page is shown to work offline.
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--window-size=1280,1600",
        "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    ):
        options.add_argument(argument)
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(programs[1])))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Any, url: str) -> Page:
    browser.get(url)
    return Page(browser)


def test_a_whole_run_and_what_it_leaves(page: Page) -> None:
    page.tab("Run")
    page.press("Run")
    page.wait(lambda: page.said("Finished: 100 of 100 samples."))
    cells = page.wait(lambda: [cell.text for cell in page.all("td")])
    assert "digits cnn, rate code, integrate and fire" in cells
    assert len(page.wait(lambda: page.all("canvas"))) >= 3
    for name in ("Python script", "Network", "Report", "Program for the target"):
        page.wait(partial(page.all, "a, button", name))
    page.press("What the target loses")
    page.wait(lambda: [block for block in page.all("pre") if "Brian2" in block.text])


def test_what_can_spike_and_what_a_target_loses_before_a_run(page: Page) -> None:
    page.press("What this target loses")
    page.wait(lambda: page.said("Converted: "))
    page.wait(lambda: [cell for cell in page.all("td") if "spiking neurons" in cell.text])
    page.wait(lambda: [block for block in page.all("pre") if "Brian2" in block.text])


def test_a_conversion_is_cancelled(page: Page) -> None:
    page.choose("traub miles")
    page.press("What can spike")
    page.press("Stop")
    page.wait(lambda: page.said("Cancelled."))
    page.wait(lambda: [b for b in page.all("button", "What can spike") if b.is_enabled()])


def test_a_run_that_is_cancelled(page: Page) -> None:
    page.choose("traub miles")
    page.tab("Run")
    page.press("Run")
    page.wait(lambda: page.said("Simulating: "))
    page.press("Cancel")
    page.wait(lambda: page.said("Cancelled after "))
    page.wait(lambda: [b for b in page.all("button", "Run") if b.is_enabled()])


def test_a_damaged_file(page: Page) -> None:
    page.choose("broken.keras")
    page.wait(lambda: page.said("broken.keras"))
    page.tab("Run")
    page.press("Run")
    page.wait(lambda: page.said("broken.keras"))


def test_a_neuron_by_itself(page: Page) -> None:
    page.tab("Neurons")
    page.press("Show")
    page.wait(lambda: page.all("pre"))
    assert "dv/dt" in page.all("pre")[0].text


@pytest.mark.parametrize("width", [1280, 800])
def test_nothing_is_wider_than_the_window(page: Page, width: int) -> None:
    page.driver.set_window_size(width, 1600)
    for name in ("Run", "Network", "Neurons"):
        page.tab(name)
        time.sleep(1)
        if name == "Neurons":
            page.press("Show")
            page.wait(lambda: page.all("pre"))
        wide = page.driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, name


def test_every_field_has_a_label(page: Page) -> None:
    fields = page.wait(lambda: page.all("input:not([type=hidden]), select"))
    for field in fields:
        named = page.driver.execute_script(
            "const e = arguments[0]; return (e.labels && e.labels.length > 0)"
            " || e.getAttribute('aria-label') || e.title"
            " || (e.getRootNode().querySelector('label') || {}).innerText;",
            field,
        )
        assert named
