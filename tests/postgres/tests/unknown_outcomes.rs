//! The connection is cut at every byte of the exchange in which a change is committed: whoever tries again ends with
//! what was wanted, and one event.
//!
//! Questions that issue a token or revoke are cut at every 7th or 11th byte, and at every byte with `ACCESS_KEYS_DEEP`.

use std::sync::LazyLock;
use std::time::Duration;

use access_keys::store::{KeyStore, PostgresStore};
use access_keys::{AccessKeys, AuditQuery, Edit, Error, KeyId, KeyQuery, OperationId, ProjectKeys, Status};
use postgres_tests::{
    Cut, Proxy, RUNTIME, Server, checkout, fresh, generate, keys_of, production, run, try_generate,
};

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(""));

struct Scene {
    proxy: Proxy,
    keys: AccessKeys<PostgresStore>,
    project: ProjectKeys<PostgresStore>,
}

impl Scene {
    fn new() -> Self {
        let proxy = Proxy::start(SERVER.port());
        let address = proxy.address();
        let store = RUNTIME.block_on(PostgresStore::options(&address).schema(fresh()).open()).unwrap();
        let keys = keys_of(store);
        let project = checkout(&keys);
        Self { proxy, keys, project }
    }

    async fn events(&self, key: KeyId) -> usize {
        self.project.history(AuditQuery::default().key(key).limit(1_000)).await.unwrap().items.len()
    }

    /// Every revision of a key issued one secret, of which so many are left, and has one event.
    async fn assert_whole(&self, key: KeyId, secrets: usize) {
        let stored = self.keys.store().get(key).await.unwrap().unwrap();
        let revision = stored.revision().get();
        assert_eq!(self.events(key).await as u64, revision, "{key}");
        let generations: Vec<u64> =
            stored.digests().iter().map(|digest| digest.generation().into()).collect();
        assert_eq!((generations.len(), generations[0]), (secrets, revision), "{key}");
    }

    /// Tries again until it is done, and says how often.
    async fn insist<T, F: Future<Output = Result<T, Error>>>(&self, call: impl Fn() -> F) -> (T, u32) {
        for failures in 0..10 {
            match call().await {
                Ok(done) => return (done, failures),
                Err(Error::Store { .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        panic!("it failed ten times");
    }

    /// Calls `change` once for each cut at every `step`th byte of the question and every byte of the answer.
    async fn at_every_byte<F: Future<Output = ()>>(
        &self,
        mark: &str,
        step: usize,
        change: impl Fn(usize) -> F,
    ) {
        self.proxy.cut(mark, None);
        change(0).await;
        let (question, answer) = self.proxy.seen();
        assert!(question > 100 && answer > 10, "{question} and {answer} bytes");
        let is_deep = std::env::var_os("ACCESS_KEYS_DEEP").is_some_and(|deep| !deep.is_empty());
        let cuts = (0..=question).step_by(if is_deep { 1 } else { step }).map(Cut::Question);
        let cuts = cuts.chain((0..=answer).map(Cut::Answer));
        let mut count = 0;
        for cut in cuts {
            self.proxy.cut(mark, Some(cut));
            count += 1;
            change(count).await;
            assert!(self.proxy.has_cut(), "nothing was cut at {cut:?}");
        }
        println!("{count} cuts of {question} and {answer} bytes at {mark}");
    }
}

#[test]
fn an_edit_is_made_once() {
    let scene = Scene::new();
    run(async {
        let key = generate(&scene.project, "Mobile app").await.key.id;
        scene
            .at_every_byte("cut here", 1, |count| {
                let (scene, name) = (&scene, format!("cut here {count}"));
                async move {
                    let before = scene.events(key).await;
                    scene.insist(|| scene.project.edit(key, Edit::new().name(&name).unwrap())).await;
                    assert_eq!(scene.project.get(key).await.unwrap().name, name);
                    assert_eq!(scene.events(key).await, before + 1, "{name}");
                }
            })
            .await;
    });
}

#[test]
fn a_revocation_is_made_once_and_holds_at_once() {
    let scene = Scene::new();
    run(async {
        scene
            .at_every_byte("leaked at", 7, |count| {
                let scene = &scene;
                async move {
                    let issued = generate(&scene.project, "Mobile app").await;
                    let key = issued.key.id;
                    assert!(scene.keys.verify(issued.token.expose(), &production()).await.is_ok());
                    let reason = format!("leaked at {count}");
                    scene.insist(|| scene.project.revoke(key, &reason)).await;
                    assert!(scene.keys.verify(issued.token.expose(), &production()).await.is_err());
                    assert_eq!(scene.project.get(key).await.unwrap().status, Status::Revoked);
                    assert_eq!(scene.events(key).await, 2, "{reason}");
                }
            })
            .await;
    });
}

#[test]
fn a_key_is_generated_once_under_its_operation() {
    let scene = Scene::new();
    run(async {
        scene
            .at_every_byte("operation:request-", 11, |count| {
                let (scene, name) = (&scene, format!("Mobile app {count}"));
                async move {
                    let operation =
                        scene.project.operation(OperationId::new(format!("request-{count}")).unwrap());
                    let (issued, _) = scene.insist(|| try_generate(&operation, &name)).await;
                    assert!(scene.keys.verify(issued.token.expose(), &production()).await.is_ok());
                    // A repeat of a generate whose value may have been lost replaces it, and says so.
                    scene.assert_whole(issued.key.id, 1).await;
                    let query = KeyQuery::default().name(&name).limit(1_000);
                    let named = scene.project.list(query).await.unwrap().items;
                    assert_eq!(named.iter().filter(|key| key.name == name).count(), 1, "{name}");
                }
            })
            .await;
    });
}

#[test]
fn a_rotation_is_made_once_under_its_operation() {
    let scene = Scene::new();
    run(async {
        scene
            .at_every_byte("operation:cut-", 11, |count| {
                let scene = &scene;
                async move {
                    let first = generate(&scene.project, "Mobile app").await;
                    let key = first.key.id;
                    let operation =
                        scene.project.operation(OperationId::new(format!("cut-{count}")).unwrap());
                    let (second, _) = scene.insist(|| operation.rotate(key, Duration::from_secs(60))).await;
                    scene.assert_whole(key, 2).await;
                    for token in [&first.token, &second.token] {
                        assert!(scene.keys.verify(token.expose(), &production()).await.is_ok(), "{count}");
                    }
                }
            })
            .await;
    });
}
