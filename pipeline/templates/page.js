// The page reads without this script; it adds a switch between light and dark, and a filter over the list of inputs.
(() => {
  const root = document.documentElement;
  const toggle = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  const show = () => {
    const dark = chosen === null ? system.matches : chosen === "dark";
    root.style.colorScheme = chosen ?? "";
    root.dataset.theme = dark ? "dark" : "light";
    toggle.textContent = dark ? "Light" : "Dark";
    toggle.setAttribute("aria-label", `Switch to ${dark ? "light" : "dark"} colours`);
  };
  toggle.addEventListener("click", () => {
    chosen = root.dataset.theme === "dark" ? "light" : "dark";
    show();
  });
  system.addEventListener("change", show);
  toggle.hidden = false;
  show();

  const filter = document.getElementById("filter");
  if (filter) {
    const rows = [...document.querySelectorAll("#features tbody tr")];
    const count = document.getElementById("filtered");
    const apply = () => {
      const wanted = filter.value.trim().toLowerCase();
      for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
      count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} inputs`;
    };
    filter.addEventListener("input", apply);
    filter.parentElement.hidden = false;
    apply();
  }
})();
