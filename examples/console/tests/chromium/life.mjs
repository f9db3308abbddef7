// The whole life of a key by mouse.

import assert from "node:assert/strict";

import { inBrowser, nothingWrong, signedIn } from "./browser.mjs";
import { addresses, holdsNone, secretOf, storesNothing } from "./secret.mjs";
import { button, events, generate, main, pick, revoke, says, stored, token } from "./steps.mjs";

await inBrowser(async (browser) => {
  const ada = await signedIn(browser, "Ada", { permissions: ["clipboard-read", "clipboard-write"] });
  const { page } = ada;
  const tokens = [await generate(page, { name: "Storefront", description: "Web shop" })];
  await says(main(page), "Refund clerk");
  await says(main(page), "No prompts");
  await storesNothing(page);

  await button(page, "Copy").click();
  await page.getByText("Copied to the clipboard").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), tokens[0]);
  await onceOnly(page, tokens);
  await page.getByRole("link", { name: "To the key" }).click();
  const key = page.url();

  await edit(page, tokens);
  await pause(page);
  await rotate(page, tokens);
  assert.equal(page.url(), key);

  // Someone else of the project ends it.
  const ben = await signedIn(browser, "Ben");
  await ben.page.getByRole("link", { name: "Storefront (web)" }).click();
  await end(ben.page);
  await page.reload();
  await history(page);
  await holdsNone(page, tokens);
  await storesNothing(page);
  assert.deepEqual((await addresses(page)).filter((one) => tokens.some((token) => one.includes(secretOf(token)))), []);
  nothingWrong(ada);
  nothingWrong(ben);
});

// Neither reloading nor going away and back shows the token again.
async function onceOnly(page, tokens) {
  const gone = page.getByRole("heading", { name: "The token was shown once" });
  const issued = page.url();
  await page.goto("/");
  await holdsNone(page, tokens);
  await page.goBack();
  await gone.waitFor();
  assert.equal(page.url(), issued);
  await holdsNone(page, tokens);
  await page.reload();
  await gone.waitFor();
  await holdsNone(page, tokens);
  // Nor does what was before it: the form that made it leads to the same page.
  await page.goBack();
  await gone.waitFor();
  await holdsNone(page, tokens);
}

async function edit(page, tokens) {
  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Storefront (web)");
  await page.locator("summary").first().click();
  await pick(page, "Support bot");
  await page.getByRole("checkbox", { name: /^Refund clerk/ }).uncheck();
  await button(page, "Preview the changes").click();
  await page.getByRole("heading", { name: "Save these changes?" }).waitFor();
  await says(page.locator(".preview.wider"), "Support bot");
  await says(page.locator(".preview.narrower"), "Refund clerk");
  await says(page.locator(".preview.words"), "Storefront (web)");
  await button(page, "Save").click();
  await says(page.locator("#cutoff"), "Saved.");
  await says(page.locator("h1"), "Storefront (web)");
  await says(page.locator("section.access"), "Support bot");
  await holdsNone(page, tokens);
}

async function pause(page) {
  await button(page, "Deactivate").click();
  await says(page.locator("h1"), "Inactive");
  await button(page, "Activate").click();
  await says(page.locator("h1"), "Active");
}

async function rotate(page, tokens) {
  await page.getByRole("link", { name: "Rotate" }).click();
  await page.getByLabel("1 day").check();
  await button(page, "Issue a new token").click();
  tokens.push(await token(page));
  assert.notEqual(secretOf(tokens[0]), secretOf(tokens[1]));
  await says(main(page), /Works until .* \(in 1 day\)/);
  await stored(page);
  await holdsNone(page, tokens);
  await says(page.getByLabel("Facts"), "Old token");
  await page.goBack();
  await page.getByRole("heading", { name: "The token was shown once" }).waitFor();
  await holdsNone(page, tokens);
  await page.goForward();
}

// Not without a reason, nor without the name.
async function end(page) {
  await page.getByRole("link", { name: "Revoke" }).click();
  await revoke(page, "Storefront", "");
  await says(page.locator("#mistakes"), "There are 2 mistakes");
  await revoke(page, "Storefront (web)", "Found in a public repository");
  await says(page.locator("h1"), "Revoked");
  assert.equal(await page.getByRole("link", { name: /^(Edit|Rotate|Revoke)$/ }).count(), 0);
}

// Newest first: who, what and why.
async function history(page) {
  const told = [
    /^Ben Okafor revoked the key for ever.*Found in a public repository/,
    /^Ada Moreau issued a new token.*Token number 2/,
    /^Ada Moreau activated the key/,
    /^Ada Moreau deactivated the key/,
    /^Ada Moreau edited the key.*Storefront → Storefront \(web\).*added Support bot, removed Refund clerk/,
    /^Ada Moreau created the key.*For Refund clerk and no prompts/,
  ];
  assert.equal(await events(page).count(), told.length);
  for (const [n, words] of told.entries()) await says(events(page).nth(n), words);
}
