// A real Chromium: reads commands from stdin, one JSON object per line, and prints one JSON line for each.
// `--chromium PATH`. Commands: {goto, headers?}, {script}, {run, args}, {type: [selector, text]}, {click},
// {press}, {screenshot, width, height, scheme}. What the console and the CSP report is in `complaints`.
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import puppeteer from "puppeteer-core";
import { print } from "./lines.js";

const { values } = parseArgs({ options: { chromium: { type: "string" } } });
const browser = await puppeteer.launch({
  executablePath: values.chromium,
  headless: "shell",
  pipe: true, // so that it ends with this process, however that ends
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server", "--single-process", "--no-zygote"],
});
const page = await browser.newPage();
const complaints = [];
page.on("console", (message) => ["error", "warn"].includes(message.type()) && complaints.push(message.text()));
page.on("pageerror", (error) => complaints.push(String(error)));
page.on("requestfailed", (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));

const jobs = {
  goto: async ({ goto }) => (await page.goto(goto)).status(),
  script: async ({ script }) => void (await page.addScriptTag({ content: script })),
  run: ({ run, args }) => page.evaluate(`(${run})(...${JSON.stringify(args ?? [])})`),
  wait: async ({ wait, timeout }) => void (await page.waitForFunction(wait, { timeout: timeout ?? 10000 })),
  type: async ({ type: [selector, text] }) => void (await page.type(selector, text)),
  click: async ({ click }) => void (await page.click(click)),
  press: async ({ press }) => void (await page.keyboard.press(press)),
  complaints: () => complaints.splice(0),
  screenshot: async ({ screenshot, width, height, scheme }) => {
    await page.setViewport({ width, height });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await page.screenshot({ path: screenshot });
  },
};

print({ ready: await browser.version() });
for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  const name = Object.keys(jobs).find((job) => job in command);
  try {
    print({ result: (await jobs[name](command)) ?? null });
  } catch (error) {
    print({ error: String(error) });
  }
}
await browser.close();
