//! A server whose disk is full: verifications go on, no change is reported that was not made, and changes go on when
//! there is room again.

use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use access_keys::KeyQuery;
use access_keys::store::{KeyStore, PostgresStore};
use postgres_tests::{
    binary, causes, checkout, free_port, generate, keys_of, production, raw, run, try_generate, unprivileged,
};
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// The disk of the tables is memory that only this server sees; its log is elsewhere: without room for that it stops.
/// PostgreSQL does not run as root, nor as what looks like it.
const SCRIPT: &str = r#"
mkdir "$2/small" && mount -t tmpfs -o size=16m tmpfs "$2/small" && chmod 0777 "$2" "$2/small" || exit 1
if [ -n "$4" ]; then as="setpriv --reuid=$4 --regid=$5 --clear-groups"; else as="unshare --user --map-user=65534"; fi
$as mkdir "$2/small/space" && $as "$1/initdb" -D "$2/data" -A trust -U postgres -E UTF8 --locale=C -N >/dev/null || exit 1
$as "$1/postgres" -D "$2/data" -p "$3" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
  2>/dev/null & server=$!
trap 'kill -QUIT $server' TERM; read -r _; kill -QUIT $server 2>/dev/null; wait $server"#;

struct Small {
    process: Child,
    folder: TempDir,
    port: u16,
}

impl Small {
    fn start() -> Self {
        let (folder, port, user) = (tempfile::tempdir().unwrap(), free_port(), unprivileged());
        let mut command = Command::new("unshare");
        if user.is_none() {
            command.arg("--map-root-user");
        }
        command.args(["--mount", "sh", "-c", SCRIPT, "keeper"]).arg(binary("initdb").parent().unwrap());
        command.arg(folder.path()).arg(port.to_string()).current_dir("/");
        if let Some((user, group)) = user {
            command.args([user.to_string(), group.to_string()]);
        }
        let process = command.stdin(Stdio::piped()).spawn().unwrap();
        Self { process, folder, port }
    }

    fn address(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    fn disk(&self) -> String {
        format!("{}/small", self.folder.path().display())
    }

    /// How the server itself writes a file beside its own.
    fn write(&self, lines: u32) -> String {
        format!(
            "COPY (SELECT repeat('x', 8000) FROM generate_series(1, {lines})) TO '{}/filler'",
            self.disk()
        )
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let input = self.process.stdin.take();
        drop(input.map(|mut input| input.write_all(b"\n")));
        drop(self.process.wait());
    }
}

#[test]
fn a_full_disk_is_an_error_and_loses_nothing() {
    let mut server = Small::start();
    run(async {
        let mut tries = 0;
        while tokio_postgres::connect(&server.address("postgres"), NoTls).await.is_err() {
            assert!(server.process.try_wait().unwrap().is_none(), "a disk of memory cannot be mounted here");
            tries += 1;
            assert!(tries < 1_200, "the server does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let client = raw(&server.address("postgres")).await;
        let space = format!("CREATE TABLESPACE small LOCATION '{}/space'", server.disk());
        client.batch_execute(&space).await.unwrap();
        client.batch_execute("CREATE DATABASE small TABLESPACE small").await.unwrap();
        let store = PostgresStore::connect(&server.address("small")).await.unwrap();
        let keys = keys_of(store);
        let project = checkout(&keys);
        let first = generate(&project, "Mobile app").await;
        let full = client.batch_execute(&server.write(1_000_000)).await.unwrap_err();
        assert_eq!(full.code().unwrap().code(), "53100", "{full:?}");
        let mut made = vec![first.key.id];
        let error = loop {
            match try_generate(&project, "Mobile app").await {
                Ok(issued) => made.push(issued.key.id),
                Err(error) => break error,
            }
            assert!(made.len() < 10_000, "the disk is not full");
        };
        assert!(causes(&error).contains("No space left"), "{}", causes(&error));
        // What only reads goes on, also by a node that knows nothing yet.
        let node = keys_of(keys.store().clone());
        let verified = node.verify(first.token.expose(), &production()).await;
        assert!(verified.is_ok(), "{} keys, {}: {verified:?}", made.len(), causes(&error));
        assert!(keys.store().changes(None).await.is_ok());
        let mut listed = Vec::new();
        let mut query = KeyQuery::default().limit(1_000);
        loop {
            let page = project.list(query.clone()).await.unwrap();
            listed.extend(page.items.iter().map(|key| key.id));
            match page.next {
                Some(next) => query = query.after(next),
                None => break,
            }
        }
        listed.sort_unstable();
        made.sort_unstable();
        assert_eq!(listed, made, "what is there is not what was acknowledged");
        // Room again.
        client.batch_execute(&server.write(1)).await.unwrap();
        let again = generate(&project, "Web app").await;
        assert!(keys.verify(again.token.expose(), &production()).await.is_ok());
        println!("{} keys were made until the disk was full", made.len());
    });
}
