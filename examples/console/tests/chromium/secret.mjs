// Where a browser could hold the value of a key, and that it does not.

import assert from "node:assert/strict";

// What nobody but its holder may know: a token without its prefix, the id of its key and its check.
export const secretOf = (token) => token.slice(-38, -6);

// The page as it is, with what is typed, and everything that outlives it.
export async function held(page) {
  const kept = await page.evaluate(async () => ({
    page: document.documentElement.outerHTML,
    fields: [...document.querySelectorAll("input, textarea, select")].map((field) => field.value),
    address: location.href,
    state: history.state,
    referrer: document.referrer,
    local: { ...localStorage },
    session: { ...sessionStorage },
    cookie: document.cookie,
    databases: (await indexedDB.databases()).map((database) => database.name),
    caches: await caches.keys(),
    asked: performance.getEntries().map((entry) => entry.name),
  }));
  return JSON.stringify({ ...kept, cookies: await page.context().cookies() });
}

export async function holdsNone(page, tokens) {
  const all = await held(page);
  for (const token of tokens) assert.ok(!all.includes(secretOf(token)), `${page.url()} still holds a token`);
}

// Nothing at all beside the cookies.
export async function storesNothing(page) {
  const kept = JSON.parse(await held(page));
  for (const place of ["local", "session"]) assert.deepEqual(kept[place], {}, place);
  for (const place of ["databases", "caches"]) assert.deepEqual(kept[place], [], place);
  assert.deepEqual([kept.state, kept.cookie], [null, ""]);
}

// Every address of the tab's history.
export async function addresses(page) {
  const devtools = await page.context().newCDPSession(page);
  const { entries } = await devtools.send("Page.getNavigationHistory");
  await devtools.detach();
  return entries.map((entry) => entry.url + entry.userTypedURL + entry.title);
}
