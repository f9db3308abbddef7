// The pictures of the guide "Build the page". With ACCESS_KEYS_PICTURES that file is written anew.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";

import { inBrowser, nothingWrong, signedIn } from "./browser.mjs";
import { button, generate, info, next, pick, stored } from "./steps.mjs";

const pictures = new Map();

await inBrowser(async (browser) => {
  const ada = await signedIn(browser, "Ada", { viewport: { width: 960, height: 760 }, deviceScaleFactor: 0.8 });
  const { page } = ada;
  const take = async (name) => {
    await page.evaluate(() => scrollTo(0, 0));
    const picture = await page.screenshot({ type: "jpeg", quality: 60 });
    assert.ok(picture.length > 5_000 && picture.length < 60_000, `${name}: ${picture.length} bytes`);
    pictures.set(name, picture.toString("base64"));
  };

  for (const [name, environment, expires] of [
    ["Nightly reports", "Development", "Never"],
    ["Partner portal", "Staging", "In 30 days"],
    ["Help centre", "Production", "In a year"],
  ]) {
    await info(page, { name, environment, expires });
    await page.getByLabel(/^All agents/).check();
    await next(page);
    await page.getByLabel(/^All prompts/).check();
    await next(page);
    await button(page, "Generate key").click();
    await stored(page);
    await toList(page);
  }
  await take("list");

  await info(page, { name: "Mobile app" });
  await page.getByLabel("Only these agents").check();
  await pick(page, "Support bot");
  await take("agents");
  await toList(page);

  // Of a key that is gone with this host.
  await generate(page, { name: "Mobile app" });
  await take("issued");
  await stored(page);
  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel(/^All agents/).check();
  await page.getByLabel("Name", { exact: true }).fill("Mobile app for iOS");
  await button(page, "Preview the changes").click();
  await button(page, "Save").waitFor();
  await take("preview");
  nothingWrong(ada);
});

const file = process.env.ACCESS_KEYS_PICTURES;
if (file) {
  const references = [...pictures].map(([name, picture]) => `[${name}]: data:image/jpeg;base64,${picture}`);
  await writeFile(file, `${references.join("\n")}\n`);
}

async function toList(page) {
  await page.goto("/projects/checkout/keys");
  await page.getByRole("heading", { name: "Access keys", exact: true }).waitFor();
}
