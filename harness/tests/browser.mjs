// Asserts of each report: no console error, no request, no serious finding of axe-core in light and dark, every chart
// present, sorting and filtering at work, and a printed page. Screenshots and PDF are left in the folder to be looked at.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, ...reports] = process.argv.slice(2);
const require = createRequire(pathToFileURL(resolve(folder, "x.js")));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const KINDS = ["figures", "timeline", "roofline", "shapes", "inputs", "samples"];

async function accessible(page, name) {
  // Evaluated by the debugger, so that the page keeps its policy against scripts that are not its own.
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run());
  const bad = found.violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
  const told = bad.map((v) => `${v.id}: ${v.nodes.map((node) => `${node.target} ${node.failureSummary}`).join("\n  ")}`);
  assert.deepEqual(told, [], `${name}: ${told.join("\n")}`);
  assert.ok(found.passes.length > 10, `${name}: axe looked at the page`);
}

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
for (const report of reports) {
  const url = pathToFileURL(resolve(report)).href;
  const name = basename(report, ".html");
  for (const colorScheme of ["light", "dark"]) {
    const page = await browser.newPage({ colorScheme, viewport: { width: 1180, height: 900 } });
    const [told, asked] = [[], []];
    page.on("console", (message) => told.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => told.push(String(error)));
    page.on("dialog", (dialog) => { told.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(url, { waitUntil: "load" });
    for (const kind of KINDS) {
      const figure = page.locator(`figure[data-chart="${kind}"]`).first();
      const drawn = await figure.locator("svg[role=img] > *").count();
      const absent = await figure.locator(".absent").count();
      assert.ok(drawn > 3 ? absent === 0 : absent === 1, `${name}: ${kind} is drawn or says why not`);
      if (drawn > 3) assert.ok(await figure.locator("tbody tr").count() > 0, `${name}: ${kind} has data`);
    }
    const shown = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(shown === "rgb(255, 255, 255)", colorScheme === "light", `${name}: ${shown}`);
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = true; }));
    await accessible(page, `${name}, ${colorScheme}`);
    const data = page.locator('figure[data-chart="samples"]');
    const cells = () => data.locator("tbody tr:not([hidden]) td:first-child").allTextContents();
    const before = await cells();
    await data.locator("thead button").first().click();
    assert.deepEqual(await cells(), [...before].sort((a, b) => a.localeCompare(b)), `${name}: sorted`);
    await data.locator("thead button").first().click();
    assert.deepEqual(await cells(), [...before].sort((a, b) => b.localeCompare(a)), `${name}: sorted down`);
    await data.locator("input").fill("gemm");
    assert.deepEqual((await cells()).filter((cell) => !cell.includes("gemm")), [], `${name}: filtered`);
    await data.locator("input").fill("");
    await page.evaluate(() => document.querySelectorAll("details").forEach((details) => { details.open = false; }));
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
  console.log(`${name}: ${KINDS.length} charts, light and dark, no console message, no request, nothing serious by axe`);
}
await browser.close();
