// What people do on these pages with a mouse.

import assert from "node:assert/strict";

export const main = (page) => page.getByRole("main");

// The last: the first is hidden, and there for who presses Enter.
export const button = (page, name) => main(page).getByRole("button", { name, exact: true }).last();

export async function next(page) {
  await button(page, "Continue").click();
}

// Fills the first step of a new key, and goes on.
export async function info(page, { name, description = "", environment = "Production", expires = "In 90 days" }) {
  await page.getByRole("link", { name: "New access key" }).click();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel(/^Description/).fill(description);
  await page.getByLabel(environment, { exact: true }).check();
  await page.getByLabel(expires, { exact: true }).check();
  await next(page);
}

// Searches for one agent and picks it.
export async function pick(page, agent) {
  await page.getByRole("searchbox", { name: "Search the agents" }).fill(agent);
  await page.getByRole("button", { name: "Search", exact: true }).first().click();
  await page.getByRole("heading", { name: `Found for “${agent}”` }).waitFor();
  await page.getByRole("checkbox", { name: new RegExp(`^${agent}`) }).check();
}

// Up to the review of a key for one agent and no prompt.
export async function review(page, key) {
  await info(page, key);
  await page.getByLabel("Only these agents").check();
  await pick(page, key.agent ?? "Refund clerk");
  await next(page);
  await page.getByLabel("No prompts").check();
  await next(page);
  await page.getByRole("heading", { name: "Review and generate" }).waitFor();
}

export async function generate(page, key) {
  await review(page, key);
  await button(page, "Generate key").click();
  return token(page);
}

// The token that a page shows.
export async function token(page) {
  await page.getByRole("heading", { name: "Store this token now" }).waitFor();
  const value = (await page.locator("#token").inputValue()).trim();
  assert.ok(/^acme_(live|stage|dev)_[0-9A-Za-z]{16}_[0-9A-Za-z]{38}$/.test(value), "this is no token");
  return value;
}

// From the page of the token to the key; its address.
export async function stored(page) {
  await page.getByRole("link", { name: "I have stored it" }).click();
  await page.getByRole("heading", { name: "History" }).waitFor();
  return page.url();
}

// The name is typed: it confirms.
export async function revoke(page, name, reason) {
  await page.getByLabel("Reason").fill(reason);
  await page.getByLabel("Type the name of the key to confirm").fill(name);
  await button(page, "Revoke for ever").click();
}

export const events = (page) => page.locator("ol.events > li");

// Waits for the words, in the case that they have here.
export async function says(locator, words) {
  const sought = words instanceof RegExp ? words : new RegExp(words.replace(/[^\w\s]/g, "\\$&"));
  try {
    await locator.filter({ hasText: sought }).first().waitFor();
  } catch (error) {
    const text = await locator.allInnerTexts().catch(() => []);
    assert.fail(`${words} is not in: ${text.join("\n") || error.message}`);
  }
}
