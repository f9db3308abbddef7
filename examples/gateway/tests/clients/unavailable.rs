//! A store that cannot be reached for a while: nobody is told that their key is bad, and clients try again.

use std::thread;
use std::time::Duration;

use postgres_tests::Server;
use serde_json::json;

use crate::curl::chat;
use crate::official::Official;
use crate::world::World;

#[test]
fn official_clients_come_through_an_outage() {
    let mut server = Server::start("");
    let world = World::over(&server.address());
    let [first, second, third] =
        ["First", "Second", "Third"].map(|name| world.key(name, &["--agent", "all"]));
    assert_eq!(chat(&world, Some(&third.token), "support-bot", false).status, 200);
    for (mut client, key) in Official::all(&world).into_iter().zip([first, second]) {
        server.stop();
        let refused = chat(&world, Some(&key.token), "support-bot", false);
        assert_eq!(refused.status, 503, "{}", refused.body);
        assert!(refused.has("retry-after: 1"), "{}", refused.head);
        let at_once = client.chat(&key.token, "support-bot");
        assert_eq!((&at_once["error"], &at_once["status"]), (&json!("InternalServerError"), &json!(503)));
        assert_eq!(at_once["code"], "temporarily_unavailable", "{at_once}");

        client.begin(&key.token, 8, &json!({ "do": "chat", "model": "support-bot", "say": "hello" }));
        thread::sleep(Duration::from_millis(1500));
        server.restart();
        let came = client.outcome();
        assert_eq!(came["text"], "aurora-1 hears: hello", "{}: {came}", client.language);
        let tries = came["tries"].as_u64().unwrap();
        println!("{}: answered after {tries} tries", client.language);
        assert!(tries > 1);
    }
    assert!(world.lines().iter().any(|line| line.contains("reason=\"unavailable\" status=503")));
    world.nothing_leaked();
}

#[test]
fn a_stream_ends_once_its_key_cannot_be_known() {
    let mut server = Server::start("");
    let world = World::over(&server.address());
    let key = world.key("Mobile app", &["--agent", "all"]);
    assert_eq!(chat(&world, Some(&key.token), "support-bot", false).status, 200);
    let [mut client, other] = Official::all(&world);
    drop(other);
    client.listen(&key.token, "support-bot");
    server.stop();
    let came = client.outcome();
    assert_eq!(came["code"], "temporarily_unavailable", "{came}");
    world.nothing_leaked();
}
