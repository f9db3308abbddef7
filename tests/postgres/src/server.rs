//! A throwaway server of PostgreSQL, which goes with the process that started it, however that ends.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A cluster of its own in a folder of its own, on a port of 127.0.0.1.
#[derive(Debug)]
pub struct Server {
    folder: TempDir,
    port: u16,
    running: Option<Child>,
}

/// Stops the server when its input ends, which it does when whoever started it is gone.
const KEEPER: &str = r#""$1/postgres" -D "$2" >>"$2/log" 2>&1 & server=$!
trap 'kill -QUIT $server' TERM
read -r _; kill -QUIT $server 2>/dev/null; wait $server"#;

impl Server {
    /// Makes a cluster and starts it, with these settings besides.
    ///
    /// # Panics
    /// If there is no PostgreSQL on this machine, or it does not start.
    #[must_use]
    pub fn start(settings: &str) -> Self {
        Self::start_with(settings, &[])
    }

    /// The same, with these files in the folder of the cluster.
    #[must_use]
    pub fn start_with(settings: &str, files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::Builder::new().prefix("access-keys-postgres-").tempdir().unwrap();
        give_away(folder.path());
        let data = folder.path().join("data");
        let mut initdb = as_nobody(&mut Command::new(binary("initdb")));
        initdb.arg("-D").arg(&data).args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "-N"]);
        let made = initdb.stdout(Stdio::null()).status().unwrap();
        assert!(made.success(), "initdb failed");
        for (name, content) in files {
            let file = data.join(name);
            fs::write(&file, content).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            give_away(&file);
        }
        let server = Self::adopt(folder, settings);
        server.wait_until_it_answers();
        server
    }

    fn adopt(folder: TempDir, settings: &str) -> Self {
        let port = free_port();
        let mut server = Self { folder, port, running: None };
        let more = format!(
            "\nport = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\n{settings}\n"
        );
        let file = fs::OpenOptions::new().append(true).open(server.data().join("postgresql.conf"));
        file.unwrap().write_all(more.as_bytes()).unwrap();
        server.go();
        server
    }

    /// A standby of this server.
    #[must_use]
    pub fn standby(&self) -> Self {
        self.copy(&["-R"])
    }

    /// A server that was restored from a backup of this one, made now.
    #[must_use]
    pub fn backup(&self) -> Self {
        self.copy(&[])
    }

    fn copy(&self, how: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("access-keys-postgres-").tempdir().unwrap();
        give_away(folder.path());
        let mut copy = as_nobody(&mut Command::new(binary("pg_basebackup")));
        copy.args(["-h", "127.0.0.1", "-U", "postgres", "-c", "fast", "-p", &self.port.to_string(), "-D"]);
        assert!(copy.arg(folder.path().join("data")).args(how).status().unwrap().success());
        let server = Self::adopt(folder, "");
        server.wait_until_it_answers();
        server
    }

    /// Makes a standby a primary.
    pub fn promote(&self) {
        let mut promote = as_nobody(&mut Command::new(binary("pg_ctl")));
        promote.args(["promote", "-w", "-s", "-D"]).arg(self.data());
        assert!(promote.status().unwrap().success());
    }

    /// The folder of the cluster.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The address of its first database, for its owner.
    #[must_use]
    pub fn address(&self) -> String {
        self.address_of("postgres", "postgres")
    }

    /// The address of a database for a role.
    #[must_use]
    pub fn address_of(&self, role: &str, database: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{database}", self.port)
    }

    /// Starts it, if it does not run, and waits until it answers.
    pub fn restart(&mut self) {
        self.go();
        self.wait_until_it_answers();
    }

    /// Starts it and waits for nothing.
    pub fn go(&mut self) {
        let bin = binary("postgres").parent().unwrap().to_owned();
        drop(fs::remove_file(self.data().join("postmaster.pid")));
        let mut keeper = as_nobody(&mut Command::new("sh"));
        keeper.args(["-c", KEEPER, "keeper"]).arg(bin).arg(self.data());
        self.running = Some(keeper.stdin(Stdio::piped()).process_group(0).spawn().unwrap());
    }

    /// Kills the postmaster, as the system does when memory runs out. Its processes notice and end.
    pub fn kill(&mut self) {
        self.signal("KILL");
        self.reap();
    }

    /// Stops it at once, as a crash that is tidy.
    pub fn stop(&mut self) {
        self.signal("QUIT");
        self.reap();
    }

    /// Stops the processes of the server where they are, all of them.
    pub fn stall(&self) {
        self.signal_all("STOP");
    }

    /// Lets them go on.
    pub fn go_on(&self) {
        self.signal_all("CONT");
    }

    fn reap(&mut self) {
        if let Some(mut running) = self.running.take() {
            drop(running.stdin.take());
            drop(running.wait());
        }
        // Whoever shares the memory of the one that was killed ends soon, and a new one waits for that.
        while self.others().next().is_some() {
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The process that starts all others of it.
    #[must_use]
    pub fn postmaster(&self) -> Option<u32> {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        file.lines().next()?.trim().parse().ok()
    }

    fn signal(&self, signal: &str) {
        if let Some(postmaster) = self.postmaster() {
            kill(signal, postmaster);
        }
    }

    fn signal_all(&self, signal: &str) {
        let others: Vec<u32> = self.others().collect();
        self.signal(signal);
        others.into_iter().for_each(|process| kill(signal, process));
    }

    /// The processes that work in the folder of the cluster.
    fn others(&self) -> impl Iterator<Item = u32> {
        let data = self.data();
        let processes = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        processes.filter_map(move |process| {
            let number = process.file_name().to_str()?.parse().ok()?;
            let folder = fs::read_link(process.path().join("cwd")).ok()?;
            (folder == data).then_some(number)
        })
    }

    fn wait_until_it_answers(&self) {
        let begin = Instant::now();
        loop {
            let mut ready = Command::new(binary("pg_isready"));
            ready.args(["-q", "-U", "postgres", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
            if ready.status().unwrap().success() {
                return;
            }
            let log = || fs::read_to_string(self.data().join("log")).unwrap_or_default();
            assert!(begin.elapsed() < Duration::from_secs(60), "the server does not answer:\n{}", log());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.go_on();
        self.stop();
    }
}

fn kill(signal: &str, process: u32) {
    drop(
        Command::new("kill")
            .args([&format!("-{signal}"), &process.to_string()])
            .stderr(Stdio::null())
            .status(),
    );
}

/// A port that nobody has, and that the system gives to nobody who asks for any: it must be free again after a restart.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + (std::process::id().wrapping_mul(61).wrapping_add(next) % 20_000);
        let port = u16::try_from(port).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Where Debian has a program of the server, and where others do.
///
/// # Panics
/// If it is not there.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|versions| {
            versions.filter_map(Result::ok).map(|version| version.path().join("bin").join(name)).collect()
        })
        .unwrap_or_default();
    found.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.splice(0..0, std::env::split_paths(&path).map(|folder| folder.join(name)));
    found.retain(|path| path.with_file_name("initdb").is_file() && path.is_file());
    found.pop().expect("PostgreSQL is installed: on Debian and Ubuntu the package postgresql")
}

/// PostgreSQL does not run as root: a user and a group that it may run as, for root.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn unprivileged() -> Option<(u32, u32)> {
    let own = fs::metadata("/proc/self").unwrap();
    let own: u32 = std::os::unix::fs::MetadataExt::uid(&own);
    if own != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let id_of = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(&format!("{name}:")))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    Some(id_of("postgres").or_else(|| id_of("nobody")).expect("a user postgres or nobody"))
}

/// A command that runs as whoever may start a server.
#[must_use]
pub fn as_nobody(command: &mut Command) -> Command {
    let mut own = Command::new(command.get_program());
    own.current_dir("/").env("LC_ALL", "C");
    if let Some((user, group)) = unprivileged() {
        own.uid(user).gid(group);
    }
    own
}

/// Gives a file to whoever may start a server.
///
/// # Panics
/// If it cannot be given.
pub fn give_away(folder: &Path) {
    if let Some((user, group)) = unprivileged() {
        chown(folder, Some(user), Some(group)).unwrap();
    }
}
