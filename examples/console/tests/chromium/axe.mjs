// No page breaks a rule of axe, as it is shown and as it is shown with mistakes; and a picture of each.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { inBrowser, nothingWrong, open, packages, signedIn } from "./browser.mjs";
import { button, events, info, next, pick, revoke, stored, token } from "./steps.mjs";

const axe = readFileSync(packages.resolve("axe-core/axe.min.js"), "utf8");
const looks = [["light", 1280]];
if (process.env.ACCESS_KEYS_DEEP === "1") looks.push(["dark", 1280], ["light", 360], ["dark", 360]);
const found = [];

await inBrowser(async (browser) => {
  for (const look of looks) await everyPage(browser, ...look);
  assert.deepEqual(found, []);
});

async function everyPage(browser, colorScheme, width) {
  const folder = join(process.env.PICTURES, `${colorScheme}-${width}`);
  mkdirSync(folder, { recursive: true });
  let count = 0;
  const options = { colorScheme, viewport: { width, height: 900 }, bypassCSP: true };
  const look = async (page, name) => {
    count += 1;
    await page.screenshot({ path: join(folder, `${String(count).padStart(2, "0")}-${name}.png`), fullPage: true });
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    for (const { id, help, nodes } of violations) {
      const where = nodes.map((node) => `${node.target} ${node.any.map((check) => check.message).join(" ")}`);
      found.push(`${colorScheme} ${width} ${name}: ${id}, ${help}: ${where.join("; ")}`);
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) found.push(`${colorScheme} ${width} ${name}: wider than the window by ${wide}`);
  };
  const stranger = await open(browser, options);
  await stranger.page.goto("/sign-in");
  await look(stranger.page, "sign-in");
  // Who has no keys, in whichever round.
  const dana = await signedIn(browser, "Dana", options);
  await look(dana.page, "empty-list");
  const ada = await signedIn(browser, "Ada", options);
  const key = await creation(ada.page, look);
  await changes(ada.page, key, look);
  await ending(ada.page, key, look);
  for (const one of [stranger, dana, ada]) nothingWrong(one);
}

async function creation(page, look) {
  await page.getByRole("link", { name: "New access key" }).click();
  await look(page, "info");
  await next(page);
  await page.locator("#mistakes").waitFor();
  await look(page, "info-mistakes");
  await page.goto("/projects/checkout/keys");
  await info(page, { name: "Storefront", description: "Web shop.\nOwned by the checkout team." });
  await page.getByRole("heading", { name: "Agent access" }).waitFor();
  await look(page, "agents");
  await next(page);
  await page.locator("#mistakes").waitFor();
  await look(page, "agents-mistakes");
  await page.getByLabel("Only these agents").check();
  await pick(page, "Refund clerk");
  await look(page, "agents-found");
  await next(page);
  await page.getByRole("heading", { name: "Prompt access" }).waitFor();
  await look(page, "prompts");
  await next(page);
  await page.locator("#mistakes").waitFor();
  await look(page, "prompts-mistakes");
  await page.getByLabel("No prompts").check();
  await next(page);
  await page.getByRole("heading", { name: "Review and generate" }).waitFor();
  await look(page, "review");
  await button(page, "Generate key").click();
  await token(page);
  await look(page, "issued");
  await page.reload();
  await look(page, "issued-before");
  await page.getByRole("link", { name: "To the key" }).click();
  await events(page).first().waitFor();
  await look(page, "key");
  return page.url();
}

async function changes(page, key, look) {
  await page.goto(`${key}/edit`);
  await look(page, "edit");
  await page.getByLabel("Name", { exact: true }).fill("");
  await page.getByLabel("Only these prompts").check();
  await button(page, "Preview the changes").click();
  await page.locator("#mistakes").waitFor();
  await look(page, "edit-mistakes");
  await page.getByLabel("Name", { exact: true }).fill("Storefront (web)");
  await page.getByLabel("All prompts").check();
  await page.getByLabel("In 30 days").check();
  await button(page, "Preview the changes").click();
  await page.getByRole("heading", { name: "Save these changes?" }).waitFor();
  await look(page, "preview");
  await button(page, "Save").click();
  await events(page).nth(1).waitFor();
  await look(page, "saved");
  await page.goto(`${key}/edit`);
  const draft = page.url();
  await page.goto(key);
  await button(page, "Deactivate").click();
  await events(page).nth(2).waitFor();
  await look(page, "inactive");
  await page.goto(draft);
  await page.locator("#overtaken").waitFor();
  await look(page, "edit-overtaken");
  await page.goto(key);
  await button(page, "Activate").click();
  await events(page).nth(3).waitFor();
  await page.goto(`${key}/rotate`);
  await look(page, "rotate");
  await button(page, "Issue a new token").click();
  await page.locator("#mistakes").waitFor();
  await look(page, "rotate-mistakes");
  await page.getByLabel("1 day").check();
  await button(page, "Issue a new token").click();
  await token(page);
  await look(page, "rotated");
  await stored(page);
  await look(page, "old-token");
}

async function ending(page, key, look) {
  await page.goto("/projects/checkout/keys");
  await look(page, "list");
  await page.goto("/projects/checkout/keys?q=nothing");
  await look(page, "list-nothing-found");
  await page.goto(`/projects/checkout/keys?q=${"long".repeat(30)}`);
  await look(page, "list-mistake");
  await page.goto("/projects/checkout/keys/look");
  await look(page, "look");
  await page.goto(`${key}/revoke`);
  await look(page, "revoke");
  await revoke(page, "", "");
  await page.locator("#mistakes").waitFor();
  await look(page, "revoke-mistakes");
  await revoke(page, "Storefront (web)", "Found in a public repository");
  await events(page).nth(5).waitFor();
  await look(page, "revoked");
  await page.goto("/nothing");
  await look(page, "404");
}
