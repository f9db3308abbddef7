// A token is in the one answer that hands it over and nowhere else: no other answer, no request, no address, nothing
// that the browser keeps, nothing that the server writes.

import assert from "node:assert/strict";
import { createServer, request } from "node:http";
import { readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { host, inBrowser, nothingWrong, signedIn } from "./browser.mjs";
import { addresses, holdsNone, secretOf, storesNothing } from "./secret.mjs";
import { button, events, generate, pick, revoke, stored, token } from "./steps.mjs";

const exchanges = [];
const between = await listener();
try {
  await inBrowser(life);
} finally {
  between.close();
  between.closeAllConnections();
}

async function life(browser) {
  const ada = await signedIn(browser, "Ada", { baseURL: `http://127.0.0.1:${between.address().port}` });
  const { page } = ada;
  const visited = [];
  page.on("framenavigated", (frame) => visited.push(frame.url()));
  const tokens = [await generate(page, { name: "Canary", environment: "Staging" })];
  await page.reload();
  await page.getByRole("link", { name: "To the key" }).click();
  const key = page.url();

  await page.goto(`${key}/edit`);
  await page.getByLabel(/^Description/).fill("Sings");
  await page.locator("summary").first().click();
  await pick(page, "Triage");
  await button(page, "Preview the changes").click();
  await button(page, "Save").click();
  await events(page).nth(1).waitFor();
  await rotate(page, key, tokens, "1 hour");
  await rotate(page, key, tokens, "Not at all");
  for (const [n, name] of ["Deactivate", "Activate"].entries()) {
    await button(page, name).click();
    await events(page).nth(4 + n).waitFor();
  }
  await page.goto(`${key}/revoke`);
  await revoke(page, "Canary", "Sang");
  await events(page).nth(6).waitFor();
  await page.goto("/projects/checkout/keys?q=canary");
  await page.goto(`${key}/nothing`);

  await holdsNone(page, tokens);
  await storesNothing(page);
  nowhere("an address", tokens, JSON.stringify([visited, await addresses(page)]));
  handedOverOnce(tokens);
  written(tokens);
  // People paste a token into whatever field there is. Not even then is it in the log, which tells of all else.
  await page.goto(`/projects/checkout/keys?q=${tokens[0]}`);
  await page.getByRole("heading", { name: "No key matches" }).waitFor();
  await button(page, "Filter").click();
  await page.goto(`/projects/checkout/keys/${tokens[0]}`);
  written(tokens);
  const log = readFileSync(process.env.LOG, "latin1");
  for (const told of ["TRACE", "issued/{operation}", "keys/{key}/rotate"]) assert.ok(log.includes(told), `${told}\n${log}`);
  nothingWrong(ada);
}

async function rotate(page, key, tokens, grace) {
  await page.goto(`${key}/rotate`);
  await page.getByLabel(grace, { exact: true }).check();
  await button(page, "Issue a new token").click();
  tokens.push(await token(page));
  await stored(page);
}

function nowhere(place, tokens, text) {
  for (const token of tokens) assert.ok(!text.includes(secretOf(token)), `${place} holds a token`);
}

function handedOverOnce(tokens) {
  assert.ok(exchanges.length > 40, `${exchanges.length}`);
  for (const token of tokens) {
    const secret = secretOf(token);
    const holding = exchanges.filter(({ answer }) => answer.includes(secret));
    assert.deepEqual(holding.map(({ address }) => address.split("/")[3]), ["issued"]);
    assert.equal(holding[0].answer.split(secret).length, 2, "the answer holds it twice");
  }
  nowhere("a request or a head", tokens, JSON.stringify(exchanges.map(({ answer, ...rest }) => rest)));
}

// What the server says, and its database.
function written(tokens) {
  nowhere("the log", tokens, readFileSync(process.env.LOG, "latin1"));
  const { DATABASE } = process.env;
  const files = readdirSync(dirname(DATABASE)).filter((name) => name.startsWith(basename(DATABASE)));
  assert.ok(files.length > 0);
  for (const name of files) nowhere(name, tokens, readFileSync(join(dirname(DATABASE), name), "latin1"));
}

// Stands between the browser and the host, and hears both.
async function listener() {
  const server = createServer(async (asked, answers) => {
    const sent = await whole(asked);
    const { method, url, headers } = asked;
    const onward = request(new URL(url, host), { method, headers }, async (answered) => {
      const body = await whole(answered);
      const head = [answered.statusCode, answered.rawHeaders];
      exchanges.push({ address: url, headers, sent: sent.toString("latin1"), head, answer: body.toString("latin1") });
      answers.writeHead(...head);
      answers.end(body);
    });
    onward.on("error", (error) => answers.destroy(error));
    onward.end(sent);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return server;
}

async function whole(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}
