// Chromium keeps pages that it leaves, to go back to them at once. Playwright turns that off; here it is on, as it is
// for people.

import assert from "node:assert/strict";

import { inBrowser, nothingWrong, signedIn } from "./browser.mjs";
import { holdsNone, secretOf } from "./secret.mjs";
import { generate, stored } from "./steps.mjs";

const asForPeople = { ignoreDefaultArgs: ["--disable-back-forward-cache"] };

await inBrowser(async (browser) => {
  for (const javaScriptEnabled of [true, false]) await notKept(browser, { javaScriptEnabled });
  await keptWithoutSeal(browser);
}, asForPeople);

async function leaveAndComeBack(page, name) {
  const token = await generate(page, { name });
  await page.waitForLoadState();
  await stored(page);
  // A page that was kept is not loaded.
  await page.goBack({ waitUntil: "commit" });
  assert.match(page.url(), /\/issued\//);
  return token;
}

async function notKept(browser, options) {
  const ada = await signedIn(browser, "Ada", options);
  const token = await leaveAndComeBack(ada.page, "Left");
  await ada.page.getByRole("heading", { name: "The token was shown once" }).waitFor();
  await holdsNone(ada.page, [token]);
  nothingWrong(ada);
}

// That this test can see a page that was kept, and that it is the seal that keeps the page from it.
async function keptWithoutSeal(browser) {
  const { context, page } = await signedIn(browser, "Ada", { javaScriptEnabled: false });
  await page.route("**/seal", (route) => route.abort());
  const token = await leaveAndComeBack(page, "Left unsealed");
  const devtools = await context.newCDPSession(page);
  const { root } = await devtools.send("DOM.getDocument");
  const { outerHTML } = await devtools.send("DOM.getOuterHTML", { nodeId: root.nodeId });
  assert.ok(outerHTML.includes(secretOf(token)), "no page was kept: this test sees nothing");
}
