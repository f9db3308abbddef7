// Without scripts: creation, edit and revocation.

import { inBrowser, nothingWrong, signedIn } from "./browser.mjs";
import { button, events, generate, pick, revoke, says, stored } from "./steps.mjs";

await inBrowser(async (browser) => {
  const ada = await signedIn(browser, "Ada", { javaScriptEnabled: false });
  const { page } = ada;
  await generate(page, { name: "Partner portal", environment: "Development" });
  // A button that would do nothing is not there.
  await page.getByRole("button", { name: "Copy" }).waitFor({ state: "hidden" });
  const key = await stored(page);

  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Partner portal 2");
  await page.locator("summary").first().click();
  await pick(page, "Triage");
  await button(page, "Preview the changes").click();
  await says(page.locator(".preview.wider"), "Triage");
  await button(page, "Save").click();
  await says(page.locator("h1"), "Partner portal 2");

  await page.goto(`${key}/revoke`);
  await revoke(page, "", "");
  await says(page.locator("#mistakes"), "There are 2 mistakes");
  await revoke(page, "Partner portal 2", "The partner left");
  await says(page.locator("h1"), "Revoked");
  await says(events(page).first(), /^Ada Moreau revoked the key for ever.*The partner left/);
  nothingWrong(ada);
});
