//! The contract of a store.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{ChangeCursor, Changes, KeyUse, ScopeUse, StoreError, StoredKey};
use crate::domain::{AccessKey, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision};

/// Where keys live. Implement it to keep them in your own database.
///
/// The promises of this crate hold over a store that obeys these rules. Each is numbered and named, and a test of
/// the conformance kit (feature `conformance`) has its name: `access_keys::conformance_tests!` asks a host's own
/// store every one of them.
///
/// **Inserting**
///
/// 1. `insert_stores_the_key`: what was inserted is what [`get`](Self::get) finds.
/// 2. `insert_stores_the_event`: together with its key, or neither of them.
/// 3. `insert_is_never_an_update`: an id that is stored is [`StoreError::AlreadyExists`], whatever became of
///    its key.
/// 4. `an_id_is_taken_in_every_project`: also in another one than that of the stored key.
/// 5. `a_refused_insert_stores_no_event`: nor anything else.
/// 6. `one_insert_of_many_at_once_wins`: and the others exist already.
///
/// **Updating**
///
/// 7. `update_replaces_the_key`: whole, with every field.
/// 8. `update_stores_the_event`: together with the key, or neither of them.
/// 9. `update_of_an_absent_key_conflicts`: [`StoreError::Conflict`], and nothing is stored.
/// 10. `update_at_another_revision_conflicts`: it succeeds only if the stored revision is `expected`, not an
///     older or a newer one.
/// 11. `a_refused_update_stores_nothing`: neither the key nor the event.
/// 12. `the_loser_of_a_conflict_can_try_again`: with the same event, on top of what is there now.
/// 13. `a_change_touches_no_other_key`: of the same project or of another one.
/// 14. `one_update_of_many_at_once_wins`: comparing and writing are one step with respect to every other
///     write.
/// 15. `updates_at_once_lose_none`: each that succeeded has its revision and its event.
///
/// **What stays**
///
/// 16. `revoked_is_final`: an update of a revoked key conflicts, whatever revision it expects and whatever it
///     changes.
/// 17. `revoked_is_final_among_others`: no interleaving of other writes brings a revoked key back.
/// 18. `revoked_is_final_for_raw_writes`: nor does a write past this crate, where the store's own interface
///     can refuse it.
/// 19. `the_past_is_never_changed`: keys and events are never deleted, and events never changed.
/// 20. `what_was_acknowledged_is_there_after_reopening`: when a write returns `Ok`, it survives whatever the
///     store promises to survive.
/// 21. `a_dropped_insert_is_done_or_not_done`: a future that is dropped, at whatever await, leaves nothing
///     half done.
/// 22. `a_dropped_update_is_done_or_not_done`: the same.
/// 23. `a_dropped_call_blocks_nothing`: no lock and no connection goes with it.
/// 24. `a_store_that_fails_tells_the_truth`: [`StoreError::Backend`] says that nothing was stored, nor will
///     be. Where that is in doubt the answer is [`StoreError::OutcomeUnknown`].
///
/// **What is kept**
///
/// A key and an event are stored whole: what cannot be read back as it was is an error, never a guess.
///
/// 25. `names_are_kept`: character by character: 100 of them, of whatever size and case, not normalised.
/// 26. `descriptions_are_kept`: up to 1,000 characters with line breaks, and an empty one.
/// 27. `ids_of_the_host_are_kept`: of projects, environments, agents, prompts and actors, up to 128 bytes of
///     visible ASCII.
/// 28. `ids_tell_upper_from_lower_case`: ids of keys and projects are compared byte by byte.
/// 29. `scopes_of_10_000_ids_are_kept`: in the key and, when they change, in its event.
/// 30. `an_empty_scope_is_not_all`: none, some and all are three things.
/// 31. `every_status_is_kept`: active, inactive and revoked.
/// 32. `never_is_no_time`: an expiry that is never is not the last moment of the year 9999.
/// 33. `times_are_kept_to_the_microsecond`: those of the key and those of its events.
/// 34. `times_from_year_0_to_9999_are_kept`: also before 1970 and after 2262.
/// 35. `two_digests_are_kept`: in their order, each with its end.
/// 36. `generations_are_kept_to_the_largest`: up to 2³² − 1.
/// 37. `the_scheme_of_a_digest_is_kept`: with or without a pepper, also one that is not known here.
/// 38. `the_operation_of_a_digest_is_kept`: or that there was none.
/// 39. `the_changes_of_an_event_are_kept`: of every kind, and that there were none.
/// 40. `an_empty_reason_is_not_an_absent_one`: up to 1,000 characters with line breaks.
/// 41. `the_operation_of_an_event_is_kept`: or that there was none.
/// 42. `the_actor_of_an_event_is_kept`: a user or a system component, not always who made the key.
/// 43. `every_action_is_kept`: in the order of their times.
///
/// **Reading**
///
/// Reads see committed state and never go back.
///
/// 44. `get_finds_a_key_of_any_project`: by its id alone.
/// 45. `reads_see_what_was_acknowledged`: `get`, `list` and `history`, at once.
/// 46. `every_handle_sees_what_was_acknowledged`: no replica that lags, no cache in between.
/// 47. `reads_never_go_back`: a `get` that begins after another `get` returned sees at least what that one
///     showed.
/// 48. `reads_by_two_handles_never_go_back`: whichever handle is asked.
/// 49. `a_failed_read_is_no_answer`: what cannot be read is an error, never a guess, and never nothing.
///
/// **Lists**
///
/// 50. `list_is_of_one_project`: the given one.
/// 51. `a_cursor_leads_to_no_other_project`: it is a position in whatever project is listed.
/// 52. `list_is_newest_first`: ordered by creation time, descending.
/// 53. `keys_of_one_time_are_ordered_by_id`: descending, by the bytes of their texts.
/// 54. `pages_have_each_key_once`: a list goes on strictly after `after`.
/// 55. `a_page_of_keys_has_no_more_than_the_limit`: it may have fewer, even none, and have a `next`.
/// 56. `the_last_page_of_keys_has_no_next`: `next` is `None` exactly when nothing follows.
/// 57. `pages_stay_while_keys_come`: no key is left out or listed twice, wherever others are inserted.
/// 58. `pages_stay_while_keys_change`: a change moves no key.
/// 59. `a_cursor_is_a_position`: ([`Cursor::of_key`](crate::Cursor::of_key)), whether or not a key is there.
/// 60. `list_shows_keys_as_they_are_now`: and gives no digests.
/// 61. `list_by_status`: every filter is applied, as [`KeyQuery::matches`] does.
/// 62. `list_by_state_at_the_time_of_the_query`: judged at the query's `now`, not by a clock.
/// 63. `list_by_environment`: the whole id.
/// 64. `list_by_name`: a substring, compared after `to_lowercase`.
/// 65. `list_by_name_beyond_ascii`: in every script.
/// 66. `list_by_name_knows_no_patterns`: `%`, `_` and `\` are characters like others.
/// 67. `list_by_agent`: by its id, or because the key may call all.
/// 68. `list_by_prompt`: the same.
/// 69. `list_by_expiry`: strictly before; never is before nothing.
/// 70. `all_filters_of_a_list_must_be_met`: also those that come together.
///
/// **Histories**
///
/// 71. `history_is_of_one_project`: the given one, also where the query names a key of another.
/// 72. `history_is_newest_first`: ordered by the time of the event, descending, not by when it was stored.
/// 73. `events_of_one_time_are_ordered_by_id`: descending, by the bytes of their texts.
/// 74. `pages_have_each_event_once`: a history goes on strictly after `after`.
/// 75. `a_page_of_events_has_no_more_than_the_limit`: it may have fewer, even none, and have a `next`.
/// 76. `the_last_page_of_events_has_no_next`: `next` is `None` exactly when nothing follows.
/// 77. `pages_stay_while_events_come`: no event is left out or told twice.
/// 78. `a_cursor_of_a_history_is_a_position`: ([`Cursor::of_event`](crate::Cursor::of_event)), whether or not
///     an event is there.
/// 79. `history_by_key`: every filter is applied, as [`AuditQuery::matches`] does.
/// 80. `history_by_actor`: the user `ada` is not the system `ada`.
/// 81. `history_by_action`: of whatever key.
/// 82. `history_by_operation`: the whole id.
/// 83. `all_filters_of_a_history_must_be_met`: also those that come together.
///
/// **Usage**
///
/// 84. `the_latest_use_is_kept`: of each key and generation.
/// 85. `a_use_never_moves_back`: an earlier one that is recorded late changes nothing.
/// 86. `repeating_a_use_changes_nothing`: so that a batch can be recorded again.
/// 87. `each_generation_has_its_own_use`: up to generation 2³² − 1.
/// 88. `uses_are_kept_to_the_microsecond`: as every time.
/// 89. `one_batch_may_name_a_secret_twice`: in whatever order; the latest counts.
/// 90. `ten_thousand_uses_are_recorded_at_once`: in one call.
/// 91. `uses_at_once_lose_none`: nor do they wait for each other for ever.
/// 92. `a_use_touches_no_key`: neither its revision nor its history.
/// 93. `a_use_conflicts_with_no_change`: of a key, at the same time.
/// 94. `uses_of_unknown_keys_are_harmless`: kept or dropped, and no reason to drop those of others.
/// 95. `last_uses_are_of_the_given_keys`: of each of their generations, and nothing of others. A key that was
///     never used is absent.
/// 96. `a_dropped_record_use_is_harmless`: some were recorded or none, and all can be recorded again.
///
/// **Change feed**
///
/// It is cheap whatever the number of keys: each node asks about once in a lease (0.8 of the limit) while it
/// is used, and at each change while it follows.
///
/// 97. `a_store_has_a_feed_or_never_has_one`: without one the answer is [`Changes::NoFeed`], always and by
///     every handle on the same data. A store for one process needs none.
/// 98. `the_first_answer_is_everything`: [`Changes::Everything`], when no cursor is given.
/// 99. `the_feed_names_an_insert`: an id that was absent may be remembered as absent.
/// 100. `the_feed_names_every_kind_of_change`: naming a key twice, or one that did not change, is fine;
///      missing one is not.
/// 101. `a_cursor_can_be_used_again`: by another node, or after a lost answer.
/// 102. `a_cursor_goes_on_without_changes`: however often nothing was named.
/// 103. `a_fresh_cursor_is_recognised`: a feed that always answers `Everything` makes every node forget all.
/// 104. `an_unknown_cursor_is_everything`: a cursor names the store's incarnation and the last change by a
///      value that cannot recur, such as its event's id; never by a number alone. It is recognised only while
///      that change is still in the history.
/// 105. `a_cursor_of_another_store_is_everything`: as one is after a backup was restored.
/// 106. `a_cursor_lives_through_a_reopening`: or is not recognised; never does it skip a change.
/// 107. `every_handle_feeds_every_change`: whichever made it, and by whichever handle the cursor came.
/// 108. `nothing_is_missed_at_64_writers`: every key of any commit that was acknowledged before the call
///      began, and is not covered by `since`, is named.
/// 109. `nothing_is_missed_by_another_handle`: the same.
/// 110. `an_overtaken_commit_is_named`: of sequence numbers, a lower one can commit after a higher one was
///      seen.
/// 111. `a_copy_follows_the_feed`: a `get` that begins after `changes` returned sees at least what that
///      named: ids, cursor, clock and limit come from one snapshot.
/// 112. `the_limit_is_within_its_bounds`: zero, or 100 milliseconds to 60 seconds; it drains within 66.
/// 113. `every_handle_has_the_same_limit`: it lives with the data.
/// 114. `the_clock_of_a_store_goes_forward`: if it has one.
/// 115. `changed_wakes_who_waits`: soon after a change by any handle. It is a hint: it may resolve for
///      nothing, and may miss a change.
/// 116. `waiting_for_a_change_blocks_nothing`: nor does it when it is given up.
///
/// **All calls**
///
/// 117. `calls_about_nothing_end`: no key, no use, an empty project.
/// 118. `many_calls_at_once_end`: every call does, within a time limit of the store's own, and without a
///      panic.
/// 119. `no_error_shows_a_digest`: neither its text nor its causes.
///
/// **Seals**
///
/// 120. `the_seal_of_an_event_is_kept`: that of the event, and of a key the one of its last event.
/// 121. `the_absence_of_a_seal_is_kept`: what an earlier version wrote has none.
///
/// **Many keys at once**
///
/// 122. `get_many_finds_what_get_finds`: each key that is there once, whatever their projects and however often and
///      in whatever order they are asked for; an id that nothing has is absent from the answer.
/// 123. `get_many_sees_what_was_acknowledged`: at once, by every handle.
///
/// **What keys were used for**
///
/// 124. `a_store_keeps_scope_uses_or_never_does`: without them the answer of [`scope_uses`](Self::scope_uses) is
///      `None`, always and by every handle on the same data.
/// 125. `the_first_and_the_last_scope_use_are_kept`: of each key and resource, to the microsecond and in whatever order
///      they come: neither moves the other way.
/// 126. `an_agent_is_not_a_prompt`: and ids of up to 128 bytes are compared byte by byte.
/// 127. `a_hundred_scope_uses_of_a_kind_are_kept`: of each key ([`ScopeUse::KEPT`]), and that there were more.
/// 128. `scope_uses_are_of_the_given_keys`: and uses of unknown keys are harmless.
/// 129. `scope_uses_at_once_lose_none`: nor do they wait for each other for ever.
///
/// **Imported keys**
///
/// 130. `every_origin_is_kept`: where a key comes from.
///
/// `Arc<S>` and `Box<S>` of a store are stores, and so are `Arc<dyn KeyStore>` and `Box<dyn KeyStore>`.
///
/// Four have a default. A wrapper that does not forward [`changed`](Self::changed) and [`get_many`](Self::get_many) is
/// slower, and one that does not forward [`record_scope_uses`](Self::record_scope_uses) and
/// [`scope_uses`](Self::scope_uses) says that it keeps none. One that forgot another would break a promise in silence.
///
/// A store is implemented with [`async_trait`](macro@async_trait), which `store` re-exports. This one counts the
/// reads of another; `examples/own_store.rs` is one that keeps keys itself.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use access_keys::store::{ChangeCursor, Changes, KeyStore, KeyUse, StoreError, StoredKey, async_trait};
/// use access_keys::{
///     AccessKey, AuditEvent, AuditQuery, KeyId, KeyQuery, Page, ProjectId, Revision,
/// };
///
/// struct Counting<S> { inner: S, reads: AtomicU64 }
///
/// #[async_trait]
/// impl<S: KeyStore> KeyStore for Counting<S> {
///     async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
///         self.inner.insert(key, event).await
///     }
///
///     async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
///         self.reads.fetch_add(1, Ordering::Relaxed);
///         self.inner.get(id).await
///     }
///
///     async fn get_many(&self, ids: &[KeyId]) -> Result<Vec<StoredKey>, StoreError> {
///         self.reads.fetch_add(1, Ordering::Relaxed);
///         self.inner.get_many(ids).await
///     }
///
///     async fn update(
///         &self, key: &StoredKey, expected: Revision, event: &AuditEvent,
///     ) -> Result<(), StoreError> {
///         self.inner.update(key, expected, event).await
///     }
///
///     async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError> {
///         self.inner.list(project, query).await
///     }
///
///     async fn history(
///         &self, project: &ProjectId, query: &AuditQuery,
///     ) -> Result<Page<AuditEvent>, StoreError> {
///         self.inner.history(project, query).await
///     }
///
///     async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError> {
///         self.inner.record_use(uses).await
///     }
///
///     async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError> {
///         self.inner.last_uses(ids).await
///     }
///
///     async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError> {
///         self.inner.changes(since).await
///     }
///
///     async fn changed(&self) {
///         self.inner.changed().await
///     }
/// }
/// ```
#[async_trait]
pub trait KeyStore: Send + Sync + 'static {
    /// Stores a new key and the event that tells of it.
    ///
    /// # Errors
    /// [`StoreError::AlreadyExists`], [`StoreError::OutcomeUnknown`], [`StoreError::Backend`].
    async fn insert(&self, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError>;

    /// The key with this id.
    ///
    /// # Errors
    /// [`StoreError::Backend`], also for a stored key that cannot be read.
    async fn get(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError>;

    /// The keys with these ids: each once, in whatever order. Ids that nothing has are absent.
    ///
    /// The default asks for one after the other. A database answers with one statement.
    ///
    /// # Errors
    /// [`StoreError::Backend`], also for a stored key that cannot be read.
    ///
    /// ```
    /// # use access_keys::{AccessKeys, Actor, EnvironmentId, KeyInfo, ProjectId, Scope};
    /// use access_keys::KeyId;
    /// use access_keys::store::{KeyStore, MemoryStore};
    ///
    /// # pollster::block_on(async {
    /// let keys = AccessKeys::builder(MemoryStore::new()).prefix("acme").build()?;
    /// # let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
    /// # let info = KeyInfo::new("Mobile app", EnvironmentId::new("production")?)?;
    /// # let review = project.draft().info(info).agents(Scope::All).prompts(Scope::All)?;
    /// let id = project.generate(review).await?.key.id;
    /// let absent = KeyId::new("7Hq2LkP9sTz4WcX1")?;
    /// let found = keys.store().get_many(&[absent, id, id]).await?;
    /// assert_eq!(found.len(), 1);
    /// assert_eq!(found[0].key().id, id);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # }).unwrap();
    /// ```
    async fn get_many(&self, ids: &[KeyId]) -> Result<Vec<StoredKey>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for id in BTreeSet::from_iter(ids) {
            found.extend(self.get(*id).await?);
        }
        Ok(found)
    }

    /// Replaces a key, if it is still at the expected revision and not revoked, and stores the event that
    /// tells of it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], [`StoreError::OutcomeUnknown`], [`StoreError::Backend`].
    async fn update(&self, key: &StoredKey, expected: Revision, event: &AuditEvent)
    -> Result<(), StoreError>;

    /// The keys of a project that the query asks for, newest first.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn list(&self, project: &ProjectId, query: &KeyQuery) -> Result<Page<AccessKey>, StoreError>;

    /// The audit events of a project that the query asks for, newest first.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn history(&self, project: &ProjectId, query: &AuditQuery) -> Result<Page<AuditEvent>, StoreError>;

    /// Records uses of keys, in whatever order. Uses of unknown keys may be kept or dropped.
    ///
    /// # Errors
    /// [`StoreError::Backend`], also when only some were recorded: they can all be recorded again.
    async fn record_use(&self, uses: &[KeyUse]) -> Result<(), StoreError>;

    /// When each secret of these keys was last used.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn last_uses(&self, ids: &[KeyId]) -> Result<Vec<KeyUse>, StoreError>;

    /// Records what keys were used for, in whatever order. Uses of unknown keys may be kept or dropped, and so may those
    /// of a key for more than [`ScopeUse::KEPT`] agents or prompts, once one more than that is kept.
    ///
    /// The default drops them, as is right for a store that keeps none.
    ///
    /// # Errors
    /// [`StoreError::Backend`], also when only some were recorded: they can all be recorded again.
    async fn record_scope_uses(&self, _uses: &[ScopeUse]) -> Result<(), StoreError> {
        Ok(())
    }

    /// What these keys were used for; `None` from a store that keeps none, as the default does: so that "never used" is
    /// said only where it is known.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn scope_uses(&self, _ids: &[KeyId]) -> Result<Option<Vec<ScopeUse>>, StoreError> {
        Ok(None)
    }

    /// Which keys may have changed since `since`.
    ///
    /// # Errors
    /// [`StoreError::Backend`].
    async fn changes(&self, since: Option<&ChangeCursor>) -> Result<Changes, StoreError>;

    /// Waits for a change by any handle on the same data. The default waits for ever.
    async fn changed(&self) {
        std::future::pending().await
    }
}
