//! What good keys reach, and what is written down of it.

use serde_json::json;

use crate::curl::{chat, curl};
use crate::official::Official;
use crate::world::World;

const SCOPE: [&str; 6] = ["--agent", "support-bot", "--agent", "triage", "--prompt", "greeting"];

#[test]
fn curl_reaches_agents_prompts_and_streams() {
    let world = World::new();
    let key = world.key("Mobile app", &SCOPE);
    let token = Some(&*key.token);
    for (agent, model) in [("support-bot", "aurora-1"), ("triage", "boreal-2")] {
        let answer = chat(&world, token, agent, false);
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["choices"][0]["message"]["content"], format!("{model} hears: hello"));
        assert_eq!(answer.json()["model"], agent);
        let streamed = chat(&world, token, agent, true);
        assert!(streamed.has("content-type: text/event-stream"));
        assert!(
            streamed.body.matches("data: {").count() >= 5 && streamed.body.trim().ends_with("data: [DONE]")
        );
    }
    let values = r#"{"variables": {"name": "Ada", "language": "{name}"}}"#;
    let greeted = curl(&world, token, "/v1/prompts/greeting", values, &[]);
    assert_eq!(greeted.json()["choices"][0]["message"]["content"], "boreal-2 hears: Greet Ada in {name}.");
    let values = r#"{"variables": {"name": "Ada", "language": "Latin"}, "stream": true}"#;
    let streamed = curl(&world, token, "/v1/prompts/greeting", values, &[]);
    assert!(
        streamed.body.contains("\"model\":\"greeting\"") && streamed.body.trim().ends_with("data: [DONE]")
    );
    let stranger = world.key("Page", &["--agent", "all"]);
    let out_of_scope = curl(&world, Some(&stranger.token), "/v1/prompts/greeting", values, &[]);
    assert_eq!(out_of_scope.status, 403);
    assert!(out_of_scope.has("www-authenticate: Bearer realm=\"gateway\", error=\"insufficient_scope\""));
    let lacking = curl(&world, token, "/v1/prompts/greeting", r#"{"variables": {}}"#, &[]);
    assert_eq!((lacking.status, &lacking.json()["error"]["code"]), (400, &json!("invalid_request")));

    let line = world.lines().remove(0);
    for part in
        [&*format!("key={}", key.id), "name=\"Mobile app\"", "asked=\"support-bot\"", "granted", "status=200"]
    {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    world.nothing_leaked();
}

#[test]
fn official_clients_reach_agents_whole_and_in_pieces() {
    let world = World::new();
    let key = world.key("Mobile app", &SCOPE);
    for mut client in Official::all(&world) {
        assert_eq!(
            client.ask(&key.token, &json!({ "do": "models" }))["models"],
            json!(["support-bot", "triage"])
        );
        let one = json!({ "do": "model", "model": "triage" });
        assert_eq!(client.ask(&key.token, &one)["model"], "triage");
        for (agent, model) in [("support-bot", "aurora-1"), ("triage", "boreal-2")] {
            let text = json!(format!("{model} hears: hello"));
            let whole = client.chat(&key.token, agent);
            assert_eq!((&whole["text"], &whole["model"]), (&text, &json!(agent)), "{}", client.language);
            client.begin(&key.token, 0, &json!({ "do": "stream", "model": agent, "say": "hello" }));
            client.hear_pieces(3);
            let came = client.outcome();
            assert_eq!(
                came,
                json!({ "text": text, "model": agent, "finish": "stop" }),
                "{}",
                client.language
            );
        }
    }
    world.nothing_leaked();
}

#[test]
fn a_browser_may_ask_before_it_has_a_token() {
    let world = World::new();
    let key = world.key("Page", &["--agent", "all"]);
    let asking =
        ["-X", "OPTIONS", "-H", "Origin: http://page.example", "-H", "Access-Control-Request-Method: POST"];
    let wants = ["-H", "Access-Control-Request-Headers: authorization,x-stainless-lang"];
    let may = curl(&world, None, "/v1/chat/completions", "", &[&asking[..], &wants].concat());
    assert_eq!(may.status, 200);
    assert!(may.has("access-control-allow-headers: authorization,x-stainless-lang"), "{}", may.head);
    let refused = curl(&world, None, "/v1/models", "", &["-H", "Origin: http://page.example"]);
    assert_eq!(refused.status, 401);
    assert!(
        refused.has("access-control-allow-origin: *")
            && refused.has("www-authenticate: Bearer realm=\"gateway\"")
    );
    assert_eq!(chat(&world, Some(&key.token), "triage", false).status, 200);
    world.nothing_leaked();
}
