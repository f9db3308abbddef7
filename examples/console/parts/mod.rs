//! Pieces that pages share. None of them reads a store or decides anything.

pub(crate) mod assets;
pub(crate) mod badge;
pub(crate) mod cutoff;
pub(crate) mod expiry;
pub(crate) mod form;
pub(crate) mod history;
pub(crate) mod icon;
pub(crate) mod layout;
pub(crate) mod mistakes;
pub(crate) mod picker;
pub(crate) mod scope;
pub(crate) mod stepper;
pub(crate) mod time;
