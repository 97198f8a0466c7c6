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
  const found = /^(-?[\d.]+(?:e[+-]?\d+)?)\s*([QRYZEPTGMk](?=FLOP|OP|Hz))?/.exec(text);
  return found ? Number(found[1]) * (scale[found[2]] || 1) : NaN;
};
for (const table of document.querySelectorAll("table.data")) {
  const body = table.tBodies[0];
  table.querySelectorAll("thead th").forEach((head, at) => head.querySelector("button").addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const text = (row) => row.cells[at].textContent;
    const order = (a, b) => {
      const [x, y] = [value(text(a)), value(text(b))];
      return Number.isNaN(x) || Number.isNaN(y) ? text(a).localeCompare(text(b)) : x - y;
    };
    body.append(...[...body.rows].sort((a, b) => up ? order(a, b) : order(b, a)));
  }));
  const filter = table.closest("details").querySelector("input");
  filter.addEventListener("input", () => {
    const wanted = filter.value.toLowerCase();
    for (const row of body.rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
}
