//! Another server in the place of the one that was there: a replica is refused, an answer that something in between
//! repeats is refused, and after a promotion or a restore every node drops what it knew.

use std::time::Duration;

use access_keys::store::{Changes, KeyStore, PostgresStore, StoreError};
use access_keys::{AccessKeys, Denial, Status};
use postgres_tests::{Proxy, Server, causes, checkout, generate, keys_of, open, production, raw, run};

const SCHEMA: &str = "access_keys";
const DRAINED: Duration = Duration::from_secs(66);

fn refused_as_replica(error: &StoreError) {
    assert!(causes(error).contains("a replica"), "{}", causes(error));
}

async fn drop_connections(server: &Server) {
    let terminate = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
        WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'";
    raw(&server.address()).await.batch_execute(terminate).await.unwrap();
}

/// Waits until a standby has all that the primary has.
async fn catch_up(primary: &Server, standby: &Server) {
    let end: String = raw(&primary.address())
        .await
        .query_one("SELECT pg_current_wal_insert_lsn()::text", &[])
        .await
        .unwrap()
        .get(0);
    let client = raw(&standby.address()).await;
    let there = format!("SELECT pg_last_wal_replay_lsn() >= '{end}'::pg_lsn");
    while !client.query_one(&there, &[]).await.unwrap().get::<_, bool>(0) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn everything(changes: &Changes) -> Duration {
    let Changes::Everything { state, .. } = changes else { panic!("{changes:?}") };
    state.drained_in
}

#[test]
fn a_standby_is_refused_until_it_is_promoted_and_then_every_node_drops_what_it_knew() {
    let primary = Server::start("");
    run(async { drop(open(&primary, SCHEMA).await) });
    let standby = primary.standby();
    let proxy = Proxy::start(primary.port());
    run(async {
        let keys = keys_of(PostgresStore::connect(&proxy.address()).await.unwrap());
        let issued = generate(&checkout(&keys), "Mobile app").await;
        assert!(keys.verify(issued.token.expose(), &production()).await.is_ok());
        let Changes::Everything { next, .. } = keys.store().changes(None).await.unwrap() else { panic!() };
        catch_up(&primary, &standby).await;
        refused_as_replica(&PostgresStore::connect(&standby.address()).await.expect_err("it is opened"));

        // The node is led to the standby as it is.
        proxy.lead_to(standby.port());
        drop_connections(&primary).await;
        refused_as_replica(&keys.store().get(issued.key.id).await.unwrap_err());
        refused_as_replica(&keys.store().changes(Some(&next)).await.unwrap_err());
        refused_as_replica(&keys.store().last_uses(&[issued.key.id]).await.unwrap_err());
        for error in [
            checkout(&keys).list(access_keys::KeyQuery::default()).await.map(drop).unwrap_err(),
            checkout(&keys).history(access_keys::AuditQuery::default()).await.map(drop).unwrap_err(),
        ] {
            assert!(causes(&error).contains("a replica"), "{}", causes(&error));
        }
        // Another node, that knows nothing yet.
        let fresh = AccessKeys::builder(keys.store().clone()).prefix("acme").build().unwrap();
        let denial = fresh.verify(issued.token.expose(), &production()).await.unwrap_err();
        assert!(matches!(denial, Denial::Unavailable { .. }), "{denial:?}");
        assert!(checkout(&keys).revoke(issued.key.id, "leaked").await.is_err());

        // The feed was at this place on the server before; the events are all there.
        standby.promote();
        let changes = keys.store().changes(Some(&next)).await.unwrap();
        let drained = everything(&changes);
        assert!(drained > DRAINED - Duration::from_secs(5) && drained <= DRAINED, "{drained:?}");
        assert!(keys.verify(issued.token.expose(), &production()).await.is_ok());
        let change = checkout(&keys).revoke(issued.key.id, "leaked").await.unwrap();
        assert!(change.holds_everywhere_in() > DRAINED - Duration::from_secs(10), "{change:?}");
        // Noted once: the time does not begin anew.
        let Changes::Everything { next, state, .. } = keys.store().changes(None).await.unwrap() else {
            panic!()
        };
        assert!(state.drained_in < drained);
        assert!(matches!(keys.store().changes(Some(&next)).await.unwrap(), Changes::Since { .. }));
    });
}

#[test]
fn after_a_restore_every_node_drops_what_it_knew_and_refuses_what_it_saw_revoked() {
    let server = Server::start("");
    let proxy = Proxy::start(server.port());
    run(async {
        let keys = keys_of(PostgresStore::connect(&proxy.address()).await.unwrap());
        let project = checkout(&keys);
        let (revoked, edited) = (generate(&project, "Old app").await, generate(&project, "Mobile app").await);
        let backup = server.backup();
        project.revoke(revoked.key.id, "leaked").await.unwrap();
        let later = generate(&project, "Web app").await;
        for issued in [&later, &edited] {
            assert!(keys.verify(issued.token.expose(), &production()).await.is_ok());
        }
        assert!(keys.verify(revoked.token.expose(), &production()).await.is_err());
        let Changes::Everything { next, .. } = keys.store().changes(None).await.unwrap() else { panic!() };

        proxy.lead_to(backup.port());
        drop_connections(&server).await;
        everything(&keys.store().changes(Some(&next)).await.unwrap());
        let Changes::Everything { next, .. } = keys.store().changes(None).await.unwrap() else { panic!() };
        let restored = open(&backup, SCHEMA).await;
        restored.begin_incarnation().await.unwrap();
        let drained = everything(&keys.store().changes(Some(&next)).await.unwrap());
        assert!(drained > DRAINED - Duration::from_secs(5), "{drained:?}");

        // The node goes by what is there now, but for what it saw revoked. The lease of before has to end first.
        let node = keys.verifier();
        let gone = loop {
            match node.verify(later.token.expose(), &production()).await {
                Ok(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                Err(denial) => break denial,
            }
        };
        assert!(matches!(gone, Denial::Unrecognized { .. }), "{gone:?}");
        assert!(node.verify(edited.token.expose(), &production()).await.is_ok());
        let denial = node.verify(revoked.token.expose(), &production()).await.unwrap_err();
        assert!(matches!(denial, Denial::Revoked { .. }), "{denial:?}");
        let other = keys_of(restored);
        assert!(other.verify(revoked.token.expose(), &production()).await.is_ok(), "the backup has it open");
    });
}

#[test]
fn an_answer_that_something_in_between_repeats_is_refused() {
    let server = Server::start("");
    let proxy = Proxy::start(server.port());
    run(async {
        let keys = keys_of(PostgresStore::connect(&proxy.address()).await.unwrap());
        let issued = generate(&checkout(&keys), "Mobile app").await;
        let refused =
            |error: StoreError| assert!(causes(&error).contains("repeats answers"), "{}", causes(&error));

        // By a word that stands in the statement, and so marks the connection on which it is prepared.
        proxy.cut("older_generation", None);
        let node = PostgresStore::connect(&proxy.address()).await.unwrap();
        assert!(node.get(issued.key.id).await.unwrap().is_some());
        proxy.repeat(true);
        refused(node.get(issued.key.id).await.unwrap_err());
        refused(node.get(issued.key.id).await.unwrap_err());
        proxy.repeat(false);

        proxy.cut("max_staleness", None);
        let node = PostgresStore::connect(&proxy.address()).await.unwrap();
        let Changes::Everything { next, .. } = node.changes(None).await.unwrap() else { panic!() };
        proxy.repeat(true);
        refused(node.changes(Some(&next)).await.unwrap_err());
        let node = keys_of(node);
        let denial = node.verify(issued.token.expose(), &production()).await.unwrap_err();
        assert!(matches!(denial, Denial::Unavailable { .. }), "{denial:?}");
        proxy.repeat(false);

        proxy.cut("FOR NO KEY UPDATE", None);
        let node = keys_of(PostgresStore::connect(&proxy.address()).await.unwrap());
        let (first, second) =
            (generate(&checkout(&node), "One").await, generate(&checkout(&node), "Two").await);
        drop(checkout(&node).revoke(first.key.id, "").await.unwrap());
        proxy.repeat(true);
        let failed = checkout(&node).revoke(second.key.id, "").await.unwrap_err();
        assert!(causes(&failed).contains("repeats answers"), "{}", causes(&failed));
        proxy.repeat(false);
        let there = checkout(&node).get(second.key.id).await.unwrap();
        assert_eq!(there.status, Status::Active, "no success was reported of what was never written");
    });
}
