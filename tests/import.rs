//! Keys of another system, brought here: their clients go on with the tokens that they hold.

mod support;

use std::sync::Arc;
use std::time::Duration;

use access_keys::domain::{Field, Origin, Rule};
use access_keys::lifecycle::{ImportReport, ImportRow, Imported};
use access_keys::store::MemoryStore;
use access_keys::token::{ForeignDigest, ForeignTokens};
use access_keys::{
    AccessKeys, Actor, AuditQuery, Denial, Edit, EnvironmentId, Error, FakeClock, KeyId, KeyInfo, Pepper,
    ProjectId, ProjectKeys, Scope, Status,
};
use hmac::{Hmac, KeyInit, Mac};
use pollster::block_on;
use sha2::{Digest, Sha256};
use support::{SplitMix, production, review};

const TOKEN: &str = "sk-Zk3v9QpLw2Xn8TrB5YdM";

fn foreign() -> ForeignTokens {
    ForeignTokens::new("litellm").unwrap().beginning_with("sk-").unwrap()
}

fn digest_of(token: &str) -> ForeignDigest {
    ForeignDigest::new(Sha256::digest(token).into())
}

struct Scene {
    store: Arc<MemoryStore>,
    clock: FakeClock,
    keys: AccessKeys<Arc<MemoryStore>>,
    project: ProjectKeys<Arc<MemoryStore>>,
}

fn scene(tokens: ForeignTokens, pepper: Option<u8>) -> Scene {
    let (store, clock) = (Arc::new(MemoryStore::new()), FakeClock::default());
    let builder = AccessKeys::builder(Arc::clone(&store)).prefix("acme").clock(clock.clone());
    let builder = builder.foreign_tokens(tokens);
    let builder = pepper
        .into_iter()
        .fold(builder, |builder, byte| builder.pepper(Pepper::new(byte.into(), [byte; 32]).unwrap()));
    let keys = builder.build().unwrap();
    let project = keys.project(ProjectId::new("checkout").unwrap(), Actor::system("import").unwrap());
    Scene { store, clock, keys, project }
}

impl Scene {
    async fn import(&self, tokens: &ForeignTokens, row: ImportRow) -> (Option<Imported>, ImportReport) {
        let mut import = self.project.import(tokens);
        let imported = import.row(1, Ok(row)).await.unwrap();
        (imported, import.finish())
    }

    async fn imported(&self, token: &str) -> KeyId {
        let row = ImportRow::new(digest_of(token), review("Mobile app"));
        match self.import(&foreign(), row).await.0 {
            Some(Imported::New(key)) => key.id,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_client_goes_on_and_moves_with_the_next_rotation() {
    for pepper in [None, Some(1)] {
        block_on(async {
            let scene = scene(foreign(), pepper);
            assert!(matches!(
                scene.keys.verify(TOKEN, &production()).await,
                Err(Denial::Unrecognized { .. })
            ));
            let id = scene.imported(TOKEN).await;
            let grant = scene.keys.verify(TOKEN, &production()).await.unwrap();
            assert_eq!((grant.key().id, grant.key().origin), (id, Origin::Imported));
            // From the cache too.
            assert!(scene.keys.verifier().verify_cached(TOKEN, &production()).unwrap().is_ok());
            assert!(scene.keys.verifier().recheck(&grant).await.is_ok());
            let staging = EnvironmentId::new("staging").unwrap();
            let elsewhere = scene.keys.verify(TOKEN, &staging).await;
            assert!(matches!(elsewhere, Err(Denial::WrongEnvironment { key, .. }) if key == id));

            // Like any other key.
            scene.project.edit(id, Edit::new().agents(Scope::none())).await.unwrap();
            scene.project.deactivate(id).await.unwrap();
            assert!(matches!(scene.keys.verify(TOKEN, &production()).await, Err(Denial::Inactive { .. })));
            scene.project.activate(id).await.unwrap();

            let issued = scene.project.rotate(id, Duration::from_secs(3_600)).await.unwrap();
            assert!(issued.token.expose().starts_with(&format!("acme_{id}_")));
            assert_eq!(issued.key.origin, Origin::Imported);
            for token in [TOKEN, issued.token.expose()] {
                assert_eq!(scene.keys.verify(token, &production()).await.unwrap().key().id, id);
            }
            scene.clock.advance(Duration::from_secs(3_601));
            assert!(matches!(
                scene.keys.verify(TOKEN, &production()).await,
                Err(Denial::Unrecognized { .. })
            ));
            assert!(scene.keys.verify(issued.token.expose(), &production()).await.is_ok());
            scene.project.revoke(id, "moved").await.unwrap();
            let revoked = scene.keys.verify(issued.token.expose(), &production()).await;
            assert!(matches!(revoked, Err(Denial::Revoked { .. })));
            assert!(scene.project.verify_history(id).await.unwrap().is_intact());
        });
    }
}

/// What is stored of a foreign digest opens nothing, and neither does the digest itself.
#[test]
fn nobody_makes_a_token_of_a_foreign_digest() {
    block_on(async {
        let scene = scene(foreign(), None);
        let id = scene.imported(TOKEN).await;
        let digest: [u8; 32] = Sha256::digest(TOKEN).into();
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let stored = serde_json::to_string(&scene.store_key(id).await).unwrap();
        assert!(!stored.contains(&hex), "the foreign digest is stored as it was");
        // A token of this library with the id of the key and its digest for a secret, whatever the joint.
        for secret in [digest.to_vec(), hex.as_bytes()[..32].to_vec()] {
            let mut token = format!("acme_{id}_").into_bytes();
            token.extend(secret);
            let sum = crc32fast::hash(&token);
            token.extend(base62(sum));
            let token = String::from_utf8_lossy(&token).into_owned();
            assert!(scene.keys.verify(&token, &production()).await.is_err());
        }
        for wrong in
            [hex.clone(), format!("sk-{hex}"), TOKEN.to_lowercase(), format!("{TOKEN}x"), "sk-".to_owned()]
        {
            let denial = scene.keys.verify(&wrong, &production()).await.unwrap_err();
            assert!(matches!(denial, Denial::Unrecognized { .. } | Denial::Malformed { .. }), "{denial:?}");
        }
    });
}

fn base62(mut sum: u32) -> [u8; 6] {
    let alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = [b'0'; 6];
    for place in digits.iter_mut().rev() {
        *place = alphabet[(sum % 62) as usize];
        sum /= 62;
    }
    digits
}

impl Scene {
    async fn store_key(&self, id: KeyId) -> access_keys::store::StoredKey {
        use access_keys::store::KeyStore;
        self.store.get(id).await.unwrap().unwrap()
    }
}

/// With a pepper, who can write the database can plant no imported key: what is made without one is unrecognized.
#[test]
fn an_imported_key_needs_the_pepper_that_it_was_made_under() {
    block_on(async {
        let plain = scene(foreign(), None);
        plain.imported(TOKEN).await;
        let peppered = AccessKeys::builder(Arc::clone(&plain.store))
            .prefix("acme")
            .foreign_tokens(foreign())
            .pepper(Pepper::new(1, [1; 32]).unwrap())
            .build()
            .unwrap();
        let planted = peppered.verify(TOKEN, &production()).await;
        assert!(matches!(planted, Err(Denial::Unrecognized { .. })), "{planted:?}");
    });
}

#[test]
fn an_import_can_be_run_again() {
    block_on(async {
        let scene = scene(foreign(), Some(1));
        let tokens: Vec<String> = (0..50).map(|n| format!("sk-{n:032}")).collect();
        let run = async |dry: bool, upto: usize| {
            let foreign = foreign();
            let import = scene.project.import(&foreign);
            let mut import = if dry { import.dry_run() } else { import };
            for (row, token) in (1..).zip(&tokens[..upto]) {
                let read = ImportRow::new(digest_of(token), review("Mobile app"));
                import.row(row, Ok(read)).await.unwrap();
            }
            import.finish().to_string()
        };
        assert_eq!(run(true, 50).await, "50 would be imported, 0 here already, 0 failed");
        assert!(scene.project.list(access_keys::KeyQuery::default()).await.unwrap().items.is_empty());
        assert_eq!(run(false, 20).await, "20 imported, 0 here already, 0 failed");
        let id = scene.keys.verify(&tokens[3], &production()).await.unwrap().key().id;
        scene.project.revoke(id, "leaked").await.unwrap();
        assert_eq!(run(true, 50).await, "30 would be imported, 20 here already, 0 failed");
        assert_eq!(run(false, 50).await, "30 imported, 20 here already, 0 failed");
        // What was done since stays.
        assert_eq!(scene.project.get(id).await.unwrap().status, Status::Revoked);
        for token in tokens.iter().filter(|token| **token != tokens[3]) {
            assert!(scene.keys.verify(token, &production()).await.is_ok());
        }
        let events = scene.project.history(AuditQuery::default().limit(1_000)).await.unwrap().items;
        assert_eq!(events.len(), 51);

        // Another project cannot have them too.
        let other = scene.keys.project(ProjectId::new("billing").unwrap(), Actor::user("eve").unwrap());
        let foreign = foreign();
        let mut import = other.import(&foreign);
        let row = ImportRow::new(digest_of(&tokens[0]), review("Mobile app"));
        assert!(import.row(1, Ok(row)).await.unwrap().is_none());
        assert_eq!(import.report().errors()[0].problem.field, Field::Digest);
    });
}

#[test]
fn a_bad_row_stops_nothing_and_is_told_with_its_number() {
    block_on(async {
        let scene = scene(foreign(), None);
        let foreign = foreign();
        let mut import = scene.project.import(&foreign);
        let expiring = |seconds| {
            let wall = access_keys::Clock::wall(&scene.clock);
            let info = KeyInfo::new("Mobile app", production()).unwrap();
            let info = info.expires_at(wall + Duration::from_secs(seconds));
            scene.project.draft().info(info).agents(Scope::All).prompts(Scope::All).unwrap()
        };
        let soon = expiring(10);
        scene.clock.advance(Duration::from_secs(20));
        let bad = KeyInfo::new("", production()).unwrap_err();
        import.row(1, Err(bad)).await.unwrap();
        import.row(2, Ok(ImportRow::new(digest_of("sk-2"), soon))).await.unwrap();
        import.row(3, Ok(ImportRow::new(digest_of(TOKEN), review("Good")))).await.unwrap();
        let wrong = ImportRow::new(digest_of(TOKEN), review("Good")).identifier("x");
        import.row(4, Ok(wrong)).await.unwrap();
        let report = import.finish();
        assert_eq!((report.new_keys(), report.already(), report.failed()), (1, 0, 3));
        let rows: Vec<u64> = report.errors().iter().map(|error| error.row).collect();
        assert_eq!(rows, [1, 2, 4]);
        assert!(
            report.to_string().starts_with("1 imported, 0 here already, 3 failed\nrow 1: name "),
            "{report}"
        );
        assert!(scene.keys.verify(TOKEN, &production()).await.is_ok());
    });
}

#[test]
fn a_report_counts_each_kind_of_row_and_keeps_the_first_thousand_mistakes() {
    block_on(async {
        let scene = scene(foreign(), None);
        let foreign = foreign();
        let mut import = scene.project.import(&foreign);
        for (row, token) in (1..).zip(["sk-1", "sk-2", "sk-3", "sk-2", "sk-1"]) {
            import.row(row, Ok(ImportRow::new(digest_of(token), review("Mobile app")))).await.unwrap();
        }
        for row in 6..=1_005 {
            import.row(row, Err(KeyInfo::new("", production()).unwrap_err())).await.unwrap();
        }
        assert_eq!(import.report().errors().len(), 1_000);
        import.row(1_006, Err(KeyInfo::new("", production()).unwrap_err())).await.unwrap();
        let report = import.finish();
        assert_eq!((report.new_keys(), report.already(), report.failed()), (3, 2, 1_001));
        assert_eq!(report.errors().len(), 1_000);
        assert_eq!(report.errors().last().map(|error| error.row), Some(1_005));
    });
}

/// Every way in which another system may have digested, against the digest computed by hand.
#[test]
fn every_way_of_digesting_is_read() {
    let own = || ForeignTokens::new("own").unwrap().beginning_with("own_").unwrap();
    let mac = |text: &str| {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"their secret").unwrap();
        mac.update(text.as_bytes());
        <[u8; 32]>::from(mac.finalize().into_bytes())
    };
    let sha = |text: &str| <[u8; 32]>::from(Sha256::digest(text));
    let token = "own_7Hq2LkP9sTz4.WcX1nT8Qf03xK9a";
    let secret = "WcX1nT8Qf03xK9a";
    for (tokens, digest, identifier) in [
        (own(), sha(token), None),
        (own().hmac_sha256(b"their secret"), mac(token), None),
        (own().digested_between("", "salt"), sha(&format!("{token}salt")), None),
        (own().digested_between("pepper", ""), sha(&format!("pepper{token}")), None),
        (own().digested_after_beginning(), sha(&token[4..]), None),
        (own().identified_before('.', false).unwrap(), sha(token), Some("7Hq2LkP9sTz4")),
        (own().identified_before('.', true).unwrap(), sha(secret), Some("7Hq2LkP9sTz4")),
    ] {
        block_on(async {
            let scene = scene(tokens.clone(), Some(1));
            assert_eq!(tokens.digest(token), Some(ForeignDigest::new(digest)));
            let mut row = ImportRow::new(ForeignDigest::new(digest), review("Mobile app")).inactive();
            if let Some(identifier) = identifier {
                row = row.identifier(identifier);
            }
            let (imported, report) = scene.import(&tokens, row).await;
            let Some(Imported::New(key)) = imported else { panic!("{report}") };
            assert_eq!(key.status, Status::Inactive);
            scene.project.activate(key.id).await.unwrap();
            assert_eq!(scene.keys.verify(token, &production()).await.unwrap().key().id, key.id);
            let changed = format!("{}b", &token[..token.len() - 1]);
            let denial = scene.keys.verify(&changed, &production()).await.unwrap_err();
            assert!(matches!(denial, Denial::Unrecognized { .. }), "{denial:?}");
        });
    }
}

#[test]
fn shapes_that_could_be_mistaken_for_each_other_are_refused() {
    let tokens = |source: &str, head: &str| ForeignTokens::new(source).unwrap().beginning_with(head).unwrap();
    let build = |all: Vec<ForeignTokens>| {
        let builder = AccessKeys::builder(MemoryStore::new()).prefix("acme");
        all.into_iter().fold(builder, |builder, tokens| builder.foreign_tokens(tokens)).build()
    };
    assert!(build(vec![tokens("a", "sk-"), tokens("b", "pk-")]).is_ok());
    for second in ["sk-", "sk-live-", "s", ""] {
        let refused = build(vec![tokens("a", "sk-"), tokens("b", second)]);
        assert!(matches!(refused, Err(Error::Invalid(invalid)) if invalid.field == Field::ForeignTokens));
    }
    let short = tokens("a", "sk-").of_length(8..=20).unwrap();
    assert!(build(vec![short, tokens("b", "sk-").of_length(21..=64).unwrap()]).is_ok());
    for bad in ["", "Upper", "a b", &"x".repeat(65)] {
        assert!(ForeignTokens::new(bad).is_err(), "{bad}");
    }
    assert_eq!(tokens("litellm", "sk-").source(), "litellm");
    for (mistake, position) in [
        (ForeignTokens::new("ab C"), 3),
        (ForeignTokens::new("a").unwrap().beginning_with("sk- "), 4),
        (ForeignTokens::new("a").unwrap().beginning_with("é"), 1),
    ] {
        let invalid = mistake.unwrap_err();
        assert!(matches!(invalid.rule, Rule::Character { position: at, .. } if at == position), "{invalid}");
    }
    for lengths in [7..=20, 8..=1_025, std::ops::RangeInclusive::new(30, 29)] {
        assert!(ForeignTokens::new("a").unwrap().of_length(lengths).is_err());
    }
}

#[test]
fn a_found_token_of_another_system_ends_its_key() {
    block_on(async {
        let scene = scene(foreign(), Some(1));
        let id = scene.imported(TOKEN).await;
        let finder = || Actor::user("bob").unwrap();
        for other in
            [format!("{TOKEN}x"), "sk-Zk3v9QpLw2Xn8TrB5YdX".to_owned(), "pk-7Hq2LkP9sTz4WcX1".to_owned()]
        {
            assert!(scene.keys.revoke_presented(&other, "found", finder()).await.unwrap().is_none());
        }
        let reason = format!("posted as {TOKEN} in a forum");
        let change = scene.keys.revoke_presented(TOKEN, reason, finder()).await.unwrap().unwrap();
        assert_eq!(change.key().id, id);
        assert!(matches!(scene.keys.verify(TOKEN, &production()).await, Err(Denial::Revoked { .. })));
        let events = scene.project.history(AuditQuery::default()).await.unwrap().items;
        assert_eq!(events[0].reason.as_deref(), Some("posted as [redacted] in a forum"));
    });
}

/// Whatever is presented, a node with foreign tokens answers, and refuses.
#[test]
fn nothing_random_is_let_in() {
    block_on(async {
        let scene = scene(foreign(), Some(1));
        scene.imported(TOKEN).await;
        let mut random = SplitMix(7);
        for _ in 0..20_000 {
            let mut token = TOKEN.as_bytes().to_vec();
            for _ in 0..=random.below(3) {
                let place = random.below(token.len());
                match random.below(3) {
                    0 => token[place] = u8::try_from(random.below(128)).unwrap(),
                    1 => drop(token.remove(place)),
                    _ => token.insert(place, u8::try_from(random.below(128)).unwrap()),
                }
            }
            let text = String::from_utf8(token).unwrap();
            let answer = scene.keys.verify(&text, &production()).await;
            assert_eq!(answer.is_ok(), text == TOKEN, "{text:?}");
        }
    });
}
