// What is sent twice is done once, and of two editors the second learns what the first did.

import assert from "node:assert/strict";

import { inBrowser, nothingWrong, signedIn } from "./browser.mjs";
import { button, events, generate, main, pick, review, says, stored, token } from "./steps.mjs";

await inBrowser(async (browser) => {
  const ada = await signedIn(browser, "Ada");
  await pressedTwice(ada.page);
  await sentAtOnce(ada);
  const ben = await signedIn(browser, "Ben");
  await twoEditors(ada.page, ben.page);
  nothingWrong(ada);
  nothingWrong(ben);
});

function called(page, name) {
  return page.getByRole("link", { name, exact: true });
}

async function list(page) {
  await page.getByRole("link", { name: "Access keys" }).first().click();
  await page.getByRole("table").waitFor();
}

async function pressedTwice(page) {
  await review(page, { name: "Pressed twice" });
  const form = page.url();
  await button(page, "Generate key").dblclick();
  await token(page);
  await page.goto(form);
  await page.getByRole("heading", { name: "The token was shown once" }).waitFor();
  await list(page);
  assert.equal(await called(page, "Pressed twice").count(), 1);
}

// Two forms under way at the same time, as two tabs or an impatient network make them.
async function sentAtOnce({ context, page }) {
  await review(page, { name: "Sent at once" });
  const csrf = await page.locator("#step input[name=csrf]").inputValue();
  const send = () => context.request.post(page.url(), { form: { csrf, go: "generate" }, maxRedirects: 0 });
  const answers = await Promise.all(Array.from({ length: 5 }, send));
  assert.deepEqual(new Set(answers.map((answer) => answer.status())), new Set([303]));
  const shown = new Set(answers.map((answer) => answer.headers().location));
  assert.equal(shown.size, 1);
  await page.goto([...shown][0]);
  await token(page);
  await says(main(page), "The form was sent more than once.");
  await stored(page);
  assert.equal(await events(page).count(), 1);
  await list(page);
  assert.equal(await called(page, "Sent at once").count(), 1);
}

async function twoEditors(ada, ben) {
  await generate(ada, { name: "Back office" });
  const key = await stored(ada);
  await ada.goto(`${key}/edit`);
  await ben.goto(`${key}/edit`);

  await ben.getByLabel(/^Description/).fill("Typed by Ben");
  await ben.locator("summary").first().click();
  await pick(ben, "Support bot");
  await button(ben, "Preview the changes").click();
  await ben.getByRole("heading", { name: "Save these changes?" }).waitFor();

  await ada.getByLabel("Name", { exact: true }).fill("Back office (Lisbon)");
  await ada.getByLabel("Never", { exact: true }).check();
  await button(ada, "Preview the changes").click();
  await button(ada, "Save").dblclick();
  await says(ada.locator("h1"), "Back office (Lisbon)");
  assert.equal(await events(ada).count(), 2, "saved twice is saved once");

  // Ben read a preview of another key: nothing of it is saved.
  await button(ben, "Save").click();
  await says(ben.locator("#overtaken"), /Ada Moreau edited the key.*Back office → Back office \(Lisbon\)/);
  assert.equal(await ben.getByLabel(/^Description/).inputValue(), "Typed by Ben");
  assert.equal(await ben.getByLabel("Name", { exact: true }).inputValue(), "Back office (Lisbon)");
  assert.ok(await ben.getByRole("checkbox", { name: /^Support bot/ }).isChecked());
  await ada.reload();
  assert.equal(await events(ada).count(), 2);

  await button(ben, "Preview the changes").click();
  await says(main(ben), "Others changed the key while you were editing.");
  const preview = await main(ben).innerText();
  assert.ok(!preview.includes("Lisbon"), "what Ada did is no change of Ben's");
  await button(ben, "Save").click();
  await says(events(ben).first(), /^Ben Okafor edited the key.*Typed by Ben.*added Support bot/);
  await says(ben.locator("h1"), "Back office (Lisbon)");
  assert.equal(await events(ben).count(), 3);
}
