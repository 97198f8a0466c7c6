// Asserts of each report: no console error, no request, no serious finding of axe-core in light and dark, every chart
// present with its data, sorting and filtering at work by mouse and keyboard, and a printed page. Screenshots and PDF are
// left in the folder to be looked at.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, ...reports] = process.argv.slice(2);
const require = createRequire(pathToFileURL(resolve(folder, "x.js")));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const OF_A_DEVICE = ["figures", "timeline", "roofline", "shapes", "inputs", "samples"];
// What must be drawn: for each chart texts of the drawing, texts of its table, and the fewest marks.
const EXPECTED = {
  golden: {
    figures: { drawing: ["900.0 GFLOP/s"], table: ["fp32"] },
    samples: { drawing: ["fp32 gemm 64x64x64 normal"], table: ["fp32 issue"] },
  },
  scripted: {
    figures: { drawing: ["bf16", "int8"], table: ["bf16"] },
    shapes: { drawing: ["64x64x64", "96x96x64", "100"], table: ["96x64x64"] },
    inputs: { drawing: ["zeros", "100.0 %"], table: ["integers"] },
    samples: { drawing: ["zeros"], table: ["bf16 gemm 64x64x64 zeros"], marks: 200 },
    timeline: { drawing: ["device time, s"], table: ["sample"] },
    roofline: { drawing: ["operations per byte"], table: ["96x96x64"] },
  },
  cpu: {
    figures: { drawing: ["fp32", "FLOP/s"], table: ["fp32"] },
    samples: { drawing: ["fp32 gemm 256x256x256 normal"], table: ["fp32 issue"], marks: 30 },
    timeline: { drawing: ["device time, s"], table: ["burst"] },
    roofline: { drawing: ["fp32 issue"], table: ["256x256x256"] },
  },
  lavapipe: { figures: { drawing: ["fp32"], table: ["fp32"] }, samples: { drawing: ["gemm"], table: ["64x64x64"] } },
  fleet: {
    fleet: {
      drawing: ["bf16 gemm", "fp8e4m3 gemm", "fp64 gemm", "node00617 scripted:3"],
      table: ["node00001", "node01000", "no file of this run"], rows: 1000, marks: 2900,
    },
  },
  cluster: {
    sets: { drawing: ["injection: hall1, hall2", "1e20: BIS-2024-proposed, EO-14110"], table: ["118.728 EOP/s"] },
    topology: { drawing: ["hall1: 7500", "spine2", "7500 x 3.2 Tbit/s", "400 Gbit/s"], table: ["port, bundle, injection"], rows: 3 },
  },
  training: { training: { drawing: ["EU-51 systemic-risk", "not-met"], table: ["~2.653e25"], rows: 9 } },
};

async function accessible(page, name) {
  // Evaluated by the debugger, so that the page keeps its policy against scripts that are not its own.
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run());
  const bad = found.violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
  const told = bad.map((v) => `${v.id}: ${v.nodes.map((node) => `${node.target} ${node.failureSummary}`).join("\n  ")}`);
  assert.deepEqual(told, [], `${name}: ${told.join("\n")}`);
  assert.ok(found.passes.length > 10, `${name}: axe looked at the page`);
}

async function charts(page, name) {
  const expected = EXPECTED[name] ?? {};
  const kinds = await page.locator("figure[data-chart]").evaluateAll((all) => all.map((one) => one.dataset.chart));
  for (const kind of Object.keys(expected)) assert.ok(kinds.includes(kind), `${name}: there is a chart ${kind}`);
  if (await page.locator("#charts").count()) {
    for (const kind of OF_A_DEVICE) assert.ok(kinds.includes(kind), `${name}: there is a chart ${kind}`);
  }
  assert.ok(kinds.length > 0, `${name}: charts`);
  for (const kind of new Set(kinds)) {
    const figure = page.locator(`figure[data-chart="${kind}"]`).first();
    const [drawn, absent] = [await figure.locator("svg[role=img] > *").count(), await figure.locator(".absent").count()];
    assert.ok(drawn > 3 ? absent === 0 : absent === 1, `${name}: ${kind} is drawn or says why not`);
    const wanted = expected[kind];
    if (drawn <= 3) {
      assert.equal(wanted, undefined, `${name}: ${kind} is drawn: ${await figure.locator(".absent").textContent()}`);
      continue;
    }
    const rows = await figure.locator("tbody tr").count();
    assert.ok(rows > 0, `${name}: ${kind} has data`);
    assert.equal(rows, wanted?.rows ?? rows, `${name}: ${kind} has all its rows`);
    const [drawing, table] = [await figure.locator("svg").textContent(), await figure.locator("tbody").textContent()];
    for (const text of wanted?.drawing ?? []) assert.ok(drawing.includes(text), `${name}: ${kind} shows ${text}: ${drawing}`);
    for (const text of wanted?.table ?? []) assert.ok(table.includes(text), `${name}: ${kind} has ${text} in its table`);
    const marks = await figure.locator("svg circle, svg path, svg polygon, svg rect").count();
    assert.ok(marks >= (wanted?.marks ?? 1), `${name}: ${kind} has ${marks} marks`);
    const [, , width, height] = (await figure.locator("svg").getAttribute("viewBox")).split(" ").map(Number);
    const outside = await figure.locator("svg text").evaluateAll((all, [width, height]) => all.filter((text) => {
      const box = text.getBBox();
      // Turned labels have the box of the level text; only what is level can be told.
      return !text.hasAttribute("transform") && (box.x < -1 || box.x + box.width > width + 1 || box.y > height + 1);
    }).map((text) => text.textContent), [width, height]);
    assert.deepEqual(outside, [], `${name}: ${kind} has no text that is cut off`);
  }
}

/// Sorting and filtering of the first table of data that has several rows, by the keyboard alone.
async function tables(page, name) {
  const data = page.locator("figure:has(tbody tr:nth-child(2))").last();
  const cells = () => data.locator("tbody tr").evaluateAll(
    (rows) => rows.filter((row) => !row.hidden).map((row) => row.cells[0].textContent));
  const collate = new Intl.Collator("en", { numeric: true }).compare;
  const before = await cells();
  const numbers = before.every((text) => /^[\d.]+/.test(text));
  const head = data.locator("thead th").first();
  await head.locator("button").focus();
  await page.keyboard.press("Enter");
  assert.equal(await head.getAttribute("aria-sort"), "ascending", `${name}: the table says how it is sorted`);
  if (!numbers) assert.deepEqual(await cells(), [...before].sort(collate), `${name}: sorted`);
  await page.keyboard.press("Space");
  assert.equal(await head.getAttribute("aria-sort"), "descending", `${name}: the table says how it is sorted`);
  if (!numbers) assert.deepEqual(await cells(), [...before].sort((a, b) => collate(b, a)), `${name}: sorted down`);
  const wanted = before[before.length - 1];
  await data.locator("input").focus();
  await page.keyboard.type(wanted);
  const left = await data.locator("tbody tr:visible").allTextContents();
  assert.ok(left.length > 0 && left.length <= before.length, `${name}: filtered to ${left.length} rows`);
  assert.deepEqual(left.filter((row) => !row.includes(wanted)), [], `${name}: filtered by ${wanted}`);
  assert.equal(await data.locator("output").textContent(), `${left.length} of ${before.length} rows`, `${name}: told`);
  await data.locator("input").fill("");
}

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
for (const report of reports) {
  const url = pathToFileURL(resolve(report)).href;
  const name = basename(report, ".html");
  const started = Date.now();
  for (const colorScheme of ["light", "dark"]) {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1180, height: 900 } });
    const [told, asked] = [[], []];
    page.on("console", (message) => told.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => told.push(String(error)));
    page.on("dialog", (dialog) => { told.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(url, { waitUntil: "load" });
    const shown = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(shown === "rgb(255, 255, 255)", colorScheme === "light", `${name}: ${shown}`);
    const folded = await page.locator("details:not([open])").elementHandles();
    const fold = (open) => Promise.all(folded.map((one) => one.evaluate((details, open) => { details.open = open; }, open)));
    await fold(true);
    if (colorScheme === "light") {
      await charts(page, name);
      await tables(page, name);
    }
    await accessible(page, `${name}, ${colorScheme}`);
    await fold(false);
    await page.keyboard.press("Home");
    writeFileSync(join(folder, `${name}-${colorScheme}.png`), await page.screenshot({ fullPage: true }));
    if (colorScheme === "light") await page.pdf({ path: join(folder, `${name}.pdf`), format: "A4" });
    await page.locator("#theme").click();
    const turned = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.notEqual(turned, shown, `${name}: the button changes the colours`);
    assert.deepEqual(told, [], `${name}: the console is empty`);
    assert.deepEqual(asked, [url], `${name}: no request but for the file itself`);
    await page.close();
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`${name}: light and dark, no console message, no request, nothing serious by axe; ${seconds} s`);
}
await browser.close();
