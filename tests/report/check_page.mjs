// Opens a report in Chromium as a reader would and says what is wrong with it, as JSON on standard output.
//
//   node check_page.mjs PAGE.html [FOLDER FOR PICTURES]
//
// Each of light, dark and phone is a page load of its own. CHROMIUM names the browser, NODE_MODULES the folder that
// `npm ci` made.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(path.join(process.env.NODE_MODULES, "resolved.cjs"));
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const [page_file, pictures] = process.argv.slice(2);
const address = pathToFileURL(path.resolve(page_file)).href;
const views = {
  light: { colorScheme: "light", viewport: { width: 1280, height: 900 } },
  dark: { colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  phone: { colorScheme: "light", viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true },
};

// What the page shows, read within it.
function facts() {
  const charts = [...document.querySelectorAll("svg")].map((svg) => ({
    name: svg.getAttribute("aria-label"),
    marks: svg.querySelectorAll("path.ln, rect, path[class^=f]").length,
    title: svg.closest("figure")?.querySelector("h3")?.textContent,
    end_labels: svg.querySelectorAll("text.lb").length,
    lines: svg.querySelectorAll("path.ln").length,
    table_rows: svg.closest("figure")?.querySelectorAll("tbody tr").length,
    // Text that leaves its picture is cut off.
    cut: [...svg.querySelectorAll("text")].filter((text) => {
      const inner = text.getBoundingClientRect(), outer = svg.getBoundingClientRect();
      return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.top < outer.top - 1 ||
             inner.bottom > outer.bottom + 1;
    }).map((text) => text.textContent),
    overlapping: [...svg.querySelectorAll("text.lb, text.tk:not(.m):not(.e)")].filter((text, i, all) => {
      const a = text.getBoundingClientRect();
      return all.slice(i + 1).some((other) => {
        const b = other.getBoundingClientRect();
        return a.left < b.right - 2 && b.left < a.right - 2 && a.top < b.bottom - 4 && b.top < a.bottom - 4;
      });
    }).map((text) => text.textContent),
    smallest_text: Math.min(...[...svg.querySelectorAll("text")].map((text) =>
      parseFloat(getComputedStyle(text).fontSize) * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)),
  }));
  return {
    charts,
    sideways: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    background: getComputedStyle(document.body).backgroundColor,
    headings: [...document.querySelectorAll("h1, h2")].map((heading) => heading.textContent),
    scripts: document.scripts.length,
  };
}

// What the Tab key reaches, until it comes round.
async function keyboard_stops(page) {
  const stops = [];
  for (let i = 0; i < 60; ++i) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const at = document.activeElement;
      return at === document.body ? null : { tag: at.tagName, outline: getComputedStyle(at).outlineStyle };
    });
    if (stop === null) break;
    stops.push(stop);
  }
  return stops;
}

async function look(browser, name) {
  const context = await browser.newContext({ ...views[name], bypassCSP: true });
  const page = await context.newPage();
  const messages = [], requests = [];
  page.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => messages.push(`error: ${error.message}`));
  page.on("request", (request) => { if (request.url() !== address && !request.url().startsWith("data:")) requests.push(request.url()); });
  await page.goto(address, { waitUntil: "load" });
  const seen = await page.evaluate(facts);
  if (pictures) await page.screenshot({ path: path.join(pictures, `${path.parse(page_file).name}-${name}.png`), fullPage: true });
  const stops = await keyboard_stops(page);
  await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => { fold.open = true; }));
  const unfolded_sideways = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await page.evaluate(axeSource);
  const axe = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  await context.close();
  return { ...seen, unfolded_sideways, messages, requests, stops,
           violations: axe.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => n.html).join(" | ")}`),
           rules_passed: axe.passes.length };
}

// The page without scripts: nothing may be missing.
async function without_scripts(browser) {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(address);
  const charts = await page.locator("svg").count();
  await context.close();
  return charts;
}

// launch() gives the browser a fresh profile and removes it afterwards.
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  headless: true,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const result = { charts_without_scripts: await without_scripts(browser) };
  for (const name of Object.keys(views)) result[name] = await look(browser, name);
  console.log(JSON.stringify(result, null, 1));
} finally {
  await browser.close();
}
