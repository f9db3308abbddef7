// What an application does with OpenAI's client for JavaScript: a line of JSON asks, lines of JSON tell what came of it.

import readline from "node:readline";

import OpenAI from "openai";

let tries = 0;
const clients = new Map();

function client({ base, key, retries }) {
  const name = JSON.stringify([base, key, retries]);
  if (!clients.has(name)) {
    const count = (...what) => {
      tries += 1;
      return fetch(...what);
    };
    clients.set(name, new OpenAI({ baseURL: base, apiKey: key, maxRetries: retries, fetch: count }));
  }
  return clients.get(name);
}

const tell = (what) => console.log(JSON.stringify(what));

const does = {
  async chat(api, { model, say }) {
    const answer = await api.chat.completions.create({ model, messages: [{ role: "user", content: say }] });
    tell({ text: answer.choices[0].message.content, model: answer.model, tries });
  },

  async stream(api, { model, say }) {
    const messages = [{ role: "user", content: say }];
    let [text, finish, named] = ["", null, null];
    for await (const chunk of await api.chat.completions.create({ model, messages, stream: true })) {
      [finish, named] = [chunk.choices[0].finish_reason, chunk.model];
      const piece = chunk.choices[0].delta.content;
      if (piece) {
        text += piece;
        tell({ piece });
      }
    }
    tell({ text, model: named, finish });
  },

  async models(api) {
    const models = [];
    for await (const model of api.models.list()) models.push(model.id);
    tell({ models });
  },

  async model(api, { model }) {
    tell({ model: (await api.models.retrieve(model)).id });
  },
};

for await (const line of readline.createInterface({ input: process.stdin })) {
  const ask = JSON.parse(line);
  tries = 0;
  try {
    await does[ask.do](client(ask), ask);
  } catch (error) {
    const { status = null, code = null, message } = error;
    tell({ error: error.constructor.name, status, code, message, tries });
  }
}
