// Search and filters over the list of features, and a feature that is named in the address opens. All words must be found.
(() => {
  const form = document.getElementById("filters");
  const search = document.getElementById("search");
  const choices = [...form.querySelectorAll("select")];
  const features = [...document.querySelectorAll(".feature")];
  const parts = [...document.querySelectorAll(".group, .family-part")];
  const found = document.getElementById("found");
  const clear = document.getElementById("clear");
  const nothing = document.getElementById("nothing");
  // A column is found by its feature: call_count_weekend_30d is of call_count.
  const featureOf = (word) => (/_\d+d$/.test(word) ? word.replace(/(_(weekday|weekend|day|night))*_\d+d$/, "") : word);
  const number = (count, what) => `${count.toLocaleString("en")} ${what}${count === 1 ? "" : "s"}`;
  const apply = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean).map(featureOf);
    const chosen = choices.filter((choice) => choice.value);
    let shown = 0;
    let columns = 0;
    for (const feature of features) {
      const is = feature.dataset;
      const fits = chosen.every((choice) => is[choice.dataset.key] === choice.value) && wanted.every((word) => is.words.includes(word));
      feature.hidden = !fits;
      shown += fits;
      columns += fits ? Number(is.columns) : 0;
    }
    for (const part of parts) part.hidden = !part.querySelector(".feature:not([hidden])");
    const all = shown === features.length;
    found.textContent = `${all ? "" : `${shown.toLocaleString("en")} of `}${number(features.length, "feature")}, ${number(columns, "column")}`;
    clear.hidden = !wanted.length && !chosen.length;
    nothing.hidden = shown > 0;
  };
  const open = () => {
    const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!named?.matches(".feature")) return;
    if (named.hidden) form.reset();
    apply();
    named.open = true;
    named.scrollIntoView({ behavior: "instant" });
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { apply(); search.focus({ preventScroll: true }); }));
  addEventListener("hashchange", open);
  form.hidden = false;
  apply();
  open();
})();
