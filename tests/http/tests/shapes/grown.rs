//! Routers that grow by chance, with what is known of each of their handlers.

use std::sync::{Arc, Mutex};

use access_keys::http::{AccessKeyLayer, RequireAgent};
use access_keys::{AgentId, EnvironmentId, Grant, KeyId};
use axum::Router;
use axum::extract::Path;
use axum::http::Method;
use axum::routing::{MethodRouter, any, get, post};
use http_tests::{Chance, Host, env};
use tower::Layer;

/// A layer over a handler.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cover {
    pub(crate) environment: &'static str,
    pub(crate) keeps_credentials: bool,
}

/// A handler that takes a grant, or that requires the agent which its last segment names.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) id: usize,
    pub(crate) method: Method,
    pub(crate) place: Place,
    pub(crate) takes_agent: bool,
    /// The layers around it, the outermost first.
    pub(crate) covers: Vec<Cover>,
}

/// Where a handler is reached.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// At this path; the agent behind it.
    Route(String),
    /// Where there is no route.
    Fallback,
    /// At a path whose methods are others.
    RefusedMethod,
}

impl Place {
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Route(_) => "route",
            Self::Fallback => "fallback",
            Self::RefusedMethod => "refused method",
        }
    }
}

/// What a handler ran with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) site: usize,
    pub(crate) key: KeyId,
    pub(crate) environment: EnvironmentId,
    pub(crate) agent: Option<AgentId>,
}

/// The runs of all handlers, in their order. Clones are one.
#[derive(Clone, Default)]
pub(crate) struct Runs(Arc<Mutex<Vec<Run>>>);

impl Runs {
    pub(crate) fn take(&self) -> Vec<Run> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    fn note(&self, site: usize, grant: &Grant, agent: Option<AgentId>) {
        let key = grant.key();
        self.0.lock().unwrap().push(Run { site, key: key.id, environment: key.environment.clone(), agent });
    }
}

/// A router under way.
pub(crate) struct Grown {
    pub(crate) router: Router,
    pub(crate) sites: Vec<Site>,
    has_fallback: bool,
    has_routes: bool,
}

/// What grows routers.
pub(crate) struct Gardener<'h> {
    host: &'h Host,
    pub(crate) chance: Chance,
    pub(crate) runs: Runs,
    /// The steps that were taken, for whoever reads a failure.
    pub(crate) steps: Vec<String>,
    next: usize,
}

impl<'h> Gardener<'h> {
    pub(crate) fn new(host: &'h Host, seed: u64) -> Self {
        let chance = Chance::new(seed);
        Self { host, chance, runs: Runs::default(), steps: Vec::new(), next: 0 }
    }

    /// A router of `depth` levels at most.
    pub(crate) fn grow(&mut self, depth: usize) -> Grown {
        let mut grown =
            Grown { router: Router::new(), sites: Vec::new(), has_fallback: false, has_routes: false };
        for _ in 0..3 + self.chance.below(5) {
            match self.chance.below(12) {
                0..3 => self.add_route(&mut grown),
                3..6 if depth > 0 => self.add_level(&mut grown, depth - 1),
                6 if !grown.has_fallback => self.add_fallback(&mut grown),
                7 => self.add_refused_methods(&mut grown),
                8 if grown.has_routes => self.cover_routes(&mut grown),
                9..12 => self.cover(&mut grown),
                _ => self.add_route(&mut grown),
            }
        }
        grown
    }

    fn say(&mut self, step: String) {
        self.steps.push(step);
    }

    fn number(&mut self) -> usize {
        self.next += 1;
        self.next
    }

    fn site(&mut self, method: Method, place: Place, takes_agent: bool) -> Site {
        Site { id: self.number(), method, place, takes_agent, covers: Vec::new() }
    }

    fn add_route(&mut self, grown: &mut Grown) {
        let number = self.number();
        let takes_agent = self.chance.below(3) == 0;
        let (route, path) = match (takes_agent, self.chance.below(4)) {
            (true, _) => (format!("/r{number}/{{agent}}"), format!("/r{number}")),
            (false, 0) => (format!("/r{number}/{{*rest}}"), format!("/r{number}/some/where")),
            (false, 1) => (format!("/r{number}/"), format!("/r{number}/")),
            (false, _) => (format!("/r{number}"), format!("/r{number}")),
        };
        let mut first = self.site(Method::GET, Place::Route(path.clone()), takes_agent);
        let methods = self.chance.below(4);
        let mut methods_router = self.handler(&first, if methods == 0 { Kind::Any } else { Kind::Get });
        let mut step = format!("route {route}");
        let layered = methods == 1;
        if layered {
            let (layer, cover) = self.layer();
            methods_router = methods_router.layer(layer);
            first.covers.insert(0, cover);
            step += &format!(" under {cover:?}");
        }
        grown.sites.push(first);
        if methods == 1 || methods == 2 {
            // What is added to a method router after its layer stands before no layer.
            let second = self.site(Method::POST, Place::Route(path), takes_agent);
            methods_router = methods_router.merge(self.handler(&second, Kind::Post));
            grown.sites.push(second);
            step += ", and POST";
        }
        self.say(step);
        grown.router = std::mem::take(&mut grown.router).route(&route, methods_router);
        grown.has_routes = true;
    }

    fn add_level(&mut self, grown: &mut Grown, depth: usize) {
        let prefix = format!("/n{}", self.number());
        self.say(format!("( {prefix}"));
        let mut inner = self.grow(depth);
        let router = std::mem::take(&mut grown.router);
        let way = self.chance.below(4);
        if way == 0 && !(grown.has_fallback && inner.has_fallback) {
            self.say(") merged".to_owned());
            grown.router = router.merge(inner.router);
            grown.has_fallback |= inner.has_fallback;
            grown.has_routes |= inner.has_routes;
        } else {
            for site in &mut inner.sites {
                if let Place::Route(path) = &mut site.place {
                    path.insert_str(0, &prefix);
                }
            }
            grown.router = if way == 1 {
                let (layer, cover) = self.layer();
                self.say(format!(") a service under {cover:?}"));
                inner.sites.iter_mut().for_each(|site| site.covers.insert(0, cover));
                router.nest_service(&prefix, layer.layer(inner.router))
            } else {
                self.say(") nested".to_owned());
                router.nest(&prefix, inner.router)
            };
            grown.has_routes |= way == 1 || inner.has_routes;
        }
        grown.sites.append(&mut inner.sites);
    }

    fn add_fallback(&mut self, grown: &mut Grown) {
        let site = self.site(Method::GET, Place::Fallback, false);
        self.say(format!("fallback {}", site.id));
        let handler = self.handler(&site, Kind::Any);
        grown.router = std::mem::take(&mut grown.router).fallback_service(handler);
        grown.has_fallback = true;
        grown.sites.push(site);
    }

    fn add_refused_methods(&mut self, grown: &mut Grown) {
        let site = self.site(Method::GET, Place::RefusedMethod, false);
        self.say(format!("method_not_allowed_fallback {}", site.id));
        let (runs, id) = (self.runs.clone(), site.id);
        let handler = async move |grant: Grant| runs.note(id, &grant, None);
        grown.router = std::mem::take(&mut grown.router).method_not_allowed_fallback(handler);
        grown.sites.push(site);
    }

    fn cover(&mut self, grown: &mut Grown) {
        let (layer, cover) = self.layer();
        self.say(format!("layer {cover:?}"));
        grown.router = std::mem::take(&mut grown.router).layer(layer);
        grown.sites.iter_mut().for_each(|site| site.covers.insert(0, cover));
    }

    /// Covers no fallback.
    fn cover_routes(&mut self, grown: &mut Grown) {
        let (layer, cover) = self.layer();
        self.say(format!("route_layer {cover:?}"));
        grown.router = std::mem::take(&mut grown.router).route_layer(layer);
        let routes = grown.sites.iter_mut().filter(|site| !matches!(site.place, Place::Fallback));
        routes.for_each(|site| site.covers.insert(0, cover));
    }

    fn layer(&mut self) -> (AccessKeyLayer, Cover) {
        let environment = if self.chance.below(4) == 0 { "staging" } else { "production" };
        let keeps_credentials = self.chance.below(2) == 0;
        let layer = AccessKeyLayer::new(self.host.keys.verifier(), env(environment));
        let layer = if keeps_credentials { layer.keep_credentials() } else { layer };
        (layer, Cover { environment, keeps_credentials })
    }

    fn handler(&self, site: &Site, kind: Kind) -> MethodRouter {
        let (runs, id) = (self.runs.clone(), site.id);
        if site.takes_agent {
            let handler = async move |RequireAgent { grant, agent, .. }: RequireAgent<Path<AgentId>>| {
                runs.note(id, &grant, Some(agent.0));
            };
            match kind {
                Kind::Any => any(handler),
                Kind::Get => get(handler),
                Kind::Post => post(handler),
            }
        } else {
            let handler = async move |grant: Grant| runs.note(id, &grant, None);
            match kind {
                Kind::Any => any(handler),
                Kind::Get => get(handler),
                Kind::Post => post(handler),
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Any,
    Get,
    Post,
}
