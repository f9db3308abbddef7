//! Who asks, on behalf of which project: taken by every page behind the sign-in.

use std::sync::Arc;

use access_keys::{Actor, ProjectId, ProjectKeys};
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use super::people::Person;
use super::sessions::Session;
use crate::{Console, Failure};

/// Someone who is signed in, and the keys of their project.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) session: Session,
    pub(crate) person: &'static Person,
    pub(crate) keys: ProjectKeys,
}

impl Member {
    /// The address of the list.
    pub(crate) fn home(&self) -> String {
        home(self.person)
    }

    /// The name under which something of this person's is kept.
    pub(crate) fn owned(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.person.project, self.person.id)
    }
}

/// Where a person begins.
pub(crate) fn home(person: &Person) -> String {
    format!("/projects/{}/keys", person.project)
}

impl FromRequestParts<Arc<Console>> for Member {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Failure> {
        let session = console.host.sessions.of(&parts.headers);
        let person = session.as_ref().and_then(|session| session.person);
        let (Some(session), Some(person)) = (session, person) else { return Err(Failure::SignIn) };
        let named = RawPathParams::from_request_parts(parts, console).await.map_err(|_| Failure::NotFound)?;
        // Another project's address says no more than one that does not exist.
        if named.iter().any(|(name, value)| name == "project" && value != person.project) {
            return Err(Failure::NotFound);
        }
        let (project, actor) = (ProjectId::new(person.project)?, Actor::user(person.id)?);
        Ok(Self { session, person, keys: console.keys.project(project, actor) })
    }
}
