//! Whose token was found: for someone who does not want to be let in, but to have its key revoked.

use zeroize::Zeroizing;

use super::verifier::{Inner, Verifier};
use crate::domain::KeyId;
use crate::store::{KeyStore, StoreError, StoredKey};
use crate::token::{Presented, Signed};

impl Verifier {
    /// The key of a token, whatever its environment, status and expiry, as the store has it now. Nothing for every text
    /// that opens no key: no token, no such key, another secret, one that was retired.
    ///
    /// The secret is compared as for a verification: the same work for a key that does not exist. Nothing is cached,
    /// counted or noted as a use, and the read is one of those that are bounded.
    pub(crate) async fn identify(&self, token: &str) -> Result<Identified, StoreError> {
        let Some((id, signed)) = self.read_any(token.as_bytes()) else { return Ok(Identified::Nothing) };
        // Before the read: where a clock must be asked for, it is whatever the key.
        let now = self.stamp().await?.timestamp_micros();
        let stored = self.inner.read_alone(id).await?;
        let row = self.inner.row_of(id, stored.as_ref());
        let row = row.ok_or_else(|| StoreError::backend("the store answered with another key"))?;
        let secret = row.matches(&signed, &self.setup().peppers);
        Ok(match secret.filter(|secret| now < row.ends_at(*secret)) {
            Some(_) => stored.map_or(Identified::Nothing, Identified::Key),
            None if row.lacks_way(now) => Identified::Lacking(id),
            None => Identified::Nothing,
        })
    }

    /// What is digested of a token of any environment, or of another system whose keys were imported.
    fn read_any(&self, token: &[u8]) -> Option<(KeyId, Zeroizing<Signed>)> {
        let own = Presented::read_any(token).map(|presented| (presented.id, *presented.signed));
        let read = own.or_else(|| self.setup().foreign.iter().find_map(|tokens| tokens.read(token)));
        read.map(|(id, signed)| (id, Zeroizing::new(signed)))
    }
}

/// Whose token it is.
pub(crate) enum Identified {
    /// It opens this key.
    Key(StoredKey),
    /// It opens none.
    Nothing,
    /// It may open this one: its pepper or its digest scheme is lacking.
    Lacking(KeyId),
}

impl Inner {
    /// Reads a key from the store for one caller alone.
    async fn read_alone(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        let now = self.now();
        let place = self.lock().core.read_alone(id, now);
        let place = place.ok_or_else(|| StoreError::backend("too many keys are being read"))?;
        let _place = Place { inner: self, place };
        self.setup.store.get(id).await
    }
}

/// A place for a read, given back when the read ends or is dropped.
struct Place<'v> {
    inner: &'v Inner,
    place: usize,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.inner.lock().core.abandon(self.place);
    }
}
