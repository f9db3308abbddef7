//! Another provider and model behind an agent, while clients run.

use serde_json::json;

use crate::official::Official;
use crate::world::{World, eventually};

const FOR_SUPPORT: &str = "[agents.support-bot]\nprovider = \"north\"\nmodel = \"aurora-1\"";

#[test]
fn clients_notice_nothing() {
    let world = World::new();
    let key = world.key("Mobile app", &["--agent", "support-bot"]);
    let [mut listener, _] = Official::all(&world);
    listener.listen(&key.token, "support-bot");
    for mut client in Official::all(&world) {
        let (before, after) = (json!("aurora-1 hears: hello"), json!("boreal-3 hears: hello"));
        assert_eq!(client.chat(&key.token, "support-bot")["text"], before);
        // A mistake changes nothing.
        let mut good = String::new();
        world.configure(|text| {
            good.clone_from(&text);
            text + "\n[agents.other]\nprovider = \"nobody\"\n"
        });
        let complaints = || world.gateway.log().matches("the settings stay as they were").count();
        let heard = complaints();
        eventually(|| {
            assert_eq!(client.chat(&key.token, "support-bot")["text"], before);
            (complaints() > heard).then_some(())
        });
        let support = "[agents.support-bot]\nprovider = \"south\"\nmodel = \"boreal-3\"";
        world.configure(|_| good.replace(FOR_SUPPORT, support));
        let mut since = 0;
        eventually(|| {
            let answer = client.chat(&key.token, "support-bot");
            assert_eq!(answer["model"], "support-bot", "{}: {answer}", client.language);
            assert!(answer["text"] == before && since == 0 || answer["text"] == after, "{answer}");
            since += usize::from(answer["text"] == after);
            (since == 20).then_some(())
        });
        world.configure(|_| good);
        eventually(|| (client.chat(&key.token, "support-bot")["text"] == before).then_some(()));
    }
    // What had begun goes on where it began.
    listener.hear_pieces(50);
    world.nothing_leaked();
}
