//! How late each process began the last verification that accepted a key, after its revocation was acknowledged.

use std::error::Error;
use std::time::Duration;

use crate::host::Host;
use crate::late::Late;
use crate::nodes::Nodes;
use crate::relay::Relay;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// So many before the cut, so that every process has begun to listen by then.
const WHOLE: usize = 30;

pub(crate) fn measure(host: &Host, mut nodes: Nodes, count: usize) -> Result<Late> {
    revoke(host, &mut nodes, count)
}

/// Through a relay that passes notices on, and through the same one once it is cut.
pub(crate) fn measure_cut(host: &Host, count: usize) -> Result<(Late, Late)> {
    let relay = Relay::start(host.port())?;
    let mut nodes = Nodes::start(&host.address(), Some(&Host::address_by(relay.port())))?;
    let whole = revoke(host, &mut nodes, WHOLE)?;
    relay.cut();
    let cut = revoke(host, &mut nodes, count)?;
    // Who does not listen misses nothing, and shows nothing.
    let (lost, processes) = (relay.cut_ways(), nodes.count());
    if lost < processes {
        return Err(format!("of {processes} processes {lost} lost what they would have heard").into());
    }
    Ok((whole, cut))
}

/// One key after the other.
fn revoke(host: &Host, nodes: &mut Nodes, count: usize) -> Result<Late> {
    let (mut took, mut least) = (Vec::new(), Duration::MAX);
    for _ in 0..count {
        let issued = host.generate()?;
        nodes.accept(issued.token.expose())?;
        let (acknowledged, announced) = host.revoke(issued.key.id)?;
        least = least.min(announced);
        took.extend(nodes.last_accepts()?.into_iter().map(|last| last.saturating_sub(acknowledged)));
    }
    Ok(Late::new(count, &took, least))
}
