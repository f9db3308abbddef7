//! What stands between a node and its server, and does harm.

use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::RUNTIME;

/// Where a connection is cut in the exchange that has the mark in its question.
#[derive(Clone, Copy, Debug)]
pub enum Cut {
    /// After so many bytes of the question.
    Question(usize),
    /// After so many bytes of the answer.
    Answer(usize),
}

/// A proxy to a port of 127.0.0.1.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    mark: Mutex<Vec<u8>>,
    cut: Mutex<Option<Cut>>,
    /// The lengths of the question and the answer of the last exchange with the mark.
    seen: Mutex<(usize, usize)>,
    /// Whether nothing that is sent arrives, and nobody is told.
    hole: AtomicBool,
    /// Whether the last answer is repeated on a connection on which the mark was seen.
    repeat: AtomicBool,
    to: AtomicU16,
}

impl Proxy {
    /// Begins to pass on what it is sent.
    ///
    /// # Panics
    /// If there is no port for it.
    #[must_use]
    pub fn start(to: u16) -> Self {
        let shared = Arc::new(Shared { to: to.into(), ..Shared::default() });
        let listener = RUNTIME.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let passing = Arc::clone(&shared);
        RUNTIME.spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                let shared = Arc::clone(&passing);
                RUNTIME.spawn(async move {
                    while shared.hole.load(Ordering::SeqCst) {
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                    let to = shared.to.load(Ordering::SeqCst);
                    if let Ok(server) = TcpStream::connect(("127.0.0.1", to)).await {
                        pass(node, server, &shared).await;
                    }
                });
            }
        });
        Self { port, shared }
    }

    /// Its own address, for the owner of the first database.
    #[must_use]
    pub fn address(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Cuts the next exchange whose question holds the mark, once; or only looks at it.
    ///
    /// # Panics
    /// Never.
    pub fn cut(&self, mark: &str, cut: Option<Cut>) {
        *self.shared.mark.lock().unwrap() = mark.as_bytes().to_owned();
        *self.shared.cut.lock().unwrap() = cut;
    }

    /// The lengths of the question and the answer of the last exchange with the mark.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn seen(&self) -> (usize, usize) {
        *self.shared.seen.lock().unwrap()
    }

    /// Whether the cut that was asked for was made.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn has_cut(&self) -> bool {
        self.shared.cut.lock().unwrap().is_none()
    }

    /// Leads new connections to another port.
    pub fn lead_to(&self, port: u16) {
        self.shared.to.store(port, Ordering::SeqCst);
    }

    /// Answers what is asked on a connection on which the mark was seen as it was answered last, or asks the server
    /// again.
    pub fn repeat(&self, repeat: bool) {
        self.shared.repeat.store(repeat, Ordering::SeqCst);
    }

    /// Swallows what is sent from now on, or passes it on again. What was swallowed is gone with its connection.
    pub fn swallow(&self, swallow: bool) {
        self.shared.hole.store(swallow, Ordering::SeqCst);
    }
}

async fn pass(mut node: TcpStream, mut server: TcpStream, shared: &Shared) {
    let (mut question, mut answer) = (vec![0; 1 << 17], vec![0; 1 << 17]);
    let (mut marked, mut left, mut swallowed) = (false, None, false);
    let mut answered = Vec::new();
    loop {
        let (length, is_question) = tokio::select! {
            read = node.read(&mut question) => (read.unwrap_or(0), true),
            read = server.read(&mut answer) => (read.unwrap_or(0), false),
        };
        swallowed = swallowed || shared.hole.load(Ordering::SeqCst);
        if length == 0 {
            return;
        }
        if swallowed {
            continue;
        }
        if is_question {
            let sent = &question[..length];
            if holds(sent, &shared.mark.lock().unwrap()) {
                marked = true;
                *shared.seen.lock().unwrap() = (length, 0);
                match shared.cut.lock().unwrap().take() {
                    Some(Cut::Question(bytes)) => {
                        drop(server.try_write(&sent[..bytes.min(length)]));
                        return;
                    }
                    Some(Cut::Answer(bytes)) => left = Some(bytes),
                    None => {}
                }
            }
            if marked && shared.repeat.load(Ordering::SeqCst) {
                if node.write_all(&answered).await.is_err() {
                    return;
                }
                continue;
            }
            answered.clear();
            if server.write_all(sent).await.is_err() {
                return;
            }
        } else {
            let sent = &answer[..length];
            answered.extend_from_slice(sent);
            if marked {
                shared.seen.lock().unwrap().1 += length;
            }
            let (sent, over) = match &mut left {
                Some(left) if *left <= length => (&sent[..*left], true),
                Some(left) => {
                    *left -= length;
                    (sent, false)
                }
                None => (sent, false),
            };
            if node.write_all(sent).await.is_err() || over {
                return;
            }
        }
    }
}

fn holds(sent: &[u8], mark: &[u8]) -> bool {
    !mark.is_empty() && sent.windows(mark.len()).any(|some| some == mark)
}
