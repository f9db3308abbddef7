//! Why a page is not shown, and what is shown instead.

use access_keys::store::StoreError;
use access_keys::{Error, Invalid};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::parts::layout::bare;

/// Why a page is not shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("nobody is signed in")]
    SignIn,
    #[error("there is no such page")]
    NotFound,
    #[error("the form is of another session")]
    Stale,
    #[error("the request cannot be read")]
    Unreadable,
    #[error(transparent)]
    Refused(Error),
    #[error("the store cannot say whether it did it")]
    Unknown(#[source] Error),
    #[error("the store does not answer")]
    Store(#[source] Error),
    #[error("no randomness could be had")]
    Randomness(#[from] getrandom::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound { .. } => Self::NotFound,
            Error::Invalid(_) => Self::Unreadable,
            Error::Refused { .. } | Error::Conflict { .. } => Self::Refused(error),
            Error::Store(StoreError::OutcomeUnknown { .. }) => Self::Unknown(error),
            _ => Self::Store(error),
        }
    }
}

impl From<Invalid> for Failure {
    fn from(_: Invalid) -> Self {
        Self::Unreadable
    }
}

impl Failure {
    const fn status(&self) -> StatusCode {
        match self {
            Self::SignIn => StatusCode::SEE_OTHER,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Stale => StatusCode::FORBIDDEN,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::Refused(_) => StatusCode::CONFLICT,
            Self::Unknown(_) | Self::Store(_) | Self::Randomness(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The title, and what to do.
    fn words(&self) -> (&'static str, String) {
        match self {
            Self::SignIn => ("Sign in", String::new()),
            Self::NotFound => {
                ("There is nothing here", "The address may be mistyped, or belong to another project.".to_owned())
            }
            Self::Stale => (
                "This form is out of date",
                "Your session ended, or began anew in another window. Nothing was changed. Open the page again, and \
                 send the form once more."
                    .to_owned(),
            ),
            Self::Unreadable => (
                "That could not be read",
                "The address or the form is damaged, or larger than any page of this host sends. Nothing was changed."
                    .to_owned(),
            ),
            Self::Refused(error) => ("That is not possible", format!("Nothing was changed: {error}.")),
            Self::Unknown(_) => (
                "It may or may not have been done",
                "The database was lost in the middle of it. Look at the key and its history before you try again."
                    .to_owned(),
            ),
            Self::Store(_) | Self::Randomness(_) => (
                "The keys cannot be reached",
                "Nothing was changed. Keys that are in use go on being checked by their own rules. Try again in a \
                 moment."
                    .to_owned(),
            ),
        }
    }
}

impl Failure {
    /// What is shown in place of the rest of a page of which the head was sent.
    pub(crate) fn in_page(&self) -> Markup {
        self.log();
        let (title, words) = self.words();
        html! { div.empty role="alert" { h2 { (title) } p { (words) } } }
    }

    /// For the operator; no error of the library holds a value or a text that was typed.
    fn log(&self) {
        match self {
            Self::Unknown(source) | Self::Store(source) => tracing::error!("{self}, because {source}"),
            Self::Randomness(source) => tracing::error!("{self}, because {source}"),
            _ => tracing::debug!("{self}"),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        if matches!(self, Self::SignIn) {
            return Redirect::to("/sign-in").into_response();
        }
        self.log();
        let (title, words) = self.words();
        let main = html! {
            div.empty {
                h1 { (title) }
                p { (words) }
                p { a.button href="/" { "To the access keys" } }
            }
        };
        (self.status(), Html(bare(title, &main).into_string())).into_response()
    }
}
