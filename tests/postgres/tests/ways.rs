//! Ways to a server: encrypted, through a pooler that lends connections for one transaction, and by the host's pool.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use access_keys::store::{KeyStore, KeyUse, Migrate, PostgresStore, StoreError};
use access_keys::{AuditQuery, Error, KeyQuery, Status};
use deadpool_postgres::{Manager, Pool};
use postgres_tests::{
    RUNTIME, Server, as_nobody, causes, checkout, free_port, fresh, generate, give_away, keys_of, open,
    production, raw, run,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio_postgres::NoTls;

static SERVER: LazyLock<Server> = LazyLock::new(|| Server::start(""));

/// A certificate for `localhost`, and its key.
fn certificate() -> (Vec<u8>, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("certificate"), folder.path().join("key"));
    let mut openssl = Command::new("openssl");
    openssl.args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2".split(' '));
    openssl.args(
        "-subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=CA:FALSE"
            .split(' '),
    );
    openssl.arg("-keyout").arg(&key).arg("-out").arg(&certificate).stderr(Stdio::null());
    assert!(openssl.status().expect("openssl is installed").success());
    (fs::read(certificate).unwrap(), fs::read(key).unwrap())
}

fn trusting(certificate: &[u8]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    config.with_root_certificates(roots).with_no_client_auth()
}

#[test]
fn connections_are_encrypted_where_the_address_says_so() {
    let (own, key) = certificate();
    let settings = "ssl = on\nssl_cert_file = 'own.crt'\nssl_key_file = 'own.key'";
    let server = Server::start_with(settings, &[("own.crt", &own), ("own.key", &key)]);
    run(async {
        let address = format!("postgres://postgres@localhost:{}/postgres?sslmode=require", server.port());
        let store = PostgresStore::options(&address).tls(trusting(&own)).open().await.unwrap();
        let keys = keys_of(store);
        let issued = generate(&checkout(&keys), "Mobile app").await;
        assert!(keys.verify(issued.token.expose(), &production()).await.is_ok());
        RUNTIME.spawn(keys.verifier().follow(tokio::time::sleep));
        let sql = "SELECT count(*), count(*) FILTER (WHERE ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
            WHERE application_name = 'access-keys'";
        let client = raw(&server.address()).await;
        let counted = client.query_one(sql, &[]).await.unwrap();
        let (all, encrypted): (i64, i64) = (counted.get(0), counted.get(1));
        assert!(all >= 2 && encrypted == all, "{encrypted} of {all} connections are encrypted");

        // Not with a server that someone else vouches for, nor without any certificates.
        let (other, _) = certificate();
        let refused =
            PostgresStore::options(&address).tls(trusting(&other)).open().await.expect_err("it is opened");
        assert!(causes(&refused).contains("certificate"), "{}", causes(&refused));
        let refused = PostgresStore::connect(&address).await.expect_err("it is opened");
        assert!(causes(&refused).contains("asks for TLS, and none is set up"), "{}", causes(&refused));
        let plain = format!("postgres://postgres@localhost:{}/postgres?sslmode=require", SERVER.port());
        let refused =
            PostgresStore::options(&plain).tls(trusting(&own)).open().await.expect_err("it is opened");
        assert!(causes(&refused).contains("TLS"), "{}", causes(&refused));
    });
}

/// PgBouncer before the server, which lends each connection for one transaction.
struct Pooler {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Pooler {
    fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 3\nserver_reset_query =\n\
             [users]\n",
            SERVER.port()
        );
        let file = folder.path().join("pgbouncer.ini");
        fs::write(&file, settings.replace("* = host", "postgres = user=postgres dbname=postgres host"))
            .unwrap();
        give_away(folder.path());
        give_away(&file);
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = as_nobody(&mut Command::new("pgbouncer"));
        command.env("PATH", format!("{path}:/usr/sbin")).arg("-q").arg(&file).stderr(Stdio::null());
        let process = command.spawn().expect("the package pgbouncer is installed");
        Self { process, port, _folder: folder }
    }

    fn address(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Does everything that a host does.
async fn use_all(store: PostgresStore) {
    let keys = keys_of(store);
    let project = checkout(&keys);
    let issued = generate(&project, "Mobile app").await;
    let id = issued.key.id;
    assert!(keys.verify(issued.token.expose(), &production()).await.is_ok());
    keys.flush_uses().await.unwrap();
    assert_eq!(project.last_used(&[id]).await.unwrap().len(), 1);
    drop(project.rotate(id, Duration::from_secs(60)).await.unwrap());
    keys.store().record_use(&[KeyUse::new(id, 2, issued.key.created_at)]).await.unwrap();
    keys.store().set_max_staleness(Duration::from_secs(2)).await.unwrap();
    assert!(project.list(KeyQuery::default()).await.unwrap().items.iter().any(|key| key.id == id));
    drop(project.revoke(id, "leaked").await.unwrap());
    assert!(keys.verify(issued.token.expose(), &production()).await.is_err());
    assert_eq!(project.history(AuditQuery::default().key(id)).await.unwrap().items.len(), 3);
}

#[test]
fn through_a_pooler_all_works_but_the_wake_up() {
    let pooler = Pooler::start();
    run(async {
        let schema = fresh();
        let options = || PostgresStore::options(&pooler.address()).schema(&*schema).through_pooler(true);
        let mut tries = 0;
        let store = loop {
            match options().open().await {
                Ok(store) => break store,
                Err(error) if tries > 100 => panic!("{}", causes(&error)),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        use_all(store.clone()).await;
        // At once on many connections of the pooler.
        let nodes: Vec<_> = (0..8)
            .map(|_| {
                let options = options();
                RUNTIME.spawn(async move { use_all(options.open().await.unwrap()).await })
            })
            .collect();
        for node in nodes {
            node.await.unwrap();
        }
        // Nothing is heard through it; past it, it is.
        let (deaf, hears) =
            (options().open().await.unwrap(), options().listen(SERVER.address()).open().await.unwrap());
        let heard = RUNTIME.spawn(async move { hears.changed().await });
        let unheard = RUNTIME.spawn(async move { deaf.changed().await });
        let direct = keys_of(open(&SERVER, &schema).await);
        while !heard.is_finished() {
            drop(generate(&checkout(&direct), "Web app").await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(!unheard.is_finished());
        unheard.abort();
    });
}

#[test]
fn by_the_pool_of_a_host_all_works() {
    run(async {
        let manager = Manager::new(SERVER.address().parse().unwrap(), NoTls);
        let pool = Pool::builder(manager).max_size(2).build().unwrap();
        let schema = fresh();
        let options = PostgresStore::from_pool(pool.clone()).schema(&*schema);
        use_all(options.open().await.unwrap()).await;
        let again = PostgresStore::from_pool(pool.clone()).schema(&*schema).migrate(Migrate::Check);
        use_all(again.open().await.unwrap()).await;
        // A host that uses all of its pool for other things.
        let store = PostgresStore::from_pool(pool.clone()).schema(&*schema);
        let store = store.time_limit(Duration::from_millis(200)).open().await.unwrap();
        let held = (pool.get().await.unwrap(), pool.get().await.unwrap());
        let error = store.changes(None).await.unwrap_err();
        assert!(causes(&error).contains("no answer within 200ms"), "{}", causes(&error));
        drop(held);
        assert!(store.changes(None).await.is_ok());
    });
}

#[test]
fn a_store_whose_runtime_has_ended_fails_and_neither_hangs_nor_panics() {
    let server = Server::start("");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (store, id) = runtime.block_on(async {
        let store = PostgresStore::connect(&server.address()).await.unwrap();
        let keys = keys_of(store.clone());
        (store, generate(&checkout(&keys), "Mobile app").await.key.id)
    });
    drop(runtime);
    run(async {
        let keys = keys_of(store.clone());
        let failed = store.get(id).await.unwrap_err();
        assert!(matches!(failed, StoreError::Backend { .. }), "{failed:?}");
        let failed = store.changes(None).await.unwrap_err();
        assert!(matches!(failed, StoreError::Backend { .. }), "{failed:?}");
        let failed = checkout(&keys).revoke(id, "leaked").await.unwrap_err();
        assert!(matches!(failed, Error::Store(_)), "{failed:?}");
        let again = keys_of(PostgresStore::connect(&server.address()).await.unwrap());
        assert_eq!(checkout(&again).get(id).await.unwrap().status, Status::Active);
    });
}
