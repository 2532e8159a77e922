"""The site that `make docs` builds: nothing dangles, nothing is asked of the network, and no command is left out."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import typer

from pipeline.cli import app
from tests.browser import barriers, chromium, opened
from tests.functional.conftest import ROOT

FENCE = re.compile(r"^```(?:sh)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "data").glob("*/*.md")])


class Links(HTMLParser):
    """What a page names, and the places in it that can be named."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.named: list[str] = []
        self.places: set[str] = {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.named += [value for key in ("href", "src") if (value := said.get(key))]
        self.places |= {value for key in ("id", "name") if (value := said.get(key))}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, less the pages that other tests make: every warning stops it."""
    out = tmp_path_factory.mktemp("site") / "out"
    command = ["sphinx", "--quiet", "--fail-on-warning", "--keep-going", "-c", "docs", ".", str(out)]
    made = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (made.returncode, made.stderr) == (0, "")
    return out


def commands(group: Any = None, name: str = "saakh") -> Iterator[tuple[str, Any]]:
    """Every command and group of the command line, by its whole name."""
    here = typer.main.get_command(app) if group is None else group
    yield name, here
    for word, command in getattr(here, "commands", {}).items():
        yield from commands(command, f"{name} {word}")


def told(text: str) -> Iterator[list[str]]:
    """The `saakh` lines of a page's fences, in words; comments and what a placeholder stands for are left out."""
    for fence in FENCE.findall(text):
        for line in fence.replace("\\\n", " ").splitlines():
            if line.startswith("saakh "):
                yield shlex.split(line, comments=True)


def test_every_link_within_the_site_leads_somewhere(site: Path) -> None:
    pages = {path.resolve(): Links(path.read_text()) for path in site.rglob("*.html")}
    assert len(pages) > 80
    dangling, checked = [], 0
    for path, links in pages.items():
        for named in links.named:
            parts = urlsplit(named)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            place = unquote(parts.fragment)
            if not target.is_file() or (target in pages and place not in pages[target].places):
                dangling.append(f"{path.relative_to(site.resolve())}: {named}")
            checked += 1
    assert dangling == []
    assert checked > 5_000


def test_every_command_of_the_command_line_is_in_the_reference_with_its_options(site: Path) -> None:
    page = (site / "docs/commands.html").read_text()
    _, *parts = re.split(r'<section id="([\w-]+)">', page)
    sections = {name: re.sub(r"<[^>]+>", "", text) for name, text in zip(parts[::2], parts[1::2], strict=True)}
    told_of = {
        name: sections.get(name.replace(" ", "-") if " " in name else "all-commands", "") for name, _ in commands()
    }
    assert len(told_of) > 55
    for name, command in commands():
        options = [option for param in command.params for option in param.opts if option.startswith("-")]
        assert [said for said in [name, *options] if said not in told_of[name]] == []


def test_every_page_of_the_docs_is_in_the_tree_of_the_site(site: Path) -> None:
    index = Links((site / "docs/index.html").read_text()).named
    at_hand = {(site / "docs" / named).resolve() for named in index if named.endswith(".html")}
    made = {path.resolve() for path in (site / "docs").rglob("*.html")}
    assert made - at_hand - {(site / "docs/index.html").resolve()} == set()


def test_the_site_opens_quietly_asks_for_its_own_files_alone_and_keeps_nobody_out(
    site: Path,
) -> None:
    assert "url=docs/index.html" in (site / "index.html").read_text()
    with chromium() as browser:
        for name in ("docs/index.html", "docs/commands.html", "search.html"):
            with opened(browser, site / name, width=390) as found:
                assert found.said == []
                assert [url for url in found.asked if not url.startswith("file:")] == []
                assert found.page.evaluate("document.documentElement.scrollWidth") == 390
        assert barriers(browser, site / "docs/index.html") == []


def test_every_command_a_page_tells_is_there_with_the_options_it_is_given() -> None:
    known, seen = dict(commands()), 0
    for page in PAGES:
        for words in told(page.read_text()):
            name = " ".join(words[:3]) if " ".join(words[:3]) in known else " ".join(words[:2])
            assert name in known, f"{page.name}: {' '.join(words)}"
            options = {option for param in known[name].params for option in param.opts}
            given = [word for word in words if re.fullmatch(r"--?[a-z][a-z-]*", word)]
            assert [word for word in given if word not in options] == [], f"{page.name}: {' '.join(words)}"
            seen += 1
    assert seen > 80
