// Chromium with one context for each person, and what any page of theirs must not do.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

// The packages are where the test runs, not beside these files.
export const packages = createRequire(`${process.cwd()}/`);
const { chromium } = packages("playwright-core");

export const host = process.env.CONSOLE;
const rules = /Content Security Policy/;

// Runs a topic with a browser, and ends it whatever comes.
export async function inBrowser(topic, options = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
    ...options,
  });
  try {
    await topic(browser);
  } finally {
    await browser.close();
  }
}

// A page of a new context, and what went wrong on it so far.
export async function open(browser, options = {}) {
  const context = await browser.newContext({ baseURL: host, viewport: { width: 1280, height: 900 }, ...options });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const wrong = [];
  page.on("dialog", (dialog) => {
    wrong.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  page.on("pageerror", (error) => wrong.push(`error: ${error.message}`));
  page.on("console", (said) => {
    // A page that answers with a mistake is an error to the console alone.
    const expected = /Failed to load resource/.test(said.text());
    if (said.type() === "error" && !expected) wrong.push(`console: ${said.text()}`);
  });
  return { context, page, wrong };
}

// The same, signed in.
export async function signedIn(browser, person, options = {}) {
  const opened = await open(browser, options);
  await opened.page.goto("/sign-in");
  await opened.page.getByRole("button", { name: person }).click();
  await opened.page.waitForURL(/\/projects\/\w+\/keys$/);
  return opened;
}

export function nothingWrong({ wrong }) {
  assert.deepEqual(wrong, []);
}

// What the strict policy refused is told by the console, and is no error of the page.
export function refusedByPolicy(opened) {
  const refused = opened.wrong.filter((one) => rules.test(one));
  opened.wrong = opened.wrong.filter((one) => !rules.test(one));
  return refused;
}
