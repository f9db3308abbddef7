//! Every case of the table, over HTTP/1.1 and HTTP/2 and without a connection, is answered as the table of refusals
//! says, and the handler runs only where it should.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use access_keys::http::AccessKeyLayer;
use axum::Router;
use axum::http::HeaderName;
use http_tests::{
    Answer, Case, Expected, Host, Served, Unsendable, Way, cases, http1, http2, oneshot, refused, serve,
    witness,
};

/// The same handler behind the layer with and without `x-api-key`, served.
struct Door {
    address: SocketAddr,
    router: Router,
    served: Served,
}

impl Door {
    async fn behind(layer: AccessKeyLayer) -> Self {
        let (router, served) = witness();
        let router = router.layer(layer);
        let (address, _) = serve(router.clone()).await;
        Self { address, router, served }
    }

    async fn ask(&self, way: Way, case: &Case, host: &Host) -> Result<Answer, Unsendable> {
        let (target, lines) = (case.target(host), case.lines(host));
        match way {
            Way::Http1 => Ok(http1(self.address, &target, &lines).await),
            Way::Http2 => http2(self.address, &target, &lines).await,
            Way::Oneshot => oneshot(&self.router, &target, &lines).await,
        }
    }
}

/// What went on with the whole table, and what was wrong.
#[derive(Default)]
struct Tally {
    judged: BTreeMap<String, usize>,
    unsendable: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

async fn all(way: Way) -> Tally {
    let host = Host::new().await;
    let named = HeaderName::from_static("x-api-key");
    let doors = [Door::behind(host.layer()).await, Door::behind(host.layer().header(named)).await];
    let mut tally = Tally::default();
    for case in cases() {
        let door = &doors[usize::from(case.x_api_key)];
        let answer = match door.ask(way, &case, &host).await {
            Ok(answer) => answer,
            Err(what) => {
                *tally.unsendable.entry(format!("{what:?}")).or_default() += 1;
                continue;
            }
        };
        let expected = case.expected(way);
        *tally.judged.entry(format!("{expected:?}")).or_default() += 1;
        if let Err(why) = judge(expected, &case, &answer, door, &host) {
            tally.wrong.push(format!("{case}: {expected:?} was expected; {why}: {answer:?}"));
        }
    }
    println!("{way:?}: {:?}, unsendable {:?}", tally.judged, tally.unsendable);
    tally
}

fn judge(
    expected: Expected,
    case: &Case,
    answer: &Answer,
    door: &Door,
    host: &Host,
) -> Result<(), &'static str> {
    let seen: Vec<_> = door.served.take().into_iter().map(|seen| seen.key).collect();
    match expected {
        Expected::Granted if seen != [host.id(&case.key)] => Err("the handler did not run once for this key"),
        Expected::Granted => (answer.status == 200).then_some(()).ok_or("another status"),
        _ if !seen.is_empty() => Err("the handler ran"),
        Expected::Refused(refusal) => (*answer == refused(refusal)).then_some(()).ok_or("another answer"),
        Expected::Closed => (*answer == Answer::closed()).then_some(()).ok_or("an answer"),
        Expected::Server(status) => (answer.status == status).then_some(()).ok_or("another status"),
    }
}

impl Tally {
    #[track_caller]
    fn assert(&self, judged: usize, unsendable: usize) {
        assert!(self.wrong.is_empty(), "\n{}", self.wrong.join("\n"));
        assert_eq!(
            (self.judged.values().sum::<usize>(), self.unsendable.values().sum::<usize>()),
            (judged, unsendable)
        );
    }
}

#[test]
fn the_table_has_at_least_120_cases_of_different_names() {
    let names: std::collections::BTreeSet<String> = cases().into_iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases().len());
    assert!(names.len() >= 120, "{}", names.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_answered_by_the_table_over_http_1() {
    all(Way::Http1).await.assert(302, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_that_can_be_sent_is_answered_by_the_table_over_http_2() {
    all(Way::Http2).await.assert(281, 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_that_can_be_made_is_answered_by_the_table_without_a_connection() {
    all(Way::Oneshot).await.assert(281, 21);
}
