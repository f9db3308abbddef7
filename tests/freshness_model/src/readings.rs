//! The wrong readings of the rules, and where each is caught.

use crate::{Configuration, Wrong, configurations};

/// A wrong reading.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reading {
    /// What it is called.
    pub name: &'static str,
    /// The core that reads so.
    pub variant: &'static str,
    /// Where it is caught; for one that is harmless, where it is not.
    pub configuration: Configuration,
    /// Whether it breaks no promise there, since another rule keeps it.
    pub is_harmless: bool,
}

/// Every wrong reading.
#[must_use]
pub fn readings() -> Vec<Reading> {
    let mut all = core();
    all.extend(around());
    all.extend(harmless());
    all
}

/// Those of the core.
fn core() -> Vec<Reading> {
    let places = [
        ("fenced_row_is_used", "no_feed_same_node"),
        ("fenced_row_is_used", "told"),
        ("deadline_before_rows", "hot_readers"),
        ("fence_on_the_entry", "elsewhere"),
        ("first_answer_flushes_nothing", "overlapping_refreshes"),
        ("no_fence", "elsewhere"),
        ("lease_is_the_limit", "slow_clock"),
        ("own_limit_alone", "own_limit"),
        ("two_reads_and_no_revision_rule", "forward"),
        ("no_tombstone", "reads_go_back"),
        ("fenced_read_is_joined_and_used", "same_node"),
        ("everything_fences_nothing", "overlapping_refreshes"),
        ("late_answer_gives_a_lease", "elsewhere"),
        ("jumps_are_not_looked_for", "jumps"),
        ("jump_spares_what_was_sent", "jumps"),
    ];
    let reading = |(name, place)| {
        let configuration = within(place);
        Reading { name, variant: name, configuration, is_harmless: false }
    };
    places.map(reading).to_vec()
}

/// Those of what surrounds the core, and of the store.
fn around() -> Vec<Reading> {
    let places = [
        ("latest_deadline", Wrong::LatestDeadline, "elsewhere"),
        ("late_insertion", Wrong::LateInsertion, "elsewhere"),
        ("numbered_cursor", Wrong::NumberedCursor, "restored"),
        ("two_snapshots", Wrong::TwoSnapshots, "limit_raised"),
        ("announces_own_limit", Wrong::AnnouncesOwnLimit, "own_limit"),
        ("announces_earlier_answer", Wrong::AnnouncesEarlierAnswer, "limit_raised"),
        ("silent_no_op", Wrong::SilentNoOp, "nothing_to_write"),
        ("lagging_reads", Wrong::LaggingReads, "elsewhere"),
        ("time_of_arrival", Wrong::TimeOfArrival, "elsewhere"),
        ("hits_renew", Wrong::HitsRenew, "hot_readers"),
        ("before_commit", Wrong::BeforeCommit, "same_node"),
        ("time_of_look_up", Wrong::TimeOfLookUp, "elsewhere"),
        ("no_drain", Wrong::NoDrain, "limit_lowered"),
    ];
    let reading = |(name, wrong, place)| {
        let configuration = Configuration { wrong: Some(wrong), ..within(place) };
        Reading { name, variant: "right", configuration, is_harmless: false }
    };
    places.map(reading).to_vec()
}

/// Those that break nothing on their own, which tells which rule is it that keeps the promise.
fn harmless() -> Vec<Reading> {
    let places = [
        // Whoever waits for a fenced read gets nothing from it.
        ("fenced_read_is_joined_in_vain", "fenced_read_is_joined", "same_node"),
        // It decides by the deadline that it read before.
        ("fenced_row_is_used_in_time", "fenced_row_is_used", "elsewhere"),
        // The revision rule lets neither go behind the other.
        ("two_reads_in_order", "two_reads_of_a_key", "forward"),
        // What goes back stays within the lease, and is named with the rest.
        ("two_reads_in_time", "two_reads_and_no_revision_rule", "elsewhere"),
    ];
    let reading = |(name, variant, place)| {
        let configuration = within(place);
        Reading { name, variant, configuration, is_harmless: true }
    };
    places.map(reading).to_vec()
}

fn within(name: &str) -> Configuration {
    let found = configurations(false).into_iter().find(|it| it.name == name);
    found.unwrap_or_else(|| panic!("there is no configuration {name}"))
}
