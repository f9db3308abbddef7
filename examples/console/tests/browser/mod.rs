//! What a browser does with these pages, without one: keeps its cookie, sends the form that a page shows, follows.

use access_keys::AccessKeys;
use access_keys::store::MemoryStore;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use tower::ServiceExt;

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn to(&self) -> String {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.header("location").to_owned()
    }
}

/// One person's browser.
pub(crate) struct Browser {
    app: Router,
    cookie: String,
    pub(crate) csrf: String,
}

/// The keys and the pages over them.
pub(crate) fn host() -> (AccessKeys, Router) {
    let keys = console::builder(MemoryStore::new()).unwrap().build_dyn().unwrap();
    (keys.clone(), console::router(keys, false))
}

impl Browser {
    pub(crate) async fn of(app: &Router, person: &str) -> Self {
        let mut browser = Self { app: app.clone(), cookie: String::new(), csrf: String::new() };
        browser.get("/sign-in").await;
        let home = browser.post("/sign-in", &[("person", person)]).await.to();
        browser.get(&home).await;
        browser
    }

    pub(crate) async fn get(&mut self, address: &str) -> Answer {
        self.send(Method::GET, address, Body::empty()).await
    }

    /// Sends a form with the token of the page that was seen last.
    pub(crate) async fn post(&mut self, address: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf.clone();
        self.post_as(&csrf, address, fields).await
    }

    pub(crate) async fn post_as(&mut self, csrf: &str, address: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf", csrf).extend_pairs(fields);
        self.send(Method::POST, address, Body::from(form.finish())).await
    }

    pub(crate) async fn send(&mut self, method: Method, address: &str, body: Body) -> Answer {
        let path = address.split('#').next().unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body)
            .unwrap();
        let (parts, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        let text = String::from_utf8(to_bytes(body, 4_000_000).await.unwrap().to_vec()).unwrap();
        if let Some(cookie) = parts.headers.get(header::SET_COOKIE) {
            self.cookie = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
        }
        if let Some((_, rest)) = text.split_once("name=\"csrf\" value=\"") {
            rest.split('"').next().unwrap().clone_into(&mut self.csrf);
        }
        Answer { status: parts.status, headers: parts.headers, text }
    }

    /// Takes the first three steps of a new key, and gives back the address of the fourth.
    pub(crate) async fn draft(&mut self, project: &str, name: &str) -> String {
        let info = self.get(&format!("/projects/{project}/keys/new")).await.to();
        let fields = [("name", name), ("environment", "production"), ("expires", "never"), ("go", "next")];
        let agents = self.post(&info, &fields).await.to();
        let fields =
            [("agents_choice", "these"), ("agents", "support-bot"), ("agents", "triage"), ("go", "next")];
        let prompts = self.post(&agents, &fields).await.to();
        self.post(&prompts, &[("prompts_choice", "none"), ("go", "next")]).await.to()
    }

    /// Makes a key, and gives back the address of its token.
    pub(crate) async fn make(&mut self, project: &str, name: &str) -> String {
        let review = self.draft(project, name).await;
        self.post(&review, &[("go", "generate")]).await.to()
    }
}

/// The token on a page, if there is one.
pub(crate) fn token(page: &str) -> Option<String> {
    let start = page.find("acme_live_")?;
    let token: String =
        page[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    (token.len() > 60).then_some(token)
}
