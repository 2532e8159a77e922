// Finds any applicant by pseudonym among all that the page carries. Numbers were packed as they are displayed, so that
// nothing is rounded here: points come in tenths, and what is written is what the scorecard says.
(() => {
  const MATCHES = 12, NEIGHBOURS = 3, MINUS = "\u2212", NO_BREAK = "\u00a0";
  const element = (id) => document.getElementById(id);
  const content = (id) => element(id).textContent;
  const seek = element("seek");
  let all = null;

  const unpack = () => {
    const words = JSON.parse(content("people-words"));
    const text = atob(content("people-numbers"));
    const body = new Uint8Array(text.length); // a plain loop: a function called for each of tens of millions is slow
    for (let i = 0; i < text.length; i += 1) body[i] = text.charCodeAt(i);
    const kinds = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i4: Int32Array };
    const columns = {};
    for (const [name, [kind, at, length]] of Object.entries(words.layout)) columns[name] = new kinds[kind](body.buffer, at, length);
    const starts = (counts) => {
      const first = new Uint32Array(counts.length + 1);
      counts.forEach((count, i) => { first[i + 1] = first[i] + count; });
      return first;
    };
    const reasons = columns.reason_text ? starts(columns.unseen_count) : [];
    return { ...columns, base: words.base, inputs: words.inputs, texts: words.texts, keys: content("people-keys").split("\n"),
      steps: starts(columns.step_count), reasons: starts(columns.reason_count), unseens: reasons };
  };
  const people = () => (all ??= unpack());

  // 1234 in tenths is "123.4"; thousands are set apart as everywhere on the page.
  const shown = (number, digits, sign = false) => {
    const text = String(Math.abs(number)).padStart(digits + 1, "0");
    const whole = text.slice(0, -digits).replace(/\B(?=(\d{3})+$)/g, ",");
    const before = number < 0 ? MINUS : sign && number > 0 ? "+" : "";
    return `${before}${whole}.${text.slice(-digits)}`;
  };
  const fill = (root, name, text) => { root.querySelector(`[data-slot="${name}"]`).textContent = text; };
  const copy = (id) => element(id).content.cloneNode(true);

  const button = (i, label) => {
    const one = document.createElement("button");
    one.type = "button";
    one.textContent = label;
    one.addEventListener("click", () => show(i).focus());
    const item = document.createElement("li");
    item.append(one);
    return item;
  };

  const waterfall = (body, i) => {
    const of = people();
    const parts = [];
    for (let s = of.steps[i]; s < of.steps[i + 1]; s += 1) {
      const [name, description, unit] = of.inputs[of.step_input[s]];
      const value = of.texts[of.step_value[s]];
      parts.push({ label: description, name, value: value === "none" ? value : `${value} ${unit}`, points: of.step_points[s] });
    }
    const others = of.inputs.length - parts.length;
    if (others) parts.push({ label: `${others} other inputs together`, name: "", value: "", points: of.rest[i] });
    let at = of.base;
    const edges = [at, ...parts.map((part) => (at += part.points))];
    const low = Math.min(...edges), span = Math.max(...edges) - low || 1;
    parts.forEach((part, k) => {
      const row = copy("step");
      fill(row, "label", part.label);
      fill(row, "name", part.name);
      fill(row, "value", part.value);
      fill(row, "narrow", part.value);
      fill(row, "points", shown(part.points, 1, true));
      const bar = row.querySelector("i");
      const [from, to] = [Math.min(edges[k], edges[k + 1]), Math.max(edges[k], edges[k + 1])];
      bar.className = part.points >= 0 ? "gain" : "loss";
      bar.style.left = `${(100 * (from - low)) / span}%`;
      bar.style.right = `${100 - (100 * (to - low)) / span}%`;
      body.append(row);
    });
  };

  const tell = (list, i) => {
    const of = people();
    for (let r = of.reasons[i]; r < of.reasons[i + 1]; r += 1) {
      const item = copy("reason");
      fill(item, "text", of.texts[of.reason_text[r]]);
      fill(item, "points", shown(of.reason_points[r], 1, true));
      const unseen = [...(of.unseen ?? []).slice(of.unseens[r], of.unseens[r + 1])].map((k) => of.texts[k]);
      fill(item, "unseen", unseen.length ? `nothing was seen of: ${unseen.join("; ")}` : "");
      list.append(item);
    }
  };

  const show = (i) => {
    const of = people();
    const person = copy("person");
    fill(person, "key", of.keys[i]);
    fill(person, "score", shown(of.score[i], 1));
    fill(person, "total", shown(of.score[i], 1));
    fill(person, "base", shown(of.base, 1));
    fill(person, "band", of.texts[of.band[i]]);
    fill(person, "pd", `${shown(of.pd[i], 2)}${NO_BREAK}%`);
    fill(person, "log_odds", shown(of.log_odds[i], 4));
    fill(person, "fate", `${of.fate[i] & 2 ? "out of time" : "development"}; the loan turned ${of.fate[i] & 1 ? "bad" : "out good"}`);
    fill(person, "rank", `${(i + 1).toLocaleString("en")} of ${of.keys.length.toLocaleString("en")}, from the lowest score`);
    const reasons = person.querySelector(".reasons");
    tell(reasons, i);
    if (!reasons.children.length) fill(person, "none", "No input cost this applicant points.");
    waterfall(person.querySelector("tbody"), i);
    const near = person.querySelector(".matches");
    for (let k = Math.max(0, i - NEIGHBOURS); k <= Math.min(of.keys.length - 1, i + NEIGHBOURS); k += 1) {
      if (k !== i) near.append(button(k, `${of.keys[k].slice(0, 8)}\u2026 ${shown(of.score[k], 1)}`));
    }
    element("found").replaceChildren(person);
    return element("found").querySelector("h3");
  };

  const search = () => {
    const wanted = seek.value.trim().toLowerCase();
    const list = element("matches");
    list.replaceChildren();
    if (!wanted) { element("matched").textContent = ""; return; }
    const of = people();
    let count = 0;
    of.keys.forEach((key, i) => {
      if (!key.startsWith(wanted)) return;
      count += 1;
      if (count <= MATCHES) list.append(button(i, `${key.slice(0, 12)}\u2026 ${shown(of.score[i], 1)}`));
    });
    element("matched").textContent = `${count.toLocaleString("en")} found`;
    if (count === 1) show(of.keys.findIndex((key) => key.startsWith(wanted)));
  };
  seek.addEventListener("input", search);
  element("search").hidden = false;
})();
