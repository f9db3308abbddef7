//! A way to the server that can be cut without either end being told.

use std::io::{Read, Result, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

pub(crate) struct Relay {
    port: u16,
    cut: Arc<Cut>,
}

#[derive(Default)]
struct Cut {
    is_made: AtomicBool,
    ways: AtomicUsize,
}

impl Relay {
    /// Begins to pass on to a port of 127.0.0.1 what it is sent.
    pub(crate) fn start(to: u16) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (port, cut) = (listener.local_addr()?.port(), Arc::<Cut>::default());
        let of_all = Arc::clone(&cut);
        thread::spawn(move || {
            for node in listener.incoming().filter_map(Result::ok) {
                // A node whose connection ends at once tries again.
                drop(join(&node, to, &of_all));
            }
        });
        Ok(Self { port, cut })
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// From now on nothing that is sent arrives.
    pub(crate) fn cut(&self) {
        self.cut.is_made.store(true, Ordering::SeqCst);
    }

    /// How many ways there are, of each connection two, on which something was sent that did not arrive.
    pub(crate) fn cut_ways(&self) -> usize {
        self.cut.ways.load(Ordering::SeqCst)
    }
}

fn join(node: &TcpStream, to: u16, cut: &Arc<Cut>) -> Result<()> {
    let server = TcpStream::connect(("127.0.0.1", to))?;
    for (from, to) in [(node, &server), (&server, node)] {
        from.set_nodelay(true)?;
        let (from, to, cut) = (from.try_clone()?, to.try_clone()?, Arc::clone(cut));
        thread::spawn(move || {
            drop(pass(&from, &to, &cut));
            drop(from.shutdown(Shutdown::Both));
            drop(to.shutdown(Shutdown::Both));
        });
    }
    Ok(())
}

fn pass(mut from: &TcpStream, mut to: &TcpStream, cut: &Cut) -> Result<()> {
    let (mut bytes, mut is_cut) = (vec![0; 1 << 16], false);
    loop {
        let length = from.read(&mut bytes)?;
        if length == 0 {
            return Ok(());
        }
        if cut.is_made.load(Ordering::SeqCst) {
            cut.ways.fetch_add(usize::from(!is_cut), Ordering::SeqCst);
            is_cut = true;
        } else {
            to.write_all(&bytes[..length])?;
        }
    }
}
