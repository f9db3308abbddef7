// Creation and revocation by keyboard alone: Tab, Enter, Space, arrows and letters.

import assert from "node:assert/strict";

import { inBrowser, nothingWrong, open } from "./browser.mjs";
import { events, main, says, token } from "./steps.mjs";

await inBrowser(async (browser) => {
  const ada = await open(browser);
  const { page } = ada;
  await page.goto("/sign-in");
  await press(page, page.getByRole("button", { name: "Continue as Ada" }));
  await page.getByRole("heading", { name: "No access keys yet" }).waitFor();
  await skip(page);
  await press(page, page.getByRole("link", { name: "New access key" }));
  await create(page);
  await revoke(page);
  nothingWrong(ada);
});

// The first Tab of a page offers to leave out its head.
async function skip(page) {
  await page.keyboard.press("Tab");
  assert.equal(await page.locator(":focus").innerText(), "Skip to the content");
  await visible(page);
  await page.keyboard.press("Enter");
  assert.equal(await page.locator(":focus").getAttribute("id"), "main");
}

async function create(page) {
  await page.getByRole("heading", { name: "Key info" }).waitFor();
  // Nothing is filled in: the mistakes get the focus, and lead to their fields.
  await press(page, page.getByRole("button", { name: "Continue" }).last());
  await page.locator("#mistakes:focus").waitFor();
  await press(page, page.getByRole("link", { name: "Give the key a name." }));
  await page.locator("#name:focus").waitFor();
  await page.keyboard.type("Kiosk");
  await reach(page, page.getByLabel(/^Description/));
  await page.keyboard.type("In the foyer");
  await choose(page, page.getByLabel("Staging"));
  await choose(page, page.getByLabel("In a year"));
  await press(page, page.getByRole("button", { name: "Continue" }).last());

  await page.getByRole("heading", { name: "Agent access" }).waitFor();
  await choose(page, page.getByLabel("Only these agents"));
  await reach(page, page.getByRole("searchbox"));
  await page.keyboard.type("refund");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Found for “refund”" }).waitFor();
  await reach(page, page.getByRole("checkbox", { name: /^Refund clerk/ }));
  await page.keyboard.press("Space");
  await press(page, page.getByRole("button", { name: "Continue" }).last());

  await page.getByRole("heading", { name: "Prompt access" }).waitFor();
  await choose(page, page.getByLabel("No prompts"));
  await press(page, page.getByRole("button", { name: "Continue" }).last());

  await page.getByRole("heading", { name: "Review and generate" }).waitFor();
  await says(main(page), /Kiosk.*In the foyer.*Staging.*Refund clerk.*No prompts/);
  await press(page, page.getByRole("button", { name: "Generate key" }), "Space");
  assert.match(await token(page), /^acme_stage_/);
  await reach(page, page.locator("#token"));
  await reach(page, page.getByRole("button", { name: "Copy" }));
  await press(page, page.getByRole("link", { name: "I have stored it" }));
}

async function revoke(page) {
  await page.getByRole("heading", { name: "History" }).waitFor();
  await press(page, page.getByRole("link", { name: "Revoke" }));
  await reach(page, page.getByLabel("Reason"));
  await page.keyboard.type("No longer needed");
  await reach(page, page.getByLabel(/^Type the name/));
  await page.keyboard.type("Kiosk");
  await page.keyboard.press("Enter");
  await says(page.locator("h1"), "Kiosk Revoked");
  await says(events(page).first(), /^Ada Moreau revoked the key for ever.*No longer needed/);
}

function focused(locator) {
  return locator.evaluate((element) => element === document.activeElement);
}

// Tab by Tab, where each stop shows that it has the focus.
async function reach(page, locator, there = focused) {
  await locator.waitFor();
  for (let n = 0; n < 150; n += 1) {
    if (await there(locator)) return;
    await page.keyboard.press("Tab");
    await visible(page);
  }
  assert.fail(`no Tab reaches ${locator}`);
}

async function press(page, locator, key = "Enter") {
  await reach(page, locator);
  await page.keyboard.press(key);
}

// One of several choices: Tab to the group, then the arrows.
async function choose(page, locator) {
  const group = (choice) => choice.evaluate((element) => document.activeElement?.name === element.name);
  await reach(page, locator, group);
  for (let n = 0; n < 10; n += 1) {
    if ((await focused(locator)) && (await locator.isChecked())) return;
    await page.keyboard.press((await focused(locator)) ? "Space" : "ArrowDown");
    await visible(page);
  }
  assert.fail(`no arrow reaches ${locator}`);
}

// What has the focus is in sight, and has a ring, of its own or around the choice that it is.
async function visible(page) {
  const seen = await page.evaluate(() => {
    const at = document.activeElement;
    if (at === document.body || at === document.documentElement) return "";
    const ring = [at, at.closest(".choice")].some((element) => {
      const style = element && getComputedStyle(element);
      return style && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    });
    const { left, right, top, bottom, width, height } = at.getBoundingClientRect();
    const inSight = width > 4 && height > 4 && right > 0 && bottom > 0 && left < innerWidth && top < innerHeight;
    return ring && inSight ? "" : `${at.outerHTML.slice(0, 200)}: ring ${ring}, in sight ${inSight}`;
  });
  assert.equal(seen, "", "the focus cannot be seen");
}
