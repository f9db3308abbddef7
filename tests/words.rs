//! What a person reads before deciding: a review of a key, a preview of an edit.

mod setup;

use access_keys::{Draft, Edit, Scope};
use pollster::block_on;
use setup::{agents, checkout, in_seconds, info, keys};

#[test]
fn a_review_is_read_in_words() {
    let (_, clock) = keys();
    let description = "iOS and Android\nand the web";
    let ids: Vec<_> = (10..23).map(|i| format!("agent-{i}")).collect();
    for (seconds, words) in [
        (29, "2030-01-01 00:00 UTC (in less than a minute)"),
        (30, "2030-01-01 00:00 UTC (in 1 minute)"),
        (7_169, "2030-01-01 01:59 UTC (in 119 minutes)"),
        (7_170, "2030-01-01 01:59 UTC (in 2 hours)"),
        (172_769, "2030-01-02 23:59 UTC (in 48 hours)"),
        (172_770, "2030-01-02 23:59 UTC (in 2 days)"),
        (90 * 86_400 - 1, "2030-03-31 23:59 UTC (in 90 days)"),
        (90 * 86_400, "2030-04-01 00:00 UTC (in 90 days)"),
    ] {
        let info = info("Mobile app").description(description).unwrap();
        let draft = Draft::at(in_seconds(&clock, 0)).info(info.expires_at(in_seconds(&clock, seconds)));
        let review = draft.agents(Scope::parse(&ids).unwrap()).prompts(Scope::none()).unwrap();
        let shown = ids[..10].join(", ");
        assert_eq!(
            review.to_string(),
            format!(
                "Name         Mobile app\n\
                 Description  iOS and Android\n             and the web\n\
                 Environment  production (fixed for the life of the key)\n\
                 Agents       only these 13 agents: {shown} and 3 more\n\
                 Prompts      no prompts\n\
                 Expires      {words}"
            )
        );
    }
}

#[test]
fn a_preview_tells_what_an_edit_widens_and_narrows() {
    let (keys, clock) = keys();
    let project = checkout(&keys);
    let made = info("x").expires_at(in_seconds(&clock, 10));
    let draft = project.draft().info(made).agents(agents(&["a", "b"])).prompts(Scope::All).unwrap();
    let key = block_on(project.generate(draft)).unwrap().key;
    let edit = Edit::new().name("y").unwrap().description("z").unwrap().never_expires();
    let preview = edit.agents(agents(&["b", "c"])).prompts(Scope::none()).preview(&key);
    assert_eq!(
        preview.to_string(),
        "widens expiry from 2030-01-01 00:00:10 UTC to never\n\
         widens agents by c\n\
         narrows agents by a\n\
         narrows prompts from all prompts, including those created later to no prompts\n\
         rewords name from \"x\" to \"y\"\n\
         rewords description from \"\" to \"z\""
    );
    assert_eq!((preview.widens().len(), preview.narrows().len(), preview.rewords().len()), (2, 2, 2));
    let preview = Edit::new().expires_at(in_seconds(&clock, 9)).agents(Scope::All).preview(&key);
    assert_eq!(
        preview.to_string(),
        "widens agents from only these 2 agents: a, b to all agents, including those created later\n\
         narrows expiry from 2030-01-01 00:00:10 UTC to 2030-01-01 00:00:09 UTC"
    );
}
