//! How a request is refused, in the types of OpenAI's clients.

use std::fs;

use serde_json::{Value, json};

use crate::curl::{chat, curl};
use crate::official::Official;
use crate::world::{World, eventually};

#[test]
fn official_clients_raise_their_own_errors() {
    let world = World::new();
    let everything = world.key("Everything", &["--agent", "all", "--prompt", "all"]);
    let support = world.key("Support", &["--agent", "support-bot"]);
    let revoked = world.key("Gone", &["--agent", "all"]);
    world.revoke(&revoked);
    let foreign = world.foreign_key();
    let cases = [
        (&*foreign.token, "support-bot", "AuthenticationError", 401, "invalid_token"),
        ("gw_wrong", "support-bot", "AuthenticationError", 401, "invalid_token"),
        (&*revoked.token, "support-bot", "AuthenticationError", 401, "invalid_token"),
        (&*support.token, "triage", "PermissionDeniedError", 403, "insufficient_scope"),
        (&*support.token, "nobody", "PermissionDeniedError", 403, "insufficient_scope"),
        (&*everything.token, "nobody", "NotFoundError", 404, "model_not_found"),
    ];
    for mut client in Official::all(&world) {
        for (token, agent, error, status, code) in cases {
            for doing in ["chat", "stream", "model"] {
                let came = client.ask(token, &json!({ "do": doing, "model": agent, "say": "hello" }));
                let what = format!("{} {doing} {agent}: {came}", client.language);
                assert_eq!(came["error"], error, "{what}");
                assert_eq!((&came["status"], &came["code"]), (&json!(status), &json!(code)), "{what}");
                assert!(!came["message"].as_str().unwrap().contains("no body"), "{what}");
            }
        }
        assert_eq!(client.chat(&support.token, "support-bot")["model"], "support-bot");
        let few = client.ask(&support.token, &json!({ "do": "models" }));
        assert_eq!(few["models"], json!(["support-bot"]), "{}", client.language);
    }
    let lines = world.lines();
    for part in [
        "decision=\"refused\" reason=\"malformed\" status=401".to_owned(),
        "decision=\"refused\" reason=\"unrecognized\" status=401".to_owned(),
        format!("key={}}}: gateway::log: decision=\"refused\" reason=\"revoked\"", revoked.id),
        "asked=\"triage\"}: gateway::log: decision=\"refused\" reason=\"agent_not_in_scope\"".to_owned(),
        "decision=\"granted\" status=404".to_owned(),
    ] {
        assert!(lines.iter().any(|line| line.contains(&part)), "no line has {part}: {lines:#?}");
    }
    world.nothing_leaked();
}

#[test]
fn a_token_in_the_wrong_place_is_repeated_nowhere() {
    let world = World::new();
    let key = world.key("Mobile app", &["--agent", "all", "--prompt", "all"]);
    let (token, given) = (&*key.token, Some(&*key.token));
    assert_eq!(chat(&world, given, "support-bot", false).status, 200);
    assert_eq!(chat(&world, given, token, false).status, 404);
    assert_eq!(curl(&world, given, &format!("/v1/models/{token}"), "", &[]).status, 404);
    assert_eq!(curl(&world, given, &format!("/v1/prompts/{token}"), "{}", &[]).status, 404);
    assert_eq!(curl(&world, given, &format!("/{token}?token={token}"), "", &[]).status, 404);
    assert_eq!(curl(&world, None, &format!("/v1/models?api_key={token}"), "", &[]).status, 401);
    assert_eq!(
        curl(&world, given, "/v1/models", "", &["-H", &format!("Authorization: Bearer {token}")]).status,
        400
    );
    let body = format!("{{\"model\": [\"{token}\"], \"messages\": \"{token}\"}}");
    assert_eq!(curl(&world, given, "/v1/chat/completions", &body, &[]).status, 400);
    let variable = format!("{{\"{token}\": 1, \"variables\": {{}}}}");
    assert_eq!(curl(&world, given, "/v1/prompts/greeting", &variable, &[]).status, 400);
    world.nothing_leaked();
}

#[test]
fn what_a_provider_says_of_credentials_stays_inside() {
    let world = World::new();
    let key = world.key("Mobile app", &["--agent", "all"]);
    assert_eq!(chat(&world, Some(&key.token), "support-bot", false).status, 200);
    // North is asked with the credential of south, and says which it was.
    let text = fs::read_to_string(world.settings()).unwrap();
    world.configure(|_| text.replace("NORTH_CREDENTIAL", "SOUTH_CREDENTIAL"));
    let answer = eventually(|| {
        Some(chat(&world, Some(&key.token), "support-bot", false)).filter(|answer| answer.status != 200)
    });
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (502, &Value::from("provider_error")));
    world.nothing_leaked();
}
