"use strict";
// Sorting, filtering and the choice of colours; without a script the page is whole.
const button = document.getElementById("theme");
const root = document.documentElement;
const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
const show = () => button.setAttribute("aria-pressed", String(dark()));
button.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; show(); });
show();
const scale = { Q: 1e30, R: 1e27, Y: 1e24, Z: 1e21, E: 1e18, P: 1e15, T: 1e12, G: 1e9, M: 1e6, k: 1e3 };
const value = (text) => {
  const found = /^~?(-?[\d.]+(?:e[+-]?\d+)?)\s*([QRYZEPTGMk](?=FLOP|OP|Hz|B\/s|bit))?/.exec(text);
  return found ? Number(found[1]) * (scale[found[2]] || 1) : NaN;
};
// Numbers come before words, which are in natural order: node9 before node10.
const words = new Intl.Collator("en", { numeric: true }).compare;
const order = (a, b) => {
  if (Number.isNaN(a.value) && Number.isNaN(b.value)) return words(a.text, b.text);
  if (Number.isNaN(a.value)) return 1;
  return Number.isNaN(b.value) ? -1 : a.value - b.value || words(a.text, b.text);
};
for (const table of document.querySelectorAll("table.data")) {
  const body = table.tBodies[0];
  table.querySelectorAll("thead th").forEach((head, at) => head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const keys = [...body.rows].map((row) => {
      const text = row.cells[at].textContent;
      return { row, text, value: value(text) };
    });
    keys.sort((a, b) => up ? order(a, b) : order(b, a));
    body.append(...keys.map((key) => key.row));
  }));
  const filter = table.closest("details").querySelector("input");
  const told = table.closest("details").querySelector("output");
  filter.addEventListener("input", () => {
    const wanted = filter.value.toLowerCase();
    let shown = 0;
    for (const row of body.rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
      if (!row.hidden) shown += 1;
    }
    told.value = wanted ? `${shown} of ${body.rows.length} rows` : "";
  });
}
