//! Every statement that is sent once a store is open.

use tokio_postgres::types::Type;

use super::{event_list, feed, key_list, reading, scope_uses, writing};

/// A statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Get,
    GetMany,
    LastUses,
    ScopeUses,
    Head,
    Since,
    Keys,
    KeysByScope,
    Events,
    EventsOfKey,
    Insert,
    Update,
    Use,
    ScopeUse,
    SetLimit,
    SetIncarnation,
    Adopt,
    Notify,
}

/// On which of the store's own connections a statement is sent, so that none waits behind what may take long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Reads,
    Feed,
    Writes,
    Bulk,
}

impl Ask {
    pub(super) const ALL: [Self; 18] = [
        Self::Get,
        Self::GetMany,
        Self::LastUses,
        Self::ScopeUses,
        Self::Head,
        Self::Since,
        Self::Keys,
        Self::KeysByScope,
        Self::Events,
        Self::EventsOfKey,
        Self::Insert,
        Self::Update,
        Self::Use,
        Self::ScopeUse,
        Self::SetLimit,
        Self::SetIncarnation,
        Self::Adopt,
        Self::Notify,
    ];

    pub(super) const fn place(self) -> usize {
        self as usize
    }

    pub(super) const fn lane(self) -> Lane {
        match self {
            Self::Get => Lane::Reads,
            Self::Head | Self::Since | Self::Notify => Lane::Feed,
            Self::Insert | Self::Update | Self::SetLimit | Self::SetIncarnation => Lane::Writes,
            Self::GetMany
            | Self::LastUses
            | Self::ScopeUses
            | Self::Keys
            | Self::KeysByScope
            | Self::Events
            | Self::EventsOfKey
            | Self::Use
            | Self::ScopeUse
            | Self::Adopt => Lane::Bulk,
        }
    }

    /// The statement, with the tables of that schema.
    pub(super) fn text(self, schema: &str) -> String {
        self.draft().replace('@', &format!("\"{schema}\"."))
    }

    /// `@` stands where the schema comes.
    const fn draft(self) -> &'static str {
        match self {
            Self::Get => reading::GET,
            Self::GetMany => reading::GET_MANY,
            Self::LastUses => reading::LAST_USES,
            Self::ScopeUses => scope_uses::SCOPE_USES,
            Self::Head => feed::HEAD,
            Self::Since => feed::SINCE,
            Self::Keys => key_list::KEYS,
            Self::KeysByScope => key_list::KEYS_BY_SCOPE,
            Self::Events => event_list::EVENTS,
            Self::EventsOfKey => event_list::EVENTS_OF_KEY,
            Self::Insert => writing::INSERT,
            Self::Update => writing::UPDATE,
            Self::Use => writing::USE,
            Self::ScopeUse => scope_uses::SCOPE_USE,
            Self::SetLimit => writing::SET_LIMIT,
            Self::SetIncarnation => writing::SET_INCARNATION,
            Self::Adopt => writing::ADOPT,
            Self::Notify => writing::NOTIFY,
        }
    }

    /// The types of its parameters.
    pub(super) const fn types(self) -> &'static [Type] {
        match self {
            Self::Get => reading::GET_TYPES,
            Self::GetMany => reading::GET_MANY_TYPES,
            Self::LastUses => reading::LAST_USES_TYPES,
            Self::ScopeUses => scope_uses::SCOPE_USES_TYPES,
            Self::Head => feed::HEAD_TYPES,
            Self::Since => feed::SINCE_TYPES,
            Self::Keys | Self::KeysByScope => key_list::TYPES,
            Self::Events | Self::EventsOfKey => event_list::TYPES,
            Self::Insert => writing::INSERT_TYPES,
            Self::Update => writing::UPDATE_TYPES,
            Self::Use => writing::USE_TYPES,
            Self::ScopeUse => scope_uses::SCOPE_USE_TYPES,
            Self::SetLimit => writing::SET_LIMIT_TYPES,
            Self::SetIncarnation => writing::SET_INCARNATION_TYPES,
            Self::Adopt => writing::ADOPT_TYPES,
            Self::Notify => writing::NOTIFY_TYPES,
        }
    }
}
