//! What a grant allows and tells of its key, for scopes of every size that the cache packs in a way of its own.

mod support;

use std::collections::BTreeSet;

use access_keys::store::MemoryStore;
use access_keys::{AgentId, FakeClock, Grant, KeyInfo, PromptId, Scope};
use pollster::block_on;
use support::{SplitMix, keys, production, project};

/// About the sizes at which the way changes in which ids are kept.
const SIZES: [usize; 13] = [0, 1, 2, 3, 15, 16, 17, 18, 31, 32, 33, 100, 1_000];
const OTHERS: usize = 500;

/// Different ids of every length.
fn ids(random: &mut SplitMix, count: usize) -> Vec<String> {
    let mut ids = BTreeSet::new();
    while ids.len() < count {
        let most = if count > 100 { 24 } else { 128 };
        let len = 1 + random.below(most);
        ids.insert(random.base62(len));
    }
    ids.into_iter().collect()
}

/// Ids that are almost those, and any others.
fn others(random: &mut SplitMix, ids: &[String]) -> Vec<String> {
    let almost = ids.iter().take(OTHERS).flat_map(|id| {
        let (first, rest) = id.split_at(1);
        let other = if first == "x" { "y" } else { "x" };
        [format!("{id}x"), format!("{other}{rest}"), rest.to_owned(), id[..id.len() - 1].to_owned()]
    });
    let any = (0..OTHERS).map(|_| random.base62(8));
    let is_other = |id: &String| (1..=128).contains(&id.len()) && ids.binary_search(id).is_err();
    almost.chain(any).filter(is_other).collect()
}

/// The grant of a key that is made for these, from the store and from the cache.
fn grants(agents: Scope<AgentId>, prompts: Scope<PromptId>) -> [Grant; 2] {
    let keys = keys(MemoryStore::new(), &FakeClock::default());
    let project = project(&keys, "ada");
    let info = KeyInfo::new("Sized", production()).unwrap();
    let review = project.draft().info(info).agents(agents).prompts(prompts).unwrap();
    let issued = block_on(project.generate(review)).unwrap();
    [(); 2].map(|()| {
        let grant = block_on(keys.verify(issued.token.expose(), &production())).unwrap();
        assert_eq!(*grant.key(), issued.key);
        grant
    })
}

fn assert_allows(grant: &Grant, agents: Option<&[String]>, prompts: Option<&[String]>, others: &[String]) {
    let agent = |id: &String| grant.allows_agent(&AgentId::new(id).unwrap());
    let prompt = |id: &String| grant.allows_prompt(&PromptId::new(id).unwrap());
    assert!(agents.unwrap_or(others).iter().all(agent));
    assert!(prompts.unwrap_or(others).iter().all(prompt));
    assert!(agents.is_none() || !others.iter().any(agent));
    assert!(prompts.is_none() || !others.iter().any(prompt));
}

#[test]
fn a_grant_allows_exactly_the_agents_and_prompts_of_its_key() {
    let mut random = SplitMix(5);
    for size in SIZES {
        let ids = ids(&mut random, size);
        let others = others(&mut random, &ids);
        let (agents, prompts) = (Scope::parse(&ids).unwrap(), Scope::parse(&ids).unwrap());
        for grant in grants(agents.clone(), Scope::All) {
            assert_allows(&grant, Some(&ids), None, &others);
        }
        for grant in grants(Scope::All, prompts.clone()) {
            assert_allows(&grant, None, Some(&ids), &others);
        }
        if size > 0 {
            for grant in grants(agents, prompts) {
                assert_allows(&grant, Some(&ids), Some(&ids), &others);
            }
        }
    }
}

#[test]
fn the_agents_of_a_key_are_not_its_prompts() {
    let mut random = SplitMix(6);
    for (agents, prompts) in [(1, 40), (40, 1), (16, 17), (17, 16), (300, 2)] {
        let mut all = ids(&mut random, agents + prompts);
        let prompts = all.split_off(agents);
        for grant in grants(Scope::parse(&all).unwrap(), Scope::parse(&prompts).unwrap()) {
            assert_allows(&grant, Some(&all), Some(&prompts), &[]);
            assert!(!prompts.iter().any(|id| grant.allows_agent(&AgentId::new(id).unwrap())));
            assert!(!all.iter().any(|id| grant.allows_prompt(&PromptId::new(id).unwrap())));
        }
    }
}
