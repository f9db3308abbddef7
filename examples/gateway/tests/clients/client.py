"""What an application does with OpenAI's client for Python: a line of JSON asks, lines of JSON tell what came of it."""

import functools
import json
import sys

import openai

tries = 0


def count(_request):
    global tries
    tries += 1


@functools.cache
def client(base, key, retries):
    http = openai.DefaultHttpxClient(event_hooks={"request": [count]})
    return openai.OpenAI(base_url=base, api_key=key, max_retries=retries, http_client=http)


def tell(**what):
    print(json.dumps(what), flush=True)


def chat(api, ask):
    answer = api.chat.completions.create(model=ask["model"], messages=[{"role": "user", "content": ask["say"]}])
    tell(text=answer.choices[0].message.content, model=answer.model, tries=tries)


def stream(api, ask):
    messages = [{"role": "user", "content": ask["say"]}]
    text, finish = "", None
    for chunk in api.chat.completions.create(model=ask["model"], messages=messages, stream=True):
        finish = chunk.choices[0].finish_reason
        if piece := chunk.choices[0].delta.content:
            text += piece
            tell(piece=piece)
    tell(text=text, model=chunk.model, finish=finish)


def models(api, _ask):
    tell(models=[model.id for model in api.models.list()])


def model(api, ask):
    tell(model=api.models.retrieve(ask["model"]).id)


for line in sys.stdin:
    ask = json.loads(line)
    tries = 0
    try:
        globals()[ask["do"]](client(ask["base"], ask["key"], ask["retries"]), ask)
    except openai.APIError as error:
        status = getattr(error, "status_code", None)
        tell(error=type(error).__name__, status=status, code=error.code, message=str(error), tries=tries)
    except Exception as error:
        tell(error=type(error).__name__, message=str(error), tries=tries)
