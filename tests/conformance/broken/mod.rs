//! Every store that is wrong on purpose.

mod feeds;
mod histories;
mod keeps;
mod lists;
mod reads;
mod scopes;
mod uses;
mod writes;

use crate::case::Case;

pub(crate) fn all() -> Vec<Case> {
    [
        writes::all(),
        keeps::all(),
        reads::all(),
        lists::all(),
        histories::all(),
        uses::all(),
        scopes::all(),
        feeds::all(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
