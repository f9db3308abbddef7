//! What a secret scanner reports: read, revoked and answered.
//!
//! GitHub scans what is public for the tokens of those who take part in its secret scanning partner program, and sends
//! what it finds to an address of theirs. A [`Report`] is what it sends: an array of objects with `token`, `type`, `url`
//! and `source`. Each token that opens a key here has its key revoked
//! ([`revoke_presented`](crate::AccessKeys::revoke_presented)), and each entry gets an [`Answer`] with the [`Feedback`]
//! that GitHub takes: `token_hash`, `token_type`, `label`. Both forms are those of "Secret scanning partner program" in
//! GitHub's documentation. Whoever else finds tokens can report them in the same form.
//!
//! ```
//! # use access_keys::{AccessKeys, EnvironmentId, KeyInfo, ProjectId, Scope, store::MemoryStore};
//! use access_keys::{Actor, leak::{Outcome, Report}};
//!
//! # pollster::block_on(async {
//! # let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
//! # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
//! # let review = project.draft()
//! #     .info(KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?)
//! #     .agents(Scope::All)
//! #     .prompts(Scope::All)?;
//! # let issued = project.generate(review).await?;
//! # let body = serde_json::to_vec(&serde_json::json!([{
//! #     "token": issued.token.expose(), "type": "acme_access_key", "url": "https://github.com/x/y", "source": "commit",
//! # }]))?;
//! // The body of the request, once its signature was found good.
//! let report = Report::parse(&body)?;
//! let mut answering = report.answer(&keys, Actor::system("github")?);
//! let (mut feedback, mut again) = (Vec::new(), false);
//! while let Some(answer) = answering.next().await {
//!     let place = answer.entry.url().unwrap_or("an unknown place");
//!     match &answer.outcome {
//!         Outcome::Revoked(change) => println!("{} was found at {place}", change.key().id),
//!         Outcome::Undecidable { key, .. } => println!("{key} may have been found at {place}: revoke it by its id"),
//!         Outcome::Failed(error) => {
//!             println!("what was found at {place} is not settled: {error}");
//!             again = true;
//!         }
//!         _ => {}
//!     }
//!     feedback.extend(answer.feedback());
//! }
//! let (status, reply) = if again { (503, String::new()) } else { (200, serde_json::to_string(&feedback)?) };
//! # assert_eq!(status, 200);
//! # assert!(reply.contains("true_positive"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # The signature
//!
//! Checking that a report comes from GitHub is the host's, which has a client to fetch keys with:
//!
//! 1. Take the body as it came, byte for byte, and the headers `Github-Public-Key-Identifier` and
//!    `Github-Public-Key-Signature`.
//! 2. Fetch `https://api.github.com/meta/public_keys/secret_scanning`, keep it for a while, and take the `key` of the
//!    entry whose `key_identifier` is that of the header. Without one, refuse.
//! 3. Verify the signature, which is base64 of ASN.1, over the body: ECDSA on the curve P-256 with SHA-256. With `ring`
//!    that is `ECDSA_P256_SHA256_ASN1`, and the public key is the last 65 bytes of what the PEM holds.
//!
//! A report that was forged gains nothing but what it holds tokens for: a token can end its own key and no other. So what
//! an unchecked signature costs is work. Limit how often the address may be called.
//!
//! # What is refused, and what fails
//!
//! A body of more than 4 MiB, of more than 10,000 entries, or that is no JSON array is refused as a whole. Beyond that
//! no entry harms another. Nothing is said of one that cannot be read ([`Outcome::Unreadable`]), nor of one whose pepper
//! this node lacks ([`Outcome::Undecidable`]), and asking again changes nothing. One that the store could not settle is
//! [`Outcome::Failed`]: answer the request with an error then, or keep the report. The same once more is harmless, since
//! a key that was revoked already stays as it is. A server may refuse a large body before this is asked: axum takes 2 MB
//! unless its `DefaultBodyLimit` says otherwise.
//!
//! A text that is no token by its form and checksum is [`Outcome::NotOurs`] without asking the store. Only texts that
//! may be tokens are kept, and overwritten at the end. Neither `Debug` nor an error nor an event repeats one; the
//! feedback has the SHA-256 of what was sent, in hexadecimal, never the text.

mod answer;
mod report;

pub use answer::{Answer, Answering, Feedback, Label, Outcome};
pub use report::{Entry, Report};
