//! What must become of a request, told by the layers around a handler alone.

use axum::http::Method;
use http_tests::Host;

use super::grown::{Place, Run, Site};

/// What a request presents: a token by its name, and where that is good.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bearer {
    pub(crate) token: Option<&'static str>,
    good_in: Option<&'static str>,
}

pub(crate) const BEARERS: [Bearer; 7] = [
    Bearer { token: None, good_in: None },
    Bearer { token: Some("good"), good_in: Some("production") },
    Bearer { token: Some("bot"), good_in: Some("production") },
    Bearer { token: Some("staging"), good_in: Some("staging") },
    Bearer { token: Some("unknown"), good_in: None },
    Bearer { token: Some("revoked"), good_in: None },
    Bearer { token: Some("malformed"), good_in: None },
];

impl Bearer {
    /// Whether its key reaches an agent.
    fn reaches(&self, agent: &str) -> bool {
        self.token != Some("bot") || agent == "bot"
    }

    /// The status with which a request to this handler is answered; 200 when it runs.
    pub(crate) fn status_at(&self, site: &Site, agent: &str) -> u16 {
        let mut presented = self.token.is_some();
        for cover in &site.covers {
            if !presented || self.good_in != Some(cover.environment) {
                return 401;
            }
            presented = cover.keeps_credentials;
        }
        match (site.covers.is_empty(), site.takes_agent && !self.reaches(agent)) {
            (true, _) => 500,
            (false, true) => 403,
            (false, false) => 200,
        }
    }

    /// Whether this run should have been.
    pub(crate) fn explains(&self, run: &Run, sites: &[Site], host: &Host) -> bool {
        let site = sites.iter().find(|site| site.id == run.site).expect("a site");
        let agent = run.agent.as_ref().map_or("", |agent| agent.as_str());
        self.status_at(site, agent) == 200
            && self.token.is_some_and(|token| host.id(token) == run.key)
            && self.good_in == Some(run.environment.as_str())
    }
}

/// Requests that are not quite for this handler, and some that are for none.
pub(crate) fn odd(site: &Site, agent: &str) -> Vec<(Method, String)> {
    let Place::Route(path) = &site.place else { return Vec::new() };
    let path = if site.takes_agent { format!("{path}/{agent}") } else { path.clone() };
    let (first, rest) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    let targets = [
        format!("/{path}"),
        format!("//{path}"),
        format!("{path}/"),
        format!("{path}//"),
        path.trim_end_matches('/').to_owned(),
        path.replace('/', "//"),
        format!("/{first}%2f{rest}"),
        format!("/{first}%2F{rest}"),
        format!("%2f{}", &path[1..]).replacen("%2f", "/%2f", 1),
        format!("/.{path}"),
        format!("/..{path}"),
        format!("/%2e%2e{path}"),
        format!("/{first}/../{first}/{rest}"),
        format!("/{first}/./{rest}"),
        format!("/nowhere/..{path}"),
        format!("{path}/."),
        format!("{path}/.."),
        format!("{path}/%2e%2e/%2e%2e"),
        format!("{path};x=1"),
        format!("{path}%00"),
        format!("{path}%20"),
        format!("{path}?access_token=anything"),
        path.to_uppercase(),
        path.replace('n', "%6e"),
        path.replace('/', "\\/").replacen("\\/", "/", 1),
        format!("http://keys.test{path}"),
        format!("http://user:word@keys.test{path}"),
        format!("/{first}"),
        format!("/{first}/"),
        format!("/{first}/nowhere"),
        "/nowhere".to_owned(),
        "/".to_owned(),
    ];
    let methods = ["HEAD", "OPTIONS", "PUT", "POST", "GET", "DELETE", "TRACE", "CONNECT", "get", "BREW"];
    let methods = methods.map(|name| (Method::from_bytes(name.as_bytes()).unwrap(), path.clone()));
    let targets = targets.map(|target| (site.method.clone(), target));
    targets.into_iter().chain(methods).chain([(Method::OPTIONS, "*".to_owned())]).collect()
}
