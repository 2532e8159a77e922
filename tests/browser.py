"""A page in headless Chromium, with all it said on the console and all it asked of the network."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@dataclass
class Opened:
    """An open page; `said` holds console messages and uncaught errors, `asked` every request but the page itself."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium; a test that needs it fails without it, and says how to get it."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("no Chromium on this machine: install it with `apt-get install chromium` (CI does, in .ci/run)")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def opened(
    browser: Browser, path: Path, *, width: int = 1280, scheme: Literal["light", "dark"] = "light", script: bool = True
) -> Iterator[Opened]:
    """The page at `path` in a window of its own."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
    )
    found = Opened(context.new_page())
    found.page.on("console", lambda message: found.said.append(message.text))
    found.page.on("pageerror", lambda error: found.said.append(str(error)))
    found.page.on("request", lambda request: found.asked.append(request.url))
    found.page.goto(path.resolve().as_uri())
    found.asked.remove(path.resolve().as_uri())
    yield found
    context.close()


def barriers(browser: Browser, path: Path, part: str | None = None) -> list[str]:
    """What axe finds serious or critical on a page, or on the part that a selector names, every fold of it open.

    All its rules are asked in light colours, contrast again in dark.
    """
    contrast = {"resultTypes": ["violations"], "runOnly": ["color-contrast"]}
    with opened(browser, path) as found:
        found.page.eval_on_selector_all("details", "all => all.forEach(d => { d.open = true; })")
        light = Axe().run(found.page, part).response["violations"]
        found.page.emulate_media(color_scheme="dark")
        dark = Axe("").run(found.page, part, contrast).response["violations"]
    grave = [v for v in light + dark if v["impact"] in {"serious", "critical"}]
    return [f"{v['id']}: {node['html'][:300]}: {node['failureSummary']}" for v in grave for node in v["nodes"]]
