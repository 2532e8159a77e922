"""The report as a PDF to print and sign, in fonts that come with matplotlib, dated as of the run."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos

from pipeline.pages import NOTHING, day
from pipeline.validate.document import LEVELS, Cell, Drawn, Facts, Figure, Mark, Section, Table, heading
from pipeline.validate.report import Report

FONT = "DejaVu"
MARGIN, WIDTH, LINE = 16.0, 178.0, 4.2
INK, MUTED, ACCENT, PALE, RULE = (26, 30, 38), (90, 96, 108), (11, 90, 107), (190, 214, 219), (205, 200, 190)
DRAWN_WIDTH = 34.0


class Pages(FPDF):
    """Pages with the report's name above and its digest below."""

    def __init__(self, report: Report, digest: str) -> None:
        super().__init__(format="A4")
        self.name = f"Validation report · scorecard {report.params.export.version} · {report.status}"
        self.said = f"SHA-256 of validation.json: {digest}"
        self.set_margin(MARGIN)
        self.set_auto_page_break(True, margin=18)
        for style, file in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
            self.add_font(FONT, style, _fonts() / file)
        self.set_creation_date(report.params.as_of)
        self.set_title(self.name)
        self.set_lang("en")

    def header(self) -> None:
        """The name of the report, on every page."""
        self._write(self.name, 7, MUTED)
        self.ln(2)

    def footer(self) -> None:
        """The digest and the number of the page."""
        self.set_y(-13)
        self.set_font(FONT, "", 6)
        self.set_text_color(*MUTED)
        self.cell(WIDTH - 20, 4, self.said)
        self.cell(20, 4, f"{self.page_no()} / {{nb}}", align="R")

    def heading(self, text: str, size: float = 13) -> None:
        """A heading that stays with what follows it."""
        if self.get_y() > 297 - 60:
            self.add_page()
        self.ln(4)
        self._write(text, size, INK, "B")
        self.ln(1)

    def text_block(self, text: str) -> None:
        """A paragraph."""
        self._write(text, 8.5, INK)
        self.ln(1.5)

    def finding(self, level: str, text: str) -> None:
        """A finding, its level first."""
        self._write(f"{level}: {text}.", 8.5, ACCENT, "")
        self.ln(0.5)

    def _write(self, text: str, size: float, colour: tuple[int, int, int], style: str = "") -> None:
        self.set_font(FONT, style, size)
        self.set_text_color(*colour)
        self.multi_cell(WIDTH, size * 0.5, text.replace("`", ""), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def row(self, cells: list[tuple[str, float, str]], size: float = 7, style: str = "", least: float = 0.0) -> float:
        """A row of cells, each a text, a width and an alignment; returns where it begins. It is never parted."""
        self.set_font(FONT, style, size)
        self.set_text_color(*(MUTED if style == "B" else INK))
        step = size * 0.48
        lines = max(self._lines(text, width, step) for text, width, _ in cells)
        height = max(lines * step + 1.2, least)
        if self.get_y() + height > 297 - 18:
            self.add_page()
            self.set_font(FONT, style, size)
            self.set_text_color(*(MUTED if style == "B" else INK))
        top, left = self.get_y(), MARGIN
        for text, width, align in cells:
            self.set_xy(left, top + 0.6)
            self.multi_cell(width, step, text, align=align)
            left += width
        self.set_draw_color(*RULE)
        self.line(MARGIN, top + height, MARGIN + WIDTH, top + height)
        self.set_xy(MARGIN, top + height)
        return top

    def _lines(self, text: str, width: float, step: float) -> int:
        if self.get_string_width(text) < width - 2 * self.c_margin:
            return 1  # most are: counting the lines of the others takes ten times as long
        lines = self.multi_cell(width, step, text, dry_run=True, output=MethodReturnValue.LINES)
        return len(cast("list[str]", lines))


def pdf(report: Report, digest: str) -> bytes:
    """The report as a PDF; `digest` is that of its JSON."""
    pages = Pages(report, digest)
    pages.add_page()
    pages.heading(f"Scorecard {report.params.export.version}", 20)
    pages.text_block(_status(report))
    for name, whose, figure in report.headline:
        pages.row([(name, 58, "L"), (whose, 40, "L"), (_text(figure), WIDTH - 98, "L")], 7.5)
    pages.heading("What was found")
    for section, found in report.findings:
        pages.finding(LEVELS[found.level], f"{found.text} ({section.title})")
    for place, section in enumerate(report.sections, 1):
        _section(pages, place, section)
    for table in _long(report.sections):
        pages.heading("Appendix")
        _table(pages, table)
    return bytes(pages.output())


def _long(sections: Iterable[Section]) -> Iterator[Table]:
    """Tables of many rows, which would part what is to be read in one go."""
    yield from (b for section in sections for b in section.blocks if isinstance(b, Table) and b.is_long)


def _status(report: Report) -> str:
    said = "Final: no part is missing." if report.is_final else f"Draft: {len(report.holes)} parts are missing."
    return f"{said} As of {day(report.params.as_of.isoformat())}. Model: {report.model_sha256}."


def _section(pages: Pages, place: int, section: Section) -> None:
    pages.heading(f"{place}. {section.title}")
    for found in section.findings:
        pages.finding(LEVELS[found.level], found.text)
    for block in section.blocks:
        if isinstance(block, str):
            pages.text_block(block)
        elif isinstance(block, Facts):
            for name, cell in block.rows:
                pages.row([(name, 58, "L"), (_text(cell), WIDTH - 58, "L")], 7.5)
            pages.ln(2)
        elif block.is_long:
            pages.text_block(f"{block.caption}: see the appendix.")
        else:
            _table(pages, block)


def _table(pages: Pages, table: Table) -> None:
    pages.ln(1)
    pages.text_block(table.caption)
    names = [heading(text) for text in table.headings]
    widths = _widths(table)
    sides = ["R" if is_number else "L" for _, is_number in names]
    place = 1 if table.drawn else len(names)
    blank = [("", DRAWN_WIDTH, "L")] if table.drawn else []
    head = [(name, width, side) for (name, _), width, side in zip(names, widths, sides, strict=True)]
    pages.row(head[:place] + blank + head[place:], 6.5, "B")
    for number, row in enumerate(table.rows):
        cells = [(_text(cell), width, side) for cell, width, side in zip(row, widths, sides, strict=True)]
        top = pages.row(cells[:place] + blank + cells[place:], least=11 if table.name == "roles" else 0)
        if table.drawn and (mark := table.drawn.marks[number]):
            _draw(pages, table.drawn, mark, MARGIN + widths[0] + 2, top + 2.9)
    pages.ln(2)


def _widths(table: Table) -> list[float]:
    """Widths of the columns: by their longest text, within reason, so that together they fill the page."""
    room = WIDTH - (DRAWN_WIDTH if table.drawn else 0)
    columns = list(
        zip(*([[heading(t)[0] for t in table.headings], *([_text(c) for c in row] for row in table.rows)]), strict=True)
    )
    longest = [2 + min(max(7, *map(len, column)), 44) for column in columns]
    return [room * share / sum(longest) for share in longest]


def _draw(pages: Pages, drawn: Drawn, mark: Mark, left: float, middle: float) -> None:
    if mark.value is None:
        return
    at = lambda value: left + drawn.axis.at(value) / 100 * (DRAWN_WIDTH - 4)  # noqa: E731
    if drawn.reference is not None:
        pages.set_draw_color(*RULE)
        pages.line(at(drawn.reference), middle - 2, at(drawn.reference), middle + 2)
    if drawn.kind == "bar":
        pages.set_fill_color(*PALE)
        pages.rect(left, middle - 1.2, max(at(mark.value) - left, 0.2), 2.4, style="F")
    pages.set_draw_color(*INK)
    if mark.low is not None and mark.high is not None:
        pages.line(at(mark.low), middle, at(mark.high), middle)
    if mark.tick is not None:
        pages.line(at(mark.tick), middle - 1.6, at(mark.tick), middle + 1.6)
    if drawn.kind == "dot":
        pages.set_fill_color(*ACCENT)
        pages.circle(at(mark.value), middle, 0.9, style="F")


def _text(cell: Cell) -> str:
    if not isinstance(cell, Figure):
        return cell or NOTHING
    return f"{cell.text} ({cell.note})" if cell.note and cell.value is not None else cell.text


def _fonts() -> Path:
    import matplotlib  # noqa: PLC0415 - heavy

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"
