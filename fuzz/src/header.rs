//! What a request presents, before the layer.
//!
//! The first byte of an input says how the layer is set up; then come headers, each by the byte of its name, that of its
//! length, and its value, in which 0 stands for a good token.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::task::{Context, Poll};

use access_keys::http::AccessKeyLayer;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use pollster::block_on;
use tower_layer::Layer;
use tower_service::Service;

use crate::answer::{CANARY, Checked, Target, outcome, quiet_debug, same};
use crate::host::{environment, host};
use crate::mistake::{self, Mistake};
use crate::naive;

/// What is run.
pub static TARGET: Target = Target {
    name: "header",
    check,
    samples: LazyLock::new(samples),
    words: &["Bearer ", "bearer ", "BEARER", "Basic ", "\0", "\0\0", "=", "==", " ", "\t", "!", "~", "/", ",", CANARY],
    is_json: false,
    mistakes: &[Mistake::TwoSpaces, Mistake::FirstOfSeveral],
};

const OWN: HeaderName = HeaderName::from_static("x-api-key");
const NEARLY: HeaderName = HeaderName::from_static("authorization_");

/// Compares how a request is answered, and what the handler sees of it.
pub fn check(data: &[u8]) -> Checked {
    let (setting, rest) = data.split_first().unwrap_or((&0, &[]));
    let (has_own, keeps) = (setting & 1 == 1, setting & 2 == 2);
    let headers = headers(rest);
    let expected = expected(&headers, has_own);
    let (answer, seen) = answer(&headers, has_own, keeps);
    let told = (answer.status().as_u16(), error(answer.headers()));
    same("the answer", &told, &expected.answer())?;
    same("whether it reaches the handler", &seen.is_some(), &(expected == Expected::Good))?;
    if let Some(seen) = seen {
        for name in [AUTHORIZATION, OWN].iter().filter(|name| has_own || **name == AUTHORIZATION) {
            same("what is left of the credential", &seen.contains_key(name), &(keeps && headers.contains_key(name)))?;
            same("whether it is sensitive", &seen.get_all(name).iter().all(HeaderValue::is_sensitive), &true)?;
        }
    } else {
        quiet_debug(answer.headers())?;
    }
    Ok(outcome(expected == Expected::Good))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Nothing,
    BadRequest,
    BadToken,
    Good,
}

impl Expected {
    fn answer(self) -> (u16, Option<String>) {
        let error = |error: &str| Some(error.to_owned());
        match self {
            Self::Nothing => (401, None),
            Self::BadRequest => (400, error("invalid_request")),
            Self::BadToken => (401, error("invalid_token")),
            Self::Good => (200, None),
        }
    }
}

/// RFC 9110 and RFC 6750, word for word.
fn expected(headers: &HeaderMap, has_own: bool) -> Expected {
    let values = |name: &HeaderName| headers.get_all(name).iter().map(HeaderValue::as_bytes).collect::<Vec<_>>();
    let (authorizations, own) = (values(&AUTHORIZATION), if has_own { values(&OWN) } else { Vec::new() });
    let token = match (authorizations.as_slice(), own.as_slice()) {
        ([], []) => return Expected::Nothing,
        ([], [[]]) => return Expected::Nothing,
        ([], [own]) => own,
        ([authorization], []) => {
            let end = authorization.iter().position(|byte| !is_tchar(*byte)).unwrap_or(authorization.len());
            let (scheme, rest) = authorization.split_at(end);
            if !scheme.eq_ignore_ascii_case(b"bearer") {
                return Expected::Nothing;
            }
            match rest.strip_prefix(b" ") {
                Some(token) => token,
                None => return Expected::BadRequest,
            }
        }
        _ => return Expected::BadRequest,
    };
    if !is_token68(token) {
        return Expected::BadRequest;
    }
    let good = naive::token(token, "acme_live").is_some() && host().issued[0].token.as_bytes() == token;
    if good { Expected::Good } else { Expected::BadToken }
}

fn is_tchar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_token68(text: &[u8]) -> bool {
    let is_padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    let characters = &text[..text.len() - is_padding];
    let fine = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte);
    !characters.is_empty() && characters.iter().all(fine)
}

fn error(headers: &HeaderMap) -> Option<String> {
    let challenge = headers.get(WWW_AUTHENTICATE)?.to_str().ok()?;
    challenge.split_once("error=\"")?.1.split('"').next().map(str::to_owned)
}

fn headers(mut data: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    while let [name, len, rest @ ..] = data {
        let (value, after) = rest.split_at(usize::from(*len).min(rest.len()));
        data = after;
        let value = value.split(|byte| *byte == 0).collect::<Vec<_>>().join(host().token(0).as_bytes());
        if let Ok(value) = HeaderValue::from_maybe_shared(bytes::Bytes::from(value)) {
            headers.append([AUTHORIZATION, OWN, NEARLY][usize::from(*name) % 3].clone(), value);
        }
    }
    headers
}

fn answer(headers: &HeaderMap, has_own: bool, keeps: bool) -> (Response<()>, Option<HeaderMap>) {
    let seen = Arc::new(Mutex::new(None));
    let mut request = Request::new(());
    *request.headers_mut() = headers.clone();
    for name in [AUTHORIZATION, OWN] {
        let values = request.headers_mut().get_all(&name).iter().cloned().collect::<Vec<_>>();
        if mistake::is(Mistake::FirstOfSeveral) && values.len() > 1 {
            request.headers_mut().insert(name.clone(), values[0].clone());
        }
        if let (true, [value]) = (mistake::is(Mistake::TwoSpaces), values.as_slice()) {
            let one = value.to_str().unwrap_or_default().replace("  ", " ");
            request.headers_mut().extend(HeaderValue::from_str(&one).ok().filter(|_| value.to_str().is_ok()).map(|one| (name, one)));
        }
    }
    let mut service = layer(has_own, keeps).layer(Handler(Arc::clone(&seen)));
    let answer = match block_on(service.call(request)) {
        Ok(answer) => answer.map(drop),
        Err(never) => match never {},
    };
    let seen = seen.lock().expect("no panic").take();
    (answer, seen)
}

fn layer(has_own: bool, keeps: bool) -> &'static AccessKeyLayer {
    static LAYERS: [OnceLock<AccessKeyLayer>; 4] = [const { OnceLock::new() }; 4];
    LAYERS[usize::from(has_own) + 2 * usize::from(keeps)].get_or_init(|| {
        let layer = AccessKeyLayer::new(host().keys.verifier(), environment("production"));
        let layer = if has_own { layer.header(OWN) } else { layer };
        if keeps { layer.keep_credentials() } else { layer }
    })
}

/// Notes what reaches it.
#[derive(Clone)]
struct Handler(Arc<Mutex<Option<HeaderMap>>>);

impl Service<Request<()>> for Handler {
    type Response = Response<Empty>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        *self.0.lock().expect("no panic") = Some(request.headers().clone());
        ready(Ok(Response::new(Empty)))
    }
}

/// A body of nothing.
struct Empty;

impl Body for Empty {
    type Data = bytes::Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Infallible>>> {
        Poll::Ready(None)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(0)
    }
}

fn samples() -> Vec<Vec<u8>> {
    let headers: [&[(u8, &str)]; 12] = [
        &[(0, "Bearer \0")],
        &[(0, "bEARER \0")],
        &[(1, "\0")],
        &[(1, "\0"), (2, "Bearer \0")],
        &[(0, "Bearer \0"), (0, "Bearer \0")],
        &[(0, "Bearer  \0")],
        &[(0, "Bearer \0=")],
        &[(0, "Bearer\t\0")],
        &[(0, "Basic YWRhOnNlY3JldA==")],
        &[(0, "Bearer \0"), (1, "\0")],
        &[(0, "Bearer c4nary-+/.~==")],
        &[(1, ""), (0, "Bearer")],
    ];
    let of = |setting: u8, headers: &[(u8, &str)]| {
        let mut data = vec![setting];
        for (name, value) in headers {
            data.extend([*name, u8::try_from(value.len()).unwrap_or(u8::MAX)]);
            data.extend(value.bytes());
        }
        data
    };
    headers.iter().flat_map(|headers| (0..4).map(move |setting| of(setting, headers))).collect()
}
