//! The list of the rules.

use std::fmt;

use super::Fixture;
use super::ruling::{Ruling, Stop};

/// One rule of the contract of [`KeyStore`](crate::store::KeyStore), by its number and name there.
///
/// ```
/// use access_keys::store::conformance::Rule;
///
/// for rule in Rule::all() {
///     println!("{rule}"); // 1 insert_stores_the_key
/// }
/// assert_eq!(Rule::named("insert_stores_the_key").map(Rule::number), Some(1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rule {
    number: u8,
    name: &'static str,
}

impl Rule {
    /// Every rule, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        RULES.iter().copied()
    }

    /// The rule with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|rule| rule.name == name)
    }

    /// Its number on the page of [`KeyStore`](crate::store::KeyStore).
    #[must_use]
    pub const fn number(self) -> u8 {
        self.number
    }

    /// Its name there, which is that of its test.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.name)
    }
}

macro_rules! table {
    ([] $($number:literal $module:ident $name:ident)*) => {
        const RULES: &[Rule] = &[$(Rule { number: $number, name: stringify!($name) }),*];

        pub(super) async fn ask<F: Fixture>(rule: Rule, fixture: &F) -> Ruling {
            match rule.number {
                $($number => Box::pin(super::$module::$name(fixture)).await,)*
                _ => Err(Stop::not_asked("there is no such rule")),
            }
        }
    };
}

crate::__conformance_rules! { [table] [] }

/// Hands the rules to another macro: number, file and name of each.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_rules {
    ([$($to:tt)*] $arguments:tt) => {
        $($to)*! {
            $arguments
            1 inserting insert_stores_the_key
            2 inserting insert_stores_the_event
            3 inserting insert_is_never_an_update
            4 inserting an_id_is_taken_in_every_project
            5 inserting a_refused_insert_stores_no_event
            6 racing one_insert_of_many_at_once_wins
            7 updating update_replaces_the_key
            8 updating update_stores_the_event
            9 updating update_of_an_absent_key_conflicts
            10 updating update_at_another_revision_conflicts
            11 updating a_refused_update_stores_nothing
            12 updating the_loser_of_a_conflict_can_try_again
            13 updating a_change_touches_no_other_key
            14 racing one_update_of_many_at_once_wins
            15 racing updates_at_once_lose_none
            16 revoking revoked_is_final
            17 revoking revoked_is_final_among_others
            18 revoking revoked_is_final_for_raw_writes
            19 lasting the_past_is_never_changed
            20 lasting what_was_acknowledged_is_there_after_reopening
            21 dropping a_dropped_insert_is_done_or_not_done
            22 dropping a_dropped_update_is_done_or_not_done
            23 dropping a_dropped_call_blocks_nothing
            24 calling a_store_that_fails_tells_the_truth
            25 keeping_texts names_are_kept
            26 keeping_texts descriptions_are_kept
            27 keeping_texts ids_of_the_host_are_kept
            28 keeping_texts ids_tell_upper_from_lower_case
            29 keeping_values scopes_of_10_000_ids_are_kept
            30 keeping_values an_empty_scope_is_not_all
            31 keeping_values every_status_is_kept
            32 keeping_values never_is_no_time
            33 keeping_values times_are_kept_to_the_microsecond
            34 keeping_values times_from_year_0_to_9999_are_kept
            35 keeping_values two_digests_are_kept
            36 keeping_values generations_are_kept_to_the_largest
            37 keeping_values the_scheme_of_a_digest_is_kept
            38 keeping_values the_operation_of_a_digest_is_kept
            39 keeping_events the_changes_of_an_event_are_kept
            40 keeping_events an_empty_reason_is_not_an_absent_one
            41 keeping_events the_operation_of_an_event_is_kept
            42 keeping_events the_actor_of_an_event_is_kept
            43 keeping_events every_action_is_kept
            44 reading get_finds_a_key_of_any_project
            45 reading reads_see_what_was_acknowledged
            46 reading every_handle_sees_what_was_acknowledged
            47 reading reads_never_go_back
            48 reading reads_by_two_handles_never_go_back
            49 calling a_failed_read_is_no_answer
            50 listing list_is_of_one_project
            51 listing a_cursor_leads_to_no_other_project
            52 listing list_is_newest_first
            53 listing keys_of_one_time_are_ordered_by_id
            54 listing pages_have_each_key_once
            55 listing a_page_of_keys_has_no_more_than_the_limit
            56 listing the_last_page_of_keys_has_no_next
            57 listing pages_stay_while_keys_come
            58 listing pages_stay_while_keys_change
            59 listing a_cursor_is_a_position
            60 listing list_shows_keys_as_they_are_now
            61 filtering list_by_status
            62 filtering list_by_state_at_the_time_of_the_query
            63 filtering list_by_environment
            64 filtering list_by_name
            65 filtering list_by_name_beyond_ascii
            66 filtering list_by_name_knows_no_patterns
            67 filtering list_by_agent
            68 filtering list_by_prompt
            69 filtering list_by_expiry
            70 filtering all_filters_of_a_list_must_be_met
            71 histories history_is_of_one_project
            72 histories history_is_newest_first
            73 histories events_of_one_time_are_ordered_by_id
            74 histories pages_have_each_event_once
            75 histories a_page_of_events_has_no_more_than_the_limit
            76 histories the_last_page_of_events_has_no_next
            77 histories pages_stay_while_events_come
            78 histories a_cursor_of_a_history_is_a_position
            79 histories history_by_key
            80 histories history_by_actor
            81 histories history_by_action
            82 histories history_by_operation
            83 histories all_filters_of_a_history_must_be_met
            84 using the_latest_use_is_kept
            85 using a_use_never_moves_back
            86 using repeating_a_use_changes_nothing
            87 using each_generation_has_its_own_use
            88 using uses_are_kept_to_the_microsecond
            89 using one_batch_may_name_a_secret_twice
            90 using ten_thousand_uses_are_recorded_at_once
            91 using uses_at_once_lose_none
            92 using a_use_touches_no_key
            93 using a_use_conflicts_with_no_change
            94 using uses_of_unknown_keys_are_harmless
            95 using last_uses_are_of_the_given_keys
            96 dropping a_dropped_record_use_is_harmless
            97 feeding a_store_has_a_feed_or_never_has_one
            98 feeding the_first_answer_is_everything
            99 feeding the_feed_names_an_insert
            100 feeding the_feed_names_every_kind_of_change
            101 feeding a_cursor_can_be_used_again
            102 feeding a_cursor_goes_on_without_changes
            103 feeding a_fresh_cursor_is_recognised
            104 feeding an_unknown_cursor_is_everything
            105 feeding a_cursor_of_another_store_is_everything
            106 feeding a_cursor_lives_through_a_reopening
            107 feeding every_handle_feeds_every_change
            108 feed_races nothing_is_missed_at_64_writers
            109 feed_races nothing_is_missed_by_another_handle
            110 feed_races an_overtaken_commit_is_named
            111 feeding a_copy_follows_the_feed
            112 feeding the_limit_is_within_its_bounds
            113 feeding every_handle_has_the_same_limit
            114 feeding the_clock_of_a_store_goes_forward
            115 waiting changed_wakes_who_waits
            116 waiting waiting_for_a_change_blocks_nothing
            117 calling calls_about_nothing_end
            118 calling many_calls_at_once_end
            119 calling no_error_shows_a_digest
            120 keeping_events the_seal_of_an_event_is_kept
            121 keeping_events the_absence_of_a_seal_is_kept
            122 reading get_many_finds_what_get_finds
            123 reading get_many_sees_what_was_acknowledged
            124 scoping a_store_keeps_scope_uses_or_never_does
            125 scoping the_first_and_the_last_scope_use_are_kept
            126 scoping an_agent_is_not_a_prompt
            127 scoping a_hundred_scope_uses_of_a_kind_are_kept
            128 scoping scope_uses_are_of_the_given_keys
            129 scoping scope_uses_at_once_lose_none
            130 keeping_values every_origin_is_kept
        }
    };
}
