//! Streams that end with their key, as OpenAI's clients see it.

use std::time::Instant;

use serde_json::json;

use crate::curl::chat;
use crate::official::Official;
use crate::world::World;

#[test]
fn official_clients_raise_an_error_in_the_middle_of_a_stream() {
    let world = World::new();
    for mut client in Official::all(&world) {
        let key = world.key("Mobile app", &["--agent", "support-bot", "--agent", "triage"]);
        assert_eq!(chat(&world, Some(&key.token), "triage", false).status, 200);
        for agent in ["support-bot", "triage"] {
            let key = world.key("Mobile app", &["--agent", agent]);
            client.listen(&key.token, agent);
            let (began, change) = (Instant::now(), world.revoke(&key));
            let came = client.outcome();
            assert!(began.elapsed() < change.within, "{}", client.language);
            assert_eq!(
                (&came["error"], &came["code"]),
                (&json!("APIError"), &json!("invalid_token")),
                "{came}"
            );
            assert!(
                came["message"].as_str().unwrap().contains("the access key is no longer valid"),
                "{came}"
            );
            assert_eq!(client.chat(&key.token, agent)["error"], "AuthenticationError");
        }
        client.listen(&key.token, "support-bot");
        world.revoke(&key);
        assert_eq!(client.outcome()["code"], "invalid_token");
    }
    world.nothing_leaked();
}

#[test]
fn a_stream_goes_on_while_its_own_agent_is_in_reach() {
    let world = World::new();
    for mut client in Official::all(&world) {
        let key = world.key("Mobile app", &["--agent", "support-bot", "--agent", "triage"]);
        client.listen(&key.token, "support-bot");
        world.narrow(&key, &["--agent", "support-bot"]);
        client.hear_pieces(100);
        assert_eq!(chat(&world, Some(&key.token), "triage", false).status, 403);
        client.hear_pieces(20);
        world.narrow(&key, &["--agent", "triage"]);
        let came = client.outcome();
        assert_eq!(
            (&came["error"], &came["code"]),
            (&json!("APIError"), &json!("insufficient_scope")),
            "{came}"
        );
        assert_eq!(client.chat(&key.token, "triage")["model"], "triage");
    }
    world.nothing_leaked();
}
