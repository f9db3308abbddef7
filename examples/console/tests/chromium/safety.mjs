// Another project finds nothing, no form is taken from elsewhere, and what is typed is text and never a script.

import assert from "node:assert/strict";
import { createServer } from "node:http";

import { host, inBrowser, nothingWrong, open, refusedByPolicy, signedIn } from "./browser.mjs";
import { button, events, info, main, next, pick, revoke, stored, token } from "./steps.mjs";

// Ends whatever it could stand in, and then runs in two ways.
const mark = `</title></textarea>"'><script>alert(1)</script><img src=x onerror=alert(2)>`;

await inBrowser(async (browser) => {
  const ada = await signedIn(browser, "Ada");
  const seen = watch(ada);
  await typed(ada);
  await asked(ada);
  await policy(ada);
  const chi = await signedIn(browser, "Chi");
  await otherProject(chi, seen);
  await foreignForms(ada, chi, seen);
  everyAnswer(seen);
  await cookies(ada);
  await frame(browser);
  nothingWrong(ada);
  nothingWrong(chi);
});

// The addresses and forms that a session meets, and the headers of all that it is answered.
function watch({ page }) {
  const seen = { addresses: new Set(), forms: new Set(), answers: [] };
  page.on("response", (answer) => {
    const { pathname } = new URL(answer.url());
    seen.answers.push({ pathname, headers: answer.headers() });
    const read = answer.request().method() === "GET";
    if (read && pathname.startsWith("/projects/")) seen.addresses.add(pathname);
  });
  page.on("request", (request) => {
    if (request.method() === "POST") seen.forms.add(new URL(request.url()).pathname);
  });
  return seen;
}

// Nothing of what was typed became an element, and it can be read as it was typed.
async function isText(page, locator) {
  if (locator) assert.ok((await locator.innerText()).includes("<script>alert(1)</script>"), "it is not shown");
  assert.equal(await page.locator("script:not([src])").count(), 0);
  assert.equal(await page.locator("img[onerror], img[src=x]").count(), 0);
  assert.equal(await page.locator("[onclick], [onload], [onfocus], [style]").count(), 0);
}

async function typed({ page }) {
  await info(page, { name: mark, description: mark });
  await page.getByLabel("Only these agents").check();
  await page.getByRole("searchbox").fill(mark);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Found for" }).waitFor();
  await isText(page, page.getByRole("heading", { name: "Found for" }));
  assert.equal(await page.getByRole("searchbox").inputValue(), mark);
  await pick(page, "Refund clerk");
  await next(page);
  await page.getByLabel("No prompts").check();
  await next(page);
  await page.getByRole("heading", { name: "Review and generate" }).waitFor();
  await isText(page, main(page));
  await button(page, "Generate key").click();
  await token(page);
  await isText(page, main(page));
  const key = await stored(page);
  await isText(page, main(page));
  assert.ok((await page.title()).startsWith(mark));

  await page.getByRole("link", { name: "Edit" }).click();
  assert.equal(await page.getByLabel(/^Description/).inputValue(), mark);
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), mark);
  await isText(page);
  await page.getByLabel(/^Description/).fill(`${mark} too`);
  await button(page, "Preview the changes").click();
  await isText(page, page.locator(".preview.words"));
  await button(page, "Save").click();
  await isText(page, events(page).first());

  await page.getByRole("link", { name: "Rotate" }).click();
  await page.getByLabel("1 hour").check();
  await button(page, "Issue a new token").click();
  await token(page);
  await isText(page, main(page));
  await stored(page);
  for (const name of ["Deactivate", "Activate"]) await button(page, name).click();

  await page.goto(`${key}/revoke`);
  await revoke(page, `not ${mark}`, mark);
  await page.locator("#mistakes").waitFor();
  await isText(page, page.locator("#confirm-hint"));
  assert.equal(await page.getByLabel("Reason").inputValue(), mark);
  await revoke(page, mark, mark);
  await isText(page, events(page).first());
  await page.goto("/projects/checkout/keys");
  await isText(page, page.getByRole("table"));
}

// What stands in an address instead of a field.
async function asked({ page }) {
  for (const question of ["q", "state", "environment", "agent", "after"]) {
    await page.goto(`/projects/checkout/keys?${question}=${encodeURIComponent(mark)}`);
    await isText(page);
  }
  await page.goto(`/projects/checkout/keys?q=${encodeURIComponent(mark)}`);
  assert.equal(await page.getByRole("searchbox").inputValue(), mark);
  await page.goto(`/projects/checkout/keys?q=${encodeURIComponent(mark.repeat(2))}`);
  await isText(page);
  await page.goto(`/${encodeURIComponent(mark)}`);
  await isText(page);
  await page.goto("/projects/checkout/keys");
}

// If something did become an element, it would still not run.
async function policy(ada) {
  const { page } = ada;
  const ran = await page.evaluate(async () => {
    const script = document.createElement("script");
    script.textContent = "window.ran = true";
    const picture = document.createElement("div");
    const run = "window.ran = true";
    picture.innerHTML = `<img src="x" onerror="${run}"><p style="color: red" onclick="${run}">x</p>`;
    const failed = new Promise((resolve) => picture.firstChild.addEventListener("error", resolve));
    document.body.append(script, picture);
    await failed;
    picture.lastChild.click();
    const sent = await fetch("/", { mode: "no-cors" }).then(() => true, () => false);
    return window.ran === true || sent;
  });
  assert.equal(ran, false);
  assert.ok(refusedByPolicy(ada).length >= 3, "the policy refused too little");
}

// Each address as it is, and the same below the other project's own.
async function otherProject({ context }, { addresses }) {
  assert.ok(addresses.size > 12, [...addresses].join(" "));
  for (const address of addresses) {
    assert.equal((await context.request.get(address, { maxRedirects: 0 })).status(), 404, address);
    if (!/\/keys\/[0-9A-Za-z]{16}|\/issued\//.test(address)) continue;
    const ours = address.replace("/checkout/", "/support/");
    assert.equal((await context.request.get(ours, { maxRedirects: 0 })).status(), 404, ours);
  }
}

// Without the token of the session, or with the one of another.
async function foreignForms(ada, chi, { forms }) {
  assert.ok(forms.size > 8, [...forms].join(" "));
  const csrf = ({ page }) => page.locator("input[name=csrf]").first().inputValue();
  const [own, foreign] = [await csrf(ada), await csrf(chi)];
  assert.notEqual(own, foreign);
  for (const address of [...forms, "/sign-out"]) {
    for (const form of [{}, { csrf: "" }, { csrf: foreign }, { csrf: own.slice(1) }]) {
      const answer = await ada.context.request.post(address, { form, maxRedirects: 0 });
      assert.equal(answer.status(), 403, address);
    }
    // The right token, and the other project.
    if (!address.startsWith("/projects/")) continue;
    const answer = await chi.context.request.post(address, { form: { csrf: foreign }, maxRedirects: 0 });
    assert.equal(answer.status(), 404, address);
  }
}

function everyAnswer({ answers }) {
  assert.ok(answers.length > 50);
  for (const { pathname, headers } of answers) {
    const rules = headers["content-security-policy"].split(";").map((rule) => rule.trim());
    for (const rule of ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"]) {
      assert.ok(rules.includes(rule), `${pathname}: ${rules}`);
    }
    for (const rule of rules) assert.match(rule, /^[a-z-]+ '(none|self)'$/, pathname);
    const asset = pathname.startsWith("/assets/");
    assert.match(headers["cache-control"], asset ? /immutable/ : /^no-store$/, pathname);
    assert.equal(headers["x-content-type-options"], "nosniff", pathname);
    assert.equal(headers["referrer-policy"], "no-referrer", pathname);
  }
}

async function cookies({ context, page }) {
  const all = await context.cookies();
  assert.ok(all.length > 0);
  for (const { name, httpOnly, sameSite } of all) assert.deepEqual([httpOnly, sameSite], [true, "Lax"], name);
  assert.equal(await page.evaluate(() => document.cookie), "");
}

// A page of someone else shows none of ours within it.
async function frame(browser) {
  const server = createServer((_, answer) => {
    answer.setHeader("content-type", "text/html");
    answer.end(`<!doctype html><iframe src="${host}/sign-in"></iframe>`);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  try {
    const opened = await open(browser);
    await opened.page.goto(`http://127.0.0.1:${server.address().port}/`);
    const inner = opened.page.frames()[1];
    assert.equal(await inner.getByRole("button").count(), 0);
    assert.match(inner.url(), /^chrome-error:/);
    assert.ok(refusedByPolicy(opened).length > 0);
    nothingWrong(opened);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
