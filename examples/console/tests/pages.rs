//! What the pages promise, as far as no browser is needed to see it.

mod browser;
mod failing;

use access_keys::{Actor, AgentId, EnvironmentId, KeyInfo, KeyQuery, ProjectId, Scope};
use axum::body::Body;
use axum::http::{Method, StatusCode};

use browser::{Browser, host, token};

#[tokio::test]
async fn every_answer_carries_the_rules_and_is_kept_by_no_cache() {
    let (_, app) = host();
    let mut ada = Browser::of(&app, "ada").await;
    let issued = ada.make("checkout", "Mobile app").await;
    for address in ["/", "/sign-in", "/nothing", "/projects/checkout/keys", "/projects/support/keys", &issued]
    {
        let answer = ada.get(address).await;
        let rules = answer.header("content-security-policy");
        assert!(rules.starts_with("default-src 'none';") && !rules.contains("unsafe"), "{address}");
        for rule in ["frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"] {
            assert!(rules.contains(rule), "{address}");
        }
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store", "{address}");
    }
}

#[tokio::test]
async fn assets_are_kept_for_ever_under_the_hash_of_their_content() {
    let (_, app) = host();
    let mut ada = Browser::of(&app, "ada").await;
    let page = ada.get("/projects/checkout/keys").await.text;
    for start in ["/assets/console.", "/assets/copy.", "/assets/mark."] {
        let at = page.find(start).unwrap();
        let address = page[at..].split('"').next().unwrap();
        let asset = ada.get(address).await;
        assert_eq!(asset.status, StatusCode::OK);
        assert!(asset.header("cache-control").contains("immutable"), "{address}");
    }
    assert_eq!(ada.get("/assets/console.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn no_form_is_taken_without_the_token_of_its_own_session() {
    let (_, app) = host();
    let (mut ada, mut ben) = (Browser::of(&app, "ada").await, Browser::of(&app, "ben").await);
    let issued = ada.make("checkout", "Mobile app").await;
    let key = key_address(&ada.get(&issued).await.text);
    ben.get(&key).await;
    let foreign = ben.csrf.clone();
    for form in ["/deactivate", "/activate", "/rotate", "/revoke"] {
        for csrf in ["", "0", &foreign] {
            let answer = ada.post_as(csrf, &format!("{key}{form}"), &[("grace", "0")]).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{form}");
        }
    }
    assert!(ada.get(&key).await.text.contains("badge active"));
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        assert_eq!(ada.send(method, &key, Body::empty()).await.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn another_project_finds_nothing_at_any_address() {
    let (_, app) = host();
    let (mut ada, mut chi) = (Browser::of(&app, "ada").await, Browser::of(&app, "chi").await);
    let review = ada.draft("checkout", "Mobile app").await;
    let issued = ada.make("checkout", "Mobile app").await;
    let key = key_address(&ada.get(&issued).await.text);
    let edit = ada.get(&format!("{key}/edit")).await.to();
    let ours = |address: &str| address.replace("/checkout/", "/support/");
    let mut addresses =
        vec!["/projects/checkout/keys".to_owned(), "/projects/checkout/keys/new".to_owned(), review];
    for address in [&key, &edit, &issued, &format!("{key}/rotate"), &format!("{key}/revoke")] {
        addresses.extend([address.clone(), ours(address)]);
    }
    chi.get("/projects/support/keys/new").await;
    for address in &addresses {
        assert_eq!(chi.get(address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    for form in ["/deactivate", "/activate", "/rotate", "/revoke"] {
        for key in [&key, &ours(&key)] {
            let fields = [("grace", "0"), ("operation", "0123456789abcdef0123456789abcdef"), ("reason", "x")];
            let answer = chi.post(&format!("{key}{form}"), &fields).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{key}{form}");
        }
    }
    assert!(ada.get(&key).await.text.contains("badge active"));
}

#[tokio::test]
async fn a_token_is_shown_once_to_the_session_that_asked() {
    let (keys, app) = host();
    let (mut ada, mut again) = (Browser::of(&app, "ada").await, Browser::of(&app, "ada").await);
    let issued = ada.make("checkout", "Mobile app").await;
    assert!(
        token(&again.get(&issued).await.text).is_none(),
        "not to another session, even of the same person"
    );
    assert_eq!(ada.send(Method::HEAD, &issued, Body::empty()).await.status, StatusCode::NO_CONTENT);
    let page = ada.get(&issued).await.text;
    let token_shown = token(&page).unwrap();
    assert!(!issued.contains(&token_shown));
    assert_eq!(page.matches(&token_shown).count(), 1);
    let production = EnvironmentId::new("production").unwrap();
    assert!(keys.verify(&token_shown, &production).await.is_ok());
    let reloaded = ada.get(&issued).await;
    assert_eq!(reloaded.status, StatusCode::OK);
    assert!(token(&reloaded.text).is_none() && reloaded.text.contains("shown once"));
}

#[tokio::test]
async fn what_a_key_was_used_for_is_shown_and_what_needs_a_look_is_listed() {
    let (keys, app) = host();
    let mut ada = Browser::of(&app, "ada").await;
    let nothing = ada.get("/projects/checkout/keys/look").await;
    assert_eq!(nothing.status, StatusCode::OK);
    assert!(nothing.text.contains("Nothing to look at"));
    let project = keys.project(ProjectId::new("checkout").unwrap(), Actor::user("ada").unwrap());
    let production = EnvironmentId::new("production").unwrap();
    let review = project
        .draft()
        .info(KeyInfo::new("Old app", production.clone()).unwrap())
        .agents(Scope::parse(["refund-clerk", "gone-agent"]).unwrap())
        .prompts(Scope::All)
        .unwrap();
    let issued = project.generate(review).await.unwrap();
    let address = format!("/projects/checkout/keys/{}", issued.key.id);
    assert!(ada.get(&address).await.text.contains("None called so far."));
    let grant = keys.verify(issued.token.expose(), &production).await.unwrap();
    grant.require_agent(&AgentId::new("refund-clerk").unwrap()).unwrap();
    keys.flush_uses().await.unwrap();
    let page = ada.get(&address).await.text;
    assert!(page.contains("Has called 1 of them") && page.contains("None called so far."));
    let look = ada.get("/projects/checkout/keys/look").await.text;
    assert!(look.contains("Names agents that no longer exist: gone-agent") && look.contains(&address));
    // Keys of another project are none to look at, and a cursor that is none is told.
    let mut chi = Browser::of(&app, "chi").await;
    assert!(chi.get("/projects/support/keys/look").await.text.contains("Nothing to look at"));
    assert_eq!(ada.get("/projects/checkout/keys/look?after=x").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_form_that_is_sent_twice_makes_one_key_with_one_good_token() {
    let (keys, app) = host();
    let mut ada = Browser::of(&app, "ada").await;
    let review = ada.draft("checkout", "Mobile app").await;
    let first = ada.post(&review, &[("go", "generate")]).await.to();
    let second = ada.post(&review, &[("go", "generate")]).await.to();
    assert_eq!(first, second);
    let page = ada.get(&second).await.text;
    assert!(page.contains("sent more than once"));
    let shown = token(&page).unwrap();
    // Once more, from another window, when the token has been shown: it must stay good.
    let third = ada.post(&review, &[("go", "generate")]).await.to();
    let page = ada.get(&third).await.text;
    assert!(token(&page).is_none() && page.contains("makes no second key"));
    let project = keys.project(ProjectId::new("checkout").unwrap(), Actor::user("ada").unwrap());
    assert_eq!(project.list(KeyQuery::default()).await.unwrap().items.len(), 1);
    let production = EnvironmentId::new("production").unwrap();
    assert!(keys.verify(&shown, &production).await.is_ok());
}

#[tokio::test]
async fn a_step_keeps_what_is_wrong_and_tells_all_mistakes() {
    let (_, app) = host();
    let mut ada = Browser::of(&app, "ada").await;
    let info = ada.get("/projects/checkout/keys/new").await.to();
    let long = "x".repeat(101);
    let fields =
        [("name", long.as_str()), ("expires", "date"), ("description", "<b>kept</b>"), ("go", "next")];
    let page = ada.post(&info, &fields).await.to();
    let page = ada.get(&page).await.text;
    for id in ["name-mistake", "environment-mistake", "expires-mistake"] {
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
    assert!(page.contains(&long) && page.contains("&lt;b&gt;kept") && !page.contains("<b>kept"));
    let later = ada.get(&info.replace("/info", "/review")).await.to();
    assert_eq!(later, info, "no step is skipped");
}

#[tokio::test]
async fn the_second_of_two_editors_sees_what_changed_and_keeps_what_was_typed() {
    let (_, app) = host();
    let (mut ada, mut ben) = (Browser::of(&app, "ada").await, Browser::of(&app, "ben").await);
    let issued = ada.make("checkout", "Mobile app").await;
    let key = key_address(&ada.get(&issued).await.text);
    let (by_ada, by_ben) = (edit(&mut ada, &key).await, edit(&mut ben, &key).await);
    let form = |name, description| {
        [
            ("name", name),
            ("description", description),
            ("expires", "keep"),
            ("agents_choice", "these"),
            ("agents", "support-bot"),
            ("agents", "triage"),
            ("prompts_choice", "none"),
            ("go", "preview"),
        ]
    };
    let mine = ben.post(&by_ben, &form("Mobile app", "typed by Ben")).await.to();
    let read = ben.get(&mine).await;
    assert!(read.text.contains("typed by Ben"));
    let theirs = ada.post(&by_ada, &form("Renamed by Ada", "")).await.to();
    ada.get(&theirs).await;
    assert_eq!(ada.post(&theirs, &[("revision", "1")]).await.to(), key);
    assert_eq!(ada.post(&theirs, &[("revision", "1")]).await.to(), key, "sent twice");

    let back = ben.post(&mine, &[("revision", "1")]).await.to();
    assert_eq!(back, by_ben, "what Ben read was compared with another key");
    let page = ben.get(&back).await.text;
    assert!(page.contains("id=\"overtaken\"") && page.contains("Ada Moreau"));
    assert!(page.contains("typed by Ben") && page.contains("value=\"Renamed by Ada\""));
    let mine = ben.post(&back, &form("Renamed by Ada", "typed by Ben")).await.to();
    ben.get(&mine).await;
    assert_eq!(ben.post(&mine, &[("revision", "2")]).await.to(), key);
    let page = ben.get(&key).await.text;
    assert!(page.contains("<h1>Renamed by Ada ") && page.contains("typed by Ben"));
}

async fn edit(browser: &mut Browser, key: &str) -> String {
    let draft = browser.get(&format!("{key}/edit")).await.to();
    browser.get(&draft).await;
    draft
}

/// Where a page leads that has been shown a token.
fn key_address(page: &str) -> String {
    let (_, rest) = page.split_once("id=\"stored\" href=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_that_would_reach_nothing_is_told_at_the_step_where_it_comes_to_that() {
    let (_, app) = host();
    let mut ada = Browser::of(&app, "ada").await;
    let info = ada.get("/projects/checkout/keys/new").await.to();
    let fields = [("name", "Mobile"), ("environment", "staging"), ("expires", "date"), ("go", "next")];
    let date = ("expires_date", "2999-01-31T12:34");
    let agents = ada.post(&info, &[&fields[..], &[date]].concat()).await.to();
    let prompts = ada.post(&agents, &[("agents_choice", "none"), ("go", "next")]).await.to();
    let page = ada.get(&prompts).await.text;
    assert!(page.contains("so it must call at least one prompt") && !page.contains("prompts-mistake"));
    let picked = [("prompts_choice", "none"), ("prompts", "greeting"), ("go", "next")];
    let back = ada.post(&prompts, &picked).await.to();
    assert!(back.starts_with(&prompts), "{back}");
    let page = ada.get(&back).await.text;
    assert!(page.contains("id=\"prompts-mistake\"") && page.contains("at least one agent or prompt"));
    // What was picked is there still, and so is what the other steps have.
    assert!(page.contains("value=\"greeting\" id=\"prompt-item-greeting\" checked"));
    let page = ada.get(&info).await.text;
    assert!(page.contains("value=\"2999-01-31T12:34\"") && page.contains("id=\"expires-date\""));
    assert!(page.contains("name=\"expires\" value=\"date\" checked"));
}

#[tokio::test]
async fn who_typed_nothing_is_not_told_that_it_was_kept() {
    let (_, app) = host();
    let (mut ada, mut ben) = (Browser::of(&app, "ada").await, Browser::of(&app, "ben").await);
    let issued = ada.make("checkout", "Mobile app").await;
    let key = key_address(&ada.get(&issued).await.text);
    let draft = edit(&mut ben, &key).await;
    ada.post(&format!("{key}/deactivate"), &[]).await;
    let page = ben.get(&draft).await.text;
    assert!(page.contains("id=\"overtaken\"") && page.contains("You had not typed anything yet"));
}

#[tokio::test]
async fn a_page_says_what_was_done_last_and_when_all_of_it_holds() {
    let (_, app) = host();
    let mut ada = Browser::of(&app, "ada").await;
    let issued = ada.make("checkout", "Mobile app").await;
    let key = key_address(&ada.get(&issued).await.text);
    ada.post(&format!("{key}/deactivate"), &[]).await;
    ada.post(&format!("{key}/activate"), &[]).await;
    let operation = "0123456789abcdef0123456789abcdef";
    ada.post(&format!("{key}/rotate"), &[("grace", "3600"), ("operation", operation)]).await;
    let page = ada.get(&key).await.text;
    let banner = page.split("id=\"cutoff\"").nth(1).unwrap().split("</div></div>").next().unwrap();
    assert!(banner.contains("The old one works until") && !banner.contains("ctivated"), "{banner}");
    assert!(banner.contains("everywhere in at most"), "what came before it is under way: {banner}");
    assert!(page.contains("Old token") && page.contains("Not used so far"));
}

#[tokio::test]
async fn the_pages_of_a_list_lead_on_and_back() {
    let (keys, app) = host();
    let project = keys.project(ProjectId::new("checkout").unwrap(), Actor::user("ada").unwrap());
    for i in 0..35 {
        let info = access_keys::KeyInfo::new(format!("Key {i:02}"), EnvironmentId::new("staging").unwrap());
        let review = project.draft().info(info.unwrap()).agents(access_keys::Scope::All);
        let _ = project.generate(review.prompts(access_keys::Scope::All).unwrap()).await.unwrap();
    }
    let mut ada = Browser::of(&app, "ada").await;
    let named = |page: &str| {
        let names = page.split(">Key ").skip(1).map(|rest| rest[..2].parse::<u32>().unwrap());
        names.collect::<Vec<_>>()
    };
    for first in ["/projects/checkout/keys?limit=10", "/projects/checkout/keys?q=key&limit=10"] {
        let mut seen = Vec::new();
        let mut page = ada.get(first).await.text;
        let mut pages = vec![named(&page)];
        while let Some(older) = link(&page, "next") {
            page = ada.get(&older).await.text;
            pages.push(named(&page));
        }
        seen.extend(pages.iter().flatten().copied());
        assert_eq!(seen, (0..35).rev().collect::<Vec<_>>(), "{first}");
        assert_eq!(pages.len(), 4);
        for expected in pages[1..3].iter().rev() {
            page = ada.get(&link(&page, "prev").unwrap()).await.text;
            assert_eq!(named(&page), *expected);
        }
        // The first page has no cursor: its link is "Newest".
        assert!(link(&page, "prev").is_none() && page.contains(">Newest<"));
    }
}

/// Where a link of this kind leads.
fn link(page: &str, rel: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("rel=\"{rel}\" href=\""))?;
    Some(rest.split('"').next()?.replace("&amp;", "&"))
}

#[tokio::test]
async fn a_failure_of_the_store_is_told_by_the_list_and_within_a_search() {
    let store = std::sync::Arc::new(failing::Failing::default());
    let keys = console::builder(std::sync::Arc::clone(&store)).unwrap().build_dyn().unwrap();
    let app = console::router(keys, false);
    let mut ada = Browser::of(&app, "ada").await;
    let review = ada.draft("checkout", "Mobile app").await;
    store.fails(true);
    let list = ada.get("/projects/checkout/keys").await;
    assert_eq!(list.status, StatusCode::SERVICE_UNAVAILABLE);
    let search = ada.get("/projects/checkout/keys?q=mobile").await;
    assert_eq!(search.status, StatusCode::OK, "its head was sent before the store was asked");
    assert!(search.text.contains("The keys cannot be reached") && search.text.ends_with("</html>"));
    assert!(search.text.contains("value=\"mobile\""));
    let refused = ada.post(&review, &[("go", "generate")]).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    // The draft is there when the store is.
    store.fails(false);
    let page = ada.get(&review).await.text;
    assert!(page.contains("Mobile app") && page.contains("Support bot") && page.contains("No prompts"));
    let issued = ada.post(&review, &[("go", "generate")]).await.to();
    assert!(token(&ada.get(&issued).await.text).is_some());
}
