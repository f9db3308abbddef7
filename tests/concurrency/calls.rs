//! Calls as values, so that many can be made in any order and be explained afterwards.

use std::time::Duration;

use access_keys::domain::Action;
use access_keys::store::KeyStore;
use access_keys::{
    AccessKey, AccessKeys, Change, Denial, Edit, Error, Grant, Issued, KeyId, ProjectKeys, Revision,
};
use pollster::block_on;

use crate::support::{operation, production, project, review};

pub(crate) const GRACE: Duration = Duration::from_secs(3_600);

/// One call about one key.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    Generate,
    Rename(String),
    RenameIf(String, Revision),
    Deactivate,
    Activate,
    Rotate(Duration),
    Revoke,
    /// Verifies a token that was issued at this revision.
    Verify(String, u64),
    /// The same, and then writes all uses.
    Use(String, u64),
}

/// How a call ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    Changed { key: AccessKey, is_new: bool, token: Option<String> },
    Failed(Error),
    Verified(Box<Result<Grant, Denial>>),
}

/// A call with the revisions between which it took effect: the one stored before it began (0 for no key), and
/// the one stored after it ended.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) call: Call,
    pub(crate) actor: String,
    pub(crate) operation: Option<&'static str>,
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) outcome: Outcome,
}

impl Call {
    pub(crate) const fn action(&self) -> Option<Action> {
        Some(match self {
            Self::Generate => Action::Created,
            Self::Rename(_) | Self::RenameIf(..) => Action::Edited,
            Self::Deactivate => Action::Deactivated,
            Self::Activate => Action::Activated,
            Self::Rotate(_) => Action::Rotated,
            Self::Revoke => Action::Revoked,
            Self::Verify(..) | Self::Use(..) => return None,
        })
    }

    /// Makes the call on behalf of `actor`, who makes no other.
    pub(crate) async fn make<S: KeyStore>(
        &self,
        keys: &AccessKeys<S>,
        id: KeyId,
        actor: &str,
        within: Option<&str>,
    ) -> Outcome {
        let plain = project(keys, actor);
        let project: ProjectKeys<S> = within.map_or(plain.clone(), |id| plain.operation(operation(id)));
        match self {
            Self::Generate => issued(project.generate(review("Mobile")).await),
            Self::Rename(name) => changed(project.edit(id, Edit::new().name(name).unwrap()).await),
            Self::RenameIf(name, revision) => {
                changed(project.edit(id, Edit::new().name(name).unwrap().if_revision(*revision)).await)
            }
            Self::Deactivate => changed(project.deactivate(id).await),
            Self::Activate => changed(project.activate(id).await),
            Self::Rotate(grace) => issued(project.rotate(id, *grace).await),
            Self::Revoke => changed(project.revoke(id, "a race").await),
            Self::Verify(token, _) => Outcome::Verified(Box::new(keys.verify(token, &production()).await)),
            Self::Use(token, _) => {
                let verified = keys.verify(token, &production()).await;
                keys.flush_uses().await.unwrap();
                Outcome::Verified(Box::new(verified))
            }
        }
    }
}

fn changed(result: Result<Change, Error>) -> Outcome {
    match result {
        Ok(change) => Outcome::Changed { is_new: change.is_new(), key: change.into_key(), token: None },
        Err(error) => Outcome::Failed(error),
    }
}

fn issued(result: Result<Issued, Error>) -> Outcome {
    match result {
        Ok(Issued { key, token, .. }) => {
            Outcome::Changed { key, is_new: true, token: Some(token.expose().to_owned()) }
        }
        Err(error) => Outcome::Failed(error),
    }
}

/// The revision at which a key is stored now, 0 when it is not.
pub(crate) fn stored_revision(store: &impl KeyStore, id: KeyId) -> u64 {
    block_on(store.get(id)).unwrap().map_or(0, |stored| stored.revision().get())
}
