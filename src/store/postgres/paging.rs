//! A page of what a statement found, position by position.

use tokio_postgres::Row;

use crate::domain::{Cursor, Page};
use crate::store::sql::Unreadable;

/// Where a row is, by what it is read, and whether looking stopped there.
pub(super) type Position<I> = (I, Cursor, bool);

/// The page of these rows, which are up to one more than its limit and perhaps one at which looking stopped.
///
/// `position` gives `None` for a row that only bears the seal, `read` for one that is not to be shown.
pub(super) fn page<I, T>(
    rows: &[Row],
    limit: usize,
    position: impl Fn(&Row) -> Result<Option<Position<I>>, Unreadable>,
    read: impl Fn(&Row, I) -> Result<Option<T>, Unreadable>,
) -> Result<Page<T>, Unreadable> {
    let (mut items, mut end_of_page, mut last) = (Vec::new(), None, None);
    for (place, row) in rows.iter().enumerate() {
        let Some((id, at, stopped)) = position(row)? else { continue };
        // More may follow the one that was to show whether more do.
        last = Some(at).filter(|_| place == limit);
        if stopped {
            // The next page goes on where this one stopped looking.
            return Ok(Page::new(items, Some(at)));
        }
        let Some(item) = read(row, id)? else { continue };
        if items.len() == limit {
            // One more follows.
            return Ok(Page::new(items, end_of_page));
        }
        items.push(item);
        end_of_page = Some(at);
    }
    Ok(Page::new(items, last))
}
