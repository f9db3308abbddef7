//! Whatever the shape of a router, no handler that takes a grant runs without a decision for that very request, and one
//! that stands before no layer is answered with 500 and told to the host as an error.

mod grown;
mod oracle;

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Body;
use axum::http::header::AUTHORIZATION;
use axum::http::{Method, Request};
use axum::routing::get;
use http_tests::{Events, Host, collect, refused};
use tower::ServiceExt;
use tracing::Level;

use access_keys::Grant;
use access_keys::http::Refusal;
use grown::{Gardener, Place};
use oracle::{BEARERS, Bearer, odd};

const SHAPES: u64 = 240;

struct Walk<'h> {
    host: &'h Host,
    gardener: Gardener<'h>,
    router: Router,
    sites: Vec<grown::Site>,
    events: &'h Events,
}

impl Walk<'_> {
    /// What a request is answered with, and the handler that ran, if one did: which must be explained.
    async fn ask(&self, method: &Method, target: &str, bearer: &Bearer) -> (u16, Option<usize>) {
        let mut request = Request::builder().method(method).uri(target);
        if let Some(token) = bearer.token {
            request = request.header(AUTHORIZATION, format!("Bearer {}", self.host.token(token)));
        }
        let request = request.body(Body::empty()).unwrap_or_else(|error| panic!("{target}: {error}"));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (status, runs) = (response.status().as_u16(), self.gardener.runs.take());
        let about = || format!("{method} {target} with {bearer:?} in\n{}", self.gardener.steps.join("\n"));
        for run in &runs {
            assert!(bearer.explains(run, &self.sites, self.host), "{run:?} by {}", about());
        }
        assert!(runs.len() <= 1, "{runs:?} by {}", about());
        let errors = self.events.take().into_iter().filter(|(level, _)| *level == Level::ERROR);
        let errors: Vec<String> = errors.map(|(_, text)| text).collect();
        assert_eq!(errors.len(), usize::from(status == 500), "{errors:?} by {}", about());
        assert!(errors.iter().all(|text| text.contains("no AccessKeyLayer ran")), "{errors:?}");
        (status, runs.first().map(|run| run.site))
    }
}

#[tokio::test]
async fn no_handler_runs_without_a_decision_for_its_request_in_hundreds_of_shapes() {
    let host = Host::new().await;
    let events = Events::default();
    let _listening = events.listen();
    let (mut exact, mut strays) = (BTreeMap::<u16, usize>::new(), 0);
    let mut astray = BTreeMap::<&str, usize>::new();
    for seed in 0..SHAPES {
        let mut gardener = Gardener::new(&host, seed);
        let grown = gardener.grow(2);
        let walk = Walk { host: &host, gardener, router: grown.router, sites: grown.sites, events: &events };
        for site in &walk.sites {
            let Place::Route(path) = &site.place else { continue };
            for (bearer, agent) in BEARERS.iter().flat_map(|bearer| [(bearer, "bot"), (bearer, "billing")]) {
                let target = if site.takes_agent { format!("{path}/{agent}") } else { path.clone() };
                let (status, ran) = walk.ask(&site.method, &target, bearer).await;
                let expected = bearer.status_at(site, agent);
                let steps = walk.gardener.steps.join("\n");
                assert_eq!(
                    (status, ran),
                    (expected, (expected == 200).then_some(site.id)),
                    "{site:?} {bearer:?} {agent} of seed {seed}:\n{steps}"
                );
                *exact.entry(status).or_default() += 1;
            }
            for (method, target) in odd(site, "bot") {
                let bearer = &BEARERS[usize::try_from(seed).unwrap() % BEARERS.len()];
                for bearer in [bearer, &BEARERS[1]] {
                    strays += 1;
                    let Some(ran) = walk.ask(&method, &target, bearer).await.1 else { continue };
                    let reached = walk.sites.iter().find(|site| site.id == ran).unwrap();
                    *astray.entry(reached.place.kind()).or_default() += 1;
                }
            }
        }
    }
    println!("{SHAPES} shapes: {exact:?}, {strays} strays of which some ran handlers: {astray:?}");
    for status in [200, 401, 403, 500] {
        assert!(exact.get(&status).is_some_and(|count| *count > 100), "{exact:?}");
    }
    for kind in ["route", "fallback", "refused method"] {
        assert!(astray.get(kind).is_some_and(|count| *count > 200), "{astray:?} of {strays}");
    }
}

#[tokio::test]
async fn a_route_that_is_added_after_the_layer_answers_500_and_is_told_as_an_error() {
    let host = Host::new().await;
    let events = Events::default();
    let _listening = events.listen();
    let handler = async |_: Grant| "let in";
    let router =
        Router::new().route("/before", get(handler)).layer(host.layer()).route("/after", get(handler));
    let ask = async |path: &str| {
        let bearing = format!("Bearer {}", host.token("good"));
        let request = Request::get(path).header(AUTHORIZATION, bearing).body(Body::empty()).unwrap();
        collect(router.clone().oneshot(request).await.unwrap()).await
    };
    assert_eq!(ask("/before").await.body, "let in");
    assert!(events.take().iter().all(|(level, _)| *level != Level::ERROR));
    assert_eq!(ask("/after").await, refused(Refusal::LayerMissing));
    let told: Vec<_> = events.take().into_iter().filter(|(level, _)| *level == Level::ERROR).collect();
    let [(_, text)] = told.as_slice() else { panic!("{told:?}") };
    assert!(text.contains("add the layer after the routes that it protects"), "{text}");
}
