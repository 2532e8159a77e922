"""How large the pages of `explain` are and how fast they open in headless Chromium, by number of applicants.

`python -m benchmarks.pages 20000 200000` explains synthetic runs of so many applications (twenty inputs, of which a
searched applicant shows twelve), and prints for the report and the restricted page: megabytes, milliseconds to the
first view, and for the latter the milliseconds that a first search takes, which unpacks all applicants.
"""

import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from pipeline import explain
from pipeline.workspace import Workspace
from tests.browser import chromium, opened
from tests.synthetic_run import write_run

OPENED = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
SEARCHED = """() => {
    const began = performance.now(), seek = document.getElementById("seek");
    seek.value = document.getElementById("people-keys").textContent.slice(0, 12);
    seek.dispatchEvent(new Event("input"));
    return [performance.now() - began, document.querySelectorAll("#found .person").length];
}"""


def main(sizes: list[int]) -> None:
    """Print a line a page and size."""
    with chromium() as browser:
        for applications in sizes:
            with TemporaryDirectory() as folder:
                root = Path(folder)
                params = write_run(root, applications)
                began = time.perf_counter()
                explain.run(params, Workspace(root))
                print(f"{applications:>8,}  explain {time.perf_counter() - began:,.1f} s")
                for name in ("report", "applicants"):
                    path = root / "explain" / f"{name}.html"
                    print(
                        f"{applications:>8,}  {name:<10}  {path.stat().st_size / 1e6:6.1f} MB  {timed(browser, path)}"
                    )


def timed(browser: Browser, path: Path) -> str:
    """The median time to the first view of five openings, and of the first search where there is one."""
    views, searches = [], []
    for _ in range(5):
        with opened(browser, path) as found:
            views.append(found.page.evaluate(OPENED))
            if found.page.locator("#seek").count():
                milliseconds, shown = found.page.evaluate(SEARCHED)
                assert shown == 1
                searches.append(milliseconds)
    searched = f"  first search {statistics.median(searches):6,.0f} ms" if searches else ""
    return f"first view {statistics.median(views):6,.0f} ms{searched}"


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [20_000, 200_000])
