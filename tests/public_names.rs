//! The names that hosts rely on, spelled as promised, and a whole host program that uses them.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use access_keys::store::{
    BoxError, ChangeCursor, Changes, FeedState, KeyStore, KeyUse, MemoryStore, StoreError, StoredKey,
    async_trait,
};
use access_keys::{
    AccessKey, AccessKeys, Actor, AgentId, AuditEvent, AuditQuery, Change, Clock, Cursor, Denial, Draft,
    Edit, EditForm, EnvironmentId, Error, Grant, IdSet, Invalid, Invalids, Issued, KeyForm, KeyId, KeyInfo,
    KeyQuery, KeyState, OperationId, Page, Pepper, ProjectId, ProjectKeys, PromptId, Review, Revision, Scope,
    Status, Token, Verifier,
};
use chrono::{DateTime, Utc};

/// What the program asks of a runtime, with the bounds and the shape that a runtime gives it.
mod tokio {
    pub(crate) fn spawn<F: Future<Output: Send + 'static> + Send + 'static>(future: F) {
        drop(future);
    }

    pub(crate) mod time {
        use std::marker::PhantomPinned;
        use std::pin::Pin;
        use std::task::{Context, Poll};
        use std::time::Duration;

        pub(crate) struct Sleep(PhantomPinned);

        pub(crate) fn sleep(_: Duration) -> Sleep {
            Sleep(PhantomPinned)
        }

        impl Future for Sleep {
            type Output = ();

            fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
                Poll::Ready(())
            }
        }
    }
}

#[test]
fn the_whole_program_compiles_and_runs() -> Result<(), Box<dyn StdError>> {
    pollster::block_on(program())
}

async fn program() -> Result<(), Box<dyn StdError>> {
    let in_90_days = SystemTime::now() + Duration::from_secs(90 * 86_400);
    let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);

    let review = project
        .draft()
        .info(
            KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?
                .description("iOS and Android")?
                .expires_at(in_90_days),
        )
        .agents(Scope::specific([AgentId::new("support-bot")?])?)
        .prompts(Scope::All)?;
    println!("{review}");
    let issued: Issued = project.generate(review.clone()).await?;
    let value: &str = issued.token.expose();
    let (id, env) = (issued.key.id, EnvironmentId::new("production")?);

    let grant: Grant = keys.verify(value, &EnvironmentId::new("production")?).await?;
    grant.require_agent(&AgentId::new("support-bot")?)?;
    grant.require_prompt(&PromptId::new("greeting")?)?;
    let grant: Grant = keys.verifier().recheck(&grant).await?;
    let cached: Option<Result<Grant, Denial>> = keys.verifier().verify_cached(value, &env);
    assert!(cached.is_none_or(|verified| verified.is_ok()));
    tokio::spawn(keys.verifier().follow(tokio::time::sleep));

    assert_eq!(project.get(id).await?, issued.key);
    let page: Page<AccessKey> = project.list(KeyQuery::default()).await?;
    assert_eq!((page.items, page.next), (vec![issued.key.clone()], None));
    let change: Change = project.edit(id, Edit::new().name("Mobile")?.agents(Scope::All)).await?;
    assert_eq!((change.key().name.as_str(), &change.key().agents), ("Mobile", &Scope::All));
    let stale = project.edit(id, Edit::new().name("Web")?.if_revision(issued.key.revision)).await;
    assert!(
        matches!(stale, Err(Error::Conflict { key, expected }) if key == id && expected == issued.key.revision)
    );
    assert_eq!(project.deactivate(id).await?.into_key().status, Status::Inactive);
    let _: Duration = project.activate(id).await?.holds_everywhere_in();
    let rotated: Issued = project.rotate(id, Duration::from_secs(86_400)).await?;
    assert!(rotated.old_secret_ends_in() >= Some(Duration::from_secs(86_400)));
    let change: Change = project.revoke(id, "leaked in a public repository").await?;
    assert_eq!(change.key().status, Status::Revoked);
    let history: Page<AuditEvent> = project.history(AuditQuery::default()).await?;
    let actions: Vec<_> = history.items.iter().map(|event| serde_json::to_value(event.action)).collect();
    let words = ["revoked", "rotated", "activated", "deactivated", "edited", "created"];
    assert_eq!(actions.into_iter().collect::<Result<Vec<_>, _>>()?, words);
    let uses: Vec<KeyUse> = project.last_used(&[id]).await?;
    assert_eq!(uses.iter().map(|used| (used.key, used.generation)).collect::<Vec<_>>(), [(id, 1)]);
    let secrets: Vec<access_keys::lifecycle::SecretInfo> = project.secrets(id).await?;
    assert_eq!(secrets.iter().map(|secret| secret.generation).collect::<Vec<_>>(), [2, 1]);
    let _: DateTime<Utc> = project.now();
    let many: Vec<StoredKey> = keys.store().get_many(&[id]).await?;
    assert_eq!(many.len(), 1);
    keys.flush_uses().await?;

    let first = project.operation(OperationId::new("req-7")?).generate(review.clone()).await?;
    let again = project.operation(OperationId::new("req-7")?).generate(review).await?;
    assert_eq!(first.key.id, again.key.id);
    assert!(keys.verify(first.token.expose(), &env).await.is_err());
    assert!(keys.verify(again.token.expose(), &env).await.is_ok());
    let denial: Denial = keys.verifier().ended(&grant, tokio::time::sleep).await;
    assert!(matches!(denial, Denial::Revoked { .. }) && denial.key() == Some(id) && denial.status() == 401);
    Ok(())
}

#[test]
fn the_names_of_the_builder_are_as_promised() -> Result<(), Error> {
    let clock = access_keys::FakeClock::default();
    let builder = AccessKeys::builder(MemoryStore::new())
        .prefix("acme")
        .environment_prefix(EnvironmentId::new("production")?, "acme_live")
        .pepper(Pepper::new(1, [7; 32])?)
        .pepper(Pepper::new(2, [8; 32])?)
        .accept_unpeppered()
        .clock(clock.clone())
        .random(getrandom::SysRng)
        .max_staleness(Duration::from_secs(2))
        .cache_capacity(1_000)
        .concurrent_reads(8)
        .record_uses(false);
    let keys: AccessKeys = builder.build_dyn()?;
    let own = SystemTime::UNIX_EPOCH + Duration::from_secs(3_000_000_000);
    clock.set_wall(own);
    assert_eq!(clock.clone().wall(), DateTime::<Utc>::from(own), "clones share time");
    let none = AccessKeys::builder(MemoryStore::new()).build();
    assert!(matches!(none, Err(Error::Invalid(_))), "a prefix is needed");
    let slow = AccessKeys::builder(MemoryStore::new()).prefix("acme").max_staleness(Duration::from_secs(61));
    assert!(matches!(slow.build(), Err(Error::Invalid(_))));
    drop(keys);
    Ok(())
}

#[test]
fn whatever_the_store_its_pointers_serve_too_and_the_verifier_is_one_type() -> Result<(), Error> {
    fn build<S: KeyStore>(store: S) -> Result<AccessKeys<S>, Error> {
        AccessKeys::builder(store).prefix("acme").build()
    }
    let shared: Arc<dyn KeyStore> = Arc::new(MemoryStore::new());
    let (dynamic, boxed): (AccessKeys, Box<dyn KeyStore>) = (build(shared)?, Box::new(MemoryStore::new()));
    let clock: Box<dyn Clock> = Box::new(access_keys::FakeClock::default());
    let project: ProjectKeys = dynamic.project(ProjectId::new("checkout")?, Actor::system("billing")?);
    let verifiers: Vec<Verifier> = vec![
        dynamic.verifier(),
        build(boxed)?.verifier(),
        build(Arc::new(MemoryStore::new()))?.verifier(),
        build(Box::new(Forwarding(MemoryStore::new())))?.verifier(),
        AccessKeys::builder(Forwarding(MemoryStore::new())).prefix("acme").build_dyn()?.verifier(),
        AccessKeys::builder(MemoryStore::new()).prefix("acme").clock(clock).build()?.verifier(),
    ];
    assert_eq!((verifiers.len(), project.draft().info(info()?)).0, 6);
    Ok(())
}

/// The signatures of the trait, written with its own `async_trait`. `changed` and `get_many` have a default.
struct Forwarding(MemoryStore);

#[async_trait]
impl KeyStore for Forwarding {
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        self.0.insert(key, event).await
    }
    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.0.get(id).await
    }
    async fn update(
        &self,
        key: &StoredKey,
        expected: Revision,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        self.0.update(key, expected, event).await
    }
    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
        self.0.list(project, query).await
    }
    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError> {
        self.0.history(project, query).await
    }
    async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
        self.0.record_use(uses).await
    }
    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
        self.0.last_uses(ids).await
    }
    async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
        self.0.changes(since).await
    }
}

#[test]
fn everything_public_can_be_sent_shared_and_kept() {
    fn facts<T: Send + Sync + 'static>() {}
    macro_rules! facts {
        ($($type:ty),* $(,)?) => {$( facts::<$type>(); )*};
    }
    facts! {
        AccessKeys, AccessKeys<MemoryStore>, ProjectKeys, ProjectKeys<MemoryStore>, AccessKey, KeyInfo, KeyForm,
        EditForm, OperationId, Draft, Review, Scope<AgentId>, Scope<PromptId>, IdSet<AgentId>, Edit, Change, Issued,
        Token, Pepper, Actor, KeyQuery, AuditQuery, AuditEvent, Page<AccessKey>, Page<AuditEvent>, Cursor, Revision,
        KeyId, ProjectId, EnvironmentId, AgentId, PromptId, Status, KeyState, Verifier, Grant, Denial, Error,
        Invalid, Invalids, StoredKey, StoreError, KeyUse, Changes, ChangeCursor, FeedState, BoxError, MemoryStore,
        Arc<dyn KeyStore>, Arc<dyn Clock>, Box<dyn Clock>, access_keys::FakeClock, access_keys::lifecycle::Builder<MemoryStore>,
        access_keys::domain::Draft<access_keys::domain::NeedsPrompts>, access_keys::lifecycle::history::HistoryChecker,
        access_keys::token::ForeignTokens, access_keys::token::Prefix,
    }
    #[cfg(feature = "import")]
    facts! { access_keys::import::ForeignKey, access_keys::import::Rows }
    #[cfg(feature = "leak")]
    facts! { access_keys::leak::Outcome }
    #[cfg(feature = "sqlite")]
    facts! { access_keys::store::SqliteStore }
    #[cfg(feature = "postgres")]
    facts! { access_keys::store::PostgresStore }
    #[cfg(feature = "tower")]
    facts! {
        access_keys::http::AccessKeyLayer, access_keys::http::KeyedBody<String>, access_keys::http::Ended,
        access_keys::http::Needs, access_keys::http::Refusal, access_keys::http::Watch,
    }
    #[cfg(feature = "conformance")]
    facts! {
        access_keys::store::conformance::HeldCommit, access_keys::store::conformance::RawWrites,
        access_keys::store::conformance::Report, access_keys::store::conformance::SlowCommits,
    }
}

#[test]
fn what_may_be_copied_can_be_and_errors_are_errors() {
    fn copy<T: Copy>() {}
    fn clone<T: Clone + 'static>() {}
    fn error<T: StdError + Send + Sync + 'static>() {}
    copy::<KeyId>();
    clone::<(Denial, Grant, Review, Verifier)>();
    clone::<(AccessKeys, AccessKeys<MemoryStore>, ProjectKeys<MemoryStore>)>();
    clone::<(AccessKey, AuditEvent, Page<AccessKey>, Cursor, Edit, KeyForm, EditForm, StoredKey)>();
    error::<Error>();
    error::<StoreError>();
    error::<Denial>();
    error::<Invalid>();
    error::<Invalids>();
}

/// Never called: that it compiles for every store says that every future can be sent.
#[expect(dead_code, reason = "a fact for the compiler")]
fn every_future_can_be_sent<S: KeyStore>(
    (keys, project): (&AccessKeys<S>, &ProjectKeys<S>),
    (review, grant, id): (Review, &Grant, KeyId),
    env: &EnvironmentId,
) {
    fn send<T: Send>(future: impl Future<Output = T> + Send) {
        drop(future);
    }
    send(keys.verify("", env));
    send(keys.flush_uses());
    send(keys.verifier().verify("", env));
    send(keys.verifier().recheck(grant));
    send(keys.verifier().ended(grant, tokio::time::sleep));
    send(keys.verifier().follow(tokio::time::sleep));
    send(project.generate(review));
    send(project.get(id));
    send(project.list(KeyQuery::default()));
    send(project.history(AuditQuery::default()));
    send(project.last_used(&[id]));
    send(project.secrets(id));
    send(keys.store().get_many(&[]));
    send(project.edit(id, Edit::new()));
    send(project.deactivate(id));
    send(project.activate(id));
    send(project.rotate(id, Duration::ZERO));
    send(project.revoke(id, "leaked"));
    send(project.revoke(id, String::from("leaked")));
    send(keys.store().changed());
}

fn info() -> Result<KeyInfo, Invalid> {
    KeyInfo::new("Mobile app", EnvironmentId::new("production")?)
}
