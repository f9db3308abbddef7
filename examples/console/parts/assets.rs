//! The style, the script and the mark of the page, at addresses that change with their content.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::Failure;

/// A file with its address.
pub(crate) struct Asset {
    pub(crate) address: String,
    kind: &'static str,
    content: &'static str,
}

pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    asset("console", "css", "text/css; charset=utf-8", include_str!("../assets/console.css"))
});
pub(crate) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    asset("copy", "js", "text/javascript; charset=utf-8", include_str!("../assets/copy.js"))
});
pub(crate) static MARK: LazyLock<Asset> =
    LazyLock::new(|| asset("mark", "svg", "image/svg+xml", include_str!("../assets/mark.svg")));

fn asset(name: &str, ending: &str, kind: &'static str, content: &'static str) -> Asset {
    let hash = Sha256::digest(content.as_bytes());
    let hash: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    Asset { address: format!("/assets/{name}.{hash}.{ending}"), kind, content }
}

/// Any of them; an address of an earlier version is no longer found.
pub(crate) async fn show(Path(file): Path<String>) -> Result<Response, Failure> {
    let assets = [&*STYLE, &*SCRIPT, &*MARK];
    let found = assets.into_iter().find(|asset| asset.address.strip_prefix("/assets/") == Some(&file));
    let asset = found.ok_or(Failure::NotFound)?;
    let headers =
        [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, asset.content).into_response())
}
