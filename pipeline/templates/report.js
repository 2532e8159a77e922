// Reckons two cohorts from the sums the page holds. A sum is there for whole tables only, no part of which is of one to
// nine applications; a choice that no table holds in full is never put together from others, and cannot be made.
// It begins once the page is there to be seen.
addEventListener("load", () => setTimeout(() => {
  const held = document.getElementById("cohort-sums");
  if (!held) return;
  const of = JSON.parse(held.textContent);
  const POINT = 1e4, PROBABILITY = 1e9, SHOWN = 10, BREAK = "\u00a0", NOTHING = "\u2013";
  const element = (id) => document.getElementById(id);
  const at = (kind, name) => of.columns.findIndex(([k, n]) => k === kind && n === name);
  const [ROWS, BADS, PD, SCORE] = ["rows", "bads", "pd", "points"].map((name) => at("sum", name));
  const words = (name) => name.replaceAll("_", " ");

  // A part of an axis that holds this place alone; -1 where the table does not tell it from its neighbours.
  const alone = (labels, place) => (labels.filter((label) => label === labels[place]).length === 1 ? labels[place] : -1);

  // The sum of a table over one choice, and over bands from `upto` on where that is asked; null if it is not told.
  const add = (table, choice, upto, isAsked) => {
    const band = choice.band === null ? null : alone(table.bands, choice.band);
    const month = choice.month === null ? null : alone(table.months, choice.month);
    if (band === -1 || month === -1) return null;
    const inside = table.bands.map((_, place) => upto === undefined || place <= upto);
    if (table.bands.some((label, i) => table.bands.some((other, j) => label === other && inside[i] !== inside[j]))) return null;
    if (isAsked) return true;
    const parts = new Set(table.bands.filter((_, place) => inside[place]));
    const sums = of.columns.map(() => 0);
    table.at.forEach((place, row) => {
      const status = place % table.size[2], rest = Math.floor(place / table.size[2]);
      const [b, m] = [Math.floor(rest / table.size[1]), rest % table.size[1]];
      if ((band !== null && b !== band) || (month !== null && m !== month) || !parts.has(b)) return;
      if (choice.status !== null && status !== choice.status) return;
      table.sums[row].forEach((value, column) => { sums[column] += value; });
    });
    return sums;
  };
  const sum = (choice, upto, isAsked = false) => {
    if (choice.crossed) return null;
    for (const table of of.tables) {
      if ((table.view ?? null) !== choice.view) continue;
      const found = add(table, choice, upto, isAsked);
      if (found) return found;
    }
    return null;
  };

  const read = (selects) => {
    const value = (by) => selects[by]?.value || "";
    const number = (by) => (value(by) === "" ? null : Number(value(by)));
    const [view, status] = (value("category") || value("group")).split(":").map(Number);
    const any = !value("category") && !value("group");
    return { band: number("band"), month: number("month"), view: any ? null : view, status: any ? null : status,
      crossed: Boolean(value("category") && value("group")) };
  };
  const named = (selects) => {
    const said = Object.values(selects).filter((select) => select.value).map((select) => {
      const text = select.selectedOptions[0].textContent;
      return select.dataset.by === "band" ? `band ${text}` : text;
    });
    return said.join("; ") || "everybody judged out of time";
  };

  // Numbers as everywhere on the page.
  const plain = (value, digits) => value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replace("-", "\u2212");
  const percent = (value, digits = 1) => `${plain(100 * value, digits)}${BREAK}%`;
  const sign = (text) => (/[1-9]/.test(text) ? (text.startsWith("\u2212") ? text : `+${text}`) : text.replace("\u2212", ""));
  const signed = (value, digits = 1) => sign(plain(value, digits));
  const wilson = (count, rows) => {
    const z = of.tail, share = count / rows, middle = (share + (z * z) / (2 * rows)) / (1 + (z * z) / rows);
    const reach = (z / (1 + (z * z) / rows)) * Math.sqrt((share * (1 - share)) / rows + (z * z) / (4 * rows * rows));
    return `${plain(100 * Math.max(0, middle - reach), 1)} to ${percent(Math.min(1, middle + reach))}`;
  };

  const cell = (value, text, note) => {
    const td = document.createElement("td");
    td.className = "n";
    if (value === null || !Number.isFinite(value)) { td.textContent = NOTHING; return td; }
    const data = document.createElement("data");
    data.value = value;
    data.textContent = text(value);
    td.append(data);
    if (note) td.append(Object.assign(document.createElement("small"), { textContent: note }));
    return td;
  };
  const heading = (text, note) => {
    const th = Object.assign(document.createElement("th"), { scope: "row", textContent: text });
    if (note) th.append(Object.assign(document.createElement("small"), { textContent: note }));
    return th;
  };
  const row = (...cells) => { const tr = document.createElement("tr"); tr.append(...cells); return tr; };
  const gap = (pair) => (pair.includes(null) ? null : pair[1] - pair[0]);

  const figures = (two) => {
    const cut = element("cohort-cut");
    const upto = cut.options.length ? Number(cut.value) : undefined;
    const approved = two.map(({ choice, sums }) => {
      const some = sums && sum(choice, upto);
      return some && sums[ROWS] ? some[ROWS] / sums[ROWS] : null;
    });
    const each = (reckon) => two.map(({ sums }) => (sums && sums[ROWS] ? reckon(sums) : null));
    const share = (value) => `${signed(100 * value)}${BREAK}pp`;
    const body = [
      ["Applications", "", two.map(({ sums }) => sums && sums[ROWS]), (v) => plain(v, 0), null],
      ["Bad rate", "share that turned bad", each((s) => s[BADS] / s[ROWS]), percent, share, (s) => wilson(s[BADS], s[ROWS])],
      ["Predicted", "mean probability of bad", each((s) => s[PD] / PROBABILITY / s[ROWS]), percent, share],
      ["Observed / expected", "bad loans for each one predicted", each((s) => (s[BADS] * PROBABILITY) / s[PD]), (v) => plain(v, 2), (v) => signed(v, 2)],
      ["Mean score", "points", each((s) => s[SCORE] / POINT / s[ROWS]), (v) => plain(v, 1), signed],
      ["Approved", "share at the cut-off below", approved, percent, share],
    ].map(([name, note, pair, text, change, range]) => {
      const cells = pair.map((value, i) => cell(value, text, range && value !== null ? range(two[i].sums) : ""));
      return row(heading(name, note), ...cells, change ? cell(gap(pair), change) : cell(null));
    });
    element("cohort-figures").tBodies[0].replaceChildren(...body);
  };

  const meter = (pair, low, high) => {
    const place = (value) => (100 * (value - low)) / (high - low || 1);
    const box = Object.assign(document.createElement("div"), { className: "meter" });
    box.setAttribute("aria-hidden", "true");
    const zero = Object.assign(document.createElement("i"), { className: "ref" });
    zero.style.left = `${place(0)}%`;
    box.append(zero);
    pair.forEach((value, i) => {
      if (value === null) return;
      const bar = Object.assign(document.createElement("i"), { className: i ? "b" : "a" });
      bar.style.left = `${place(Math.min(0, value))}%`;
      bar.style.right = `${100 - place(Math.max(0, value))}%`;
      bar.style.minWidth = "1px";
      box.append(bar);
    });
    const td = document.createElement("td");
    td.append(box);
    return td;
  };
  const drawn = (table, two, kind, unit, text, change, most = Infinity) => {
    const lines = of.columns.flatMap(([k, name], column) => (k !== kind ? [] : [{ name,
      pair: two.map(({ sums }) => (sums && sums[ROWS] ? sums[column] / unit / sums[ROWS] : null)) }]));
    const size = ({ pair }) => Math.max(...pair.map((value) => Math.abs(value ?? 0)));
    const there = lines.filter((line) => kind !== "reason" || size(line)).sort((a, b) => size(b) - size(a));
    const every = there.flatMap(({ pair }) => pair.map((value) => value ?? 0));
    const [low, high] = [Math.min(0, ...every), Math.max(0, ...every)];
    const body = there.slice(0, most).map(({ name, pair }) => row(heading(of.texts[name] ?? words(name)),
      meter(pair, low, high), ...pair.map((value) => cell(value, text)), cell(gap(pair), change)));
    body.forEach((tr) => tr.lastElementChild.classList.add("wide"));
    element(table).tBodies[0].replaceChildren(...body);
    return there.length;
  };

  const cohorts = ["a", "b"].map((letter) => Object.fromEntries([...document.querySelectorAll(`[data-cohort="${letter}"] select`)]
    .map((select) => [select.dataset.by, select])));
  const bar = (selects) => {
    for (const select of Object.values(selects)) {
      const chosen = select.value;
      for (const option of select.options) {
        select.value = option.value;
        option.disabled = option.value !== chosen && sum(read(selects), undefined, true) === null;
      }
      select.value = chosen;
    }
  };
  const more = element("cohort-more");
  const show = () => {
    cohorts.forEach(bar);
    const two = cohorts.map((selects) => { const choice = read(selects); return { choice, sums: sum(choice) }; });
    const said = two.map(({ sums }, i) => {
      const letter = i ? "B" : "A";
      if (!sums) return `${letter} is not told: some part of it would be of fewer than ten.`;
      const rate = sums[ROWS] ? `, ${percent(sums[BADS] / sums[ROWS])} turned bad, ${percent(sums[PD] / PROBABILITY / sums[ROWS])} predicted` : "";
      return `${letter}: ${plain(sums[ROWS], 0)} applications${rate}.`;
    });
    element("cohorts-said").textContent = said.join(" ");
    const names = cohorts.map(named);
    figures(two);
    const kind = element("cohort-kind").value;
    drawn("cohort-points", two, kind, POINT, (v) => signed(v), (v) => signed(v));
    const all = more.getAttribute("aria-expanded") === "true";
    const count = drawn("cohort-reasons", two, "reason", 1, (v) => percent(v), (v) => `${signed(100 * v)}${BREAK}pp`, all ? Infinity : SHOWN);
    more.parentElement.hidden = count <= SHOWN;
    more.textContent = all ? "Show the most frequent alone" : `Show all ${count} reasons`;
    const both = `A: ${names[0]}. B: ${names[1]}.`;
    element("cohort-figures").caption.textContent = both;
    element("cohort-points").caption.textContent = `Mean points gained or lost. ${both}`;
    element("cohort-reasons").caption.textContent = `Share of applications with this among their principal reasons. ${both}`;
  };

  const last = String(of.months.length - 1);
  cohorts[1].month.value = last;
  if (sum(read(cohorts[1])) === null) cohorts[1].month.value = "";
  element("cohorts").addEventListener("change", show);
  more.addEventListener("click", () => {
    more.setAttribute("aria-expanded", String(more.getAttribute("aria-expanded") !== "true"));
    show();
  });
  element("cohorts-off").hidden = true;
  element("cohorts-on").hidden = false;
  show();
}));
