//! Wrong in what they keep.

use access_keys::domain::{Action, FieldChange};
use access_keys::store::{StoreError, StoredKey, async_trait};
use access_keys::{Actor, AuditEvent, KeyId, Revision};
use serde_json::{Value, json};

use crate::case::{Case, case};
use crate::plain::{Nothing, Plain, Wrong};

/// Keeps keys and events changed like this.
struct Keeps {
    key: fn(&mut Value),
    event: fn(&mut AuditEvent),
}

impl Keeps {
    fn changed(&self, key: &StoredKey, event: &AuditEvent) -> (StoredKey, AuditEvent) {
        let mut form = serde_json::to_value(key).unwrap();
        (self.key)(&mut form);
        let mut event = event.clone();
        (self.event)(&mut event);
        (serde_json::from_value(form).unwrap(), event)
    }
}

#[async_trait]
impl Wrong for Keeps {
    async fn insert(&self, right: &Plain, key: &StoredKey, event: &AuditEvent) -> Result<(), StoreError> {
        let (key, event) = self.changed(key, event);
        Nothing.insert(right, &key, &event).await
    }

    async fn update(
        &self,
        right: &Plain,
        key: &StoredKey,
        expected: Revision,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        let (key, event) = self.changed(key, event);
        Nothing.update(right, &key, expected, &event).await
    }
}

fn keys(name: &'static str, rule: &'static str, says: &'static str, key: fn(&mut Value)) -> Case {
    case(name, rule, says, move || Keeps { key, event: |_| {} })
}

fn events(name: &'static str, rule: &'static str, says: &'static str, event: fn(&mut AuditEvent)) -> Case {
    case(name, rule, says, move || Keeps { key: |_| {}, event })
}

fn text(value: &mut Value, change: impl FnOnce(&str) -> String) {
    *value = change(value.as_str().unwrap()).into();
}

/// Changes the three times of a key.
fn times(form: &mut Value, change: fn(&str) -> String) {
    for field in ["created_at", "updated_at", "expires_at"] {
        if form["key"][field] != json!("never") {
            text(&mut form["key"][field], change);
        }
    }
}

fn digests(form: &mut Value, change: impl Fn(&mut Value)) {
    form["digests"].as_array_mut().unwrap().iter_mut().for_each(change);
}

struct WithoutCase;

#[async_trait]
impl Wrong for WithoutCase {
    async fn get(&self, right: &Plain, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        let alike = |key: &&StoredKey| key.key().id.as_str().eq_ignore_ascii_case(id.as_str());
        Ok(right.contents().keys.values().find(alike).cloned())
    }
}

pub(crate) fn all() -> Vec<Case> {
    let mut all = of_keys();
    all.extend(of_digests());
    all.extend(of_events());
    all.push(case(
        "compares ids without case",
        "ids_tell_upper_from_lower_case",
        "differs from a stored one",
        || WithoutCase,
    ));
    all
}

fn of_keys() -> Vec<Case> {
    vec![
        keys("truncates names to 100 bytes", "names_are_kept", "100 characters of 4 bytes", |form| {
            text(&mut form["key"]["name"], |name| {
                String::from_utf8_lossy(&name.as_bytes()[..name.len().min(100)]).into()
            });
        }),
        keys("keeps names in small letters", "names_are_kept", "letters of both cases", |form| {
            text(&mut form["key"]["name"], |name| {
                if name.contains("Straße") { name.to_lowercase() } else { name.to_owned() }
            });
        }),
        keys("takes line breaks out of descriptions", "descriptions_are_kept", "with line breaks", |form| {
            text(&mut form["key"]["description"], |text| text.replace('\n', " "));
        }),
        keys("keeps 64 bytes of an environment", "ids_of_the_host_are_kept", "ids of 128 bytes", |form| {
            text(&mut form["key"]["environment"], |id| id[..id.len().min(64)].to_owned());
        }),
        keys("loses the kind of who made a key", "ids_of_the_host_are_kept", "the actor system:", |form| {
            text(&mut form["key"]["created_by"], |actor| actor.replacen("system:", "user:", 1));
        }),
        keys("keeps 1,000 ids of a scope", "scopes_of_10_000_ids_are_kept", "agent-00999", |form| {
            if let Some(ids) = form["key"]["agents"].as_array_mut() {
                ids.truncate(1_000);
            }
        }),
        keys(
            "treats an empty scope as all",
            "an_empty_scope_is_not_all",
            "no agents and all prompts",
            |form| {
                for scope in ["agents", "prompts"] {
                    if form["key"][scope] == json!([]) {
                        form["key"][scope] = json!("all");
                    }
                }
            },
        ),
        keys("takes every key for its own", "every_origin_is_kept", "the origin imported", |form| {
            form["key"]["origin"] = json!("generated");
        }),
        keys("pauses no key", "every_status_is_kept", "the status inactive", |form| {
            text(&mut form["key"]["status"], |status| status.replace("inactive", "active"));
        }),
        keys("takes the last moment for never", "never_is_no_time", "last moment of the year 9999", |form| {
            text(&mut form["key"]["expires_at"], |time| time.replace("9999-12-31T23:59:59.999999Z", "never"));
        }),
        keys(
            "rounds times to milliseconds",
            "times_are_kept_to_the_microsecond",
            "every digit counts",
            |form| {
                times(form, |time| format!("{}000Z", &time[..time.len() - 4]));
            },
        ),
        keys("rounds times to seconds", "times_are_kept_to_the_microsecond", "every digit counts", |form| {
            times(form, |time| format!("{}Z", &time[..time.len() - 8]));
        }),
        keys(
            "has no time before 1970",
            "times_from_year_0_to_9999_are_kept",
            "the first moment of the year 0",
            |form| {
                times(
                    form,
                    |time| if time < "1970" { "1970-01-01T00:00:00Z".to_owned() } else { time.to_owned() },
                );
            },
        ),
        keys("has no time after 2262", "times_from_year_0_to_9999_are_kept", "times after 2262", |form| {
            times(
                form,
                |time| if time > "2262" { "2262-04-11T00:00:00Z".to_owned() } else { time.to_owned() },
            );
        }),
    ]
}

fn of_digests() -> Vec<Case> {
    vec![
        keys("drops the second digest", "two_digests_are_kept", "the one before it", |form| {
            form["digests"].as_array_mut().unwrap().truncate(1);
        }),
        keys(
            "has generations of 31 bits",
            "generations_are_kept_to_the_largest",
            "number 4294967295",
            |form| {
                digests(form, |digest| {
                    if digest["generation"].as_u64().unwrap() == u64::from(u32::MAX) {
                        digest["generation"] = json!(u32::MAX - 1);
                    }
                });
            },
        ),
        keys("forgets peppers", "the_scheme_of_a_digest_is_kept", "hmac-sha256/0", |form| {
            digests(form, |digest| {
                text(&mut digest["digest"], |text| match text.split_once(':').unwrap() {
                    (scheme, hex) if scheme.starts_with("hmac") => format!("sha256:{hex}"),
                    _ => text.to_owned(),
                });
            });
        }),
        keys("turns a digest over", "insert_stores_the_key", "a digest differs", |form| {
            digests(form, |digest| {
                text(&mut digest["digest"], |text| {
                    let (scheme, hex) = text.split_once(':').unwrap();
                    format!("{scheme}:{}", hex.chars().rev().collect::<String>())
                });
            });
        }),
        keys("loses the operation of a digest", "the_operation_of_a_digest_is_kept", "req-7", |form| {
            digests(form, |digest| digest["issued_by"] = json!("call"));
        }),
    ]
}

fn of_events() -> Vec<Case> {
    vec![
        events(
            "keeps the first change of an event",
            "the_changes_of_an_event_are_kept",
            "every kind of change",
            |event| {
                event.changes.truncate(1);
            },
        ),
        events(
            "keeps of an event what is short",
            "scopes_of_10_000_ids_are_kept",
            "10000 ids were removed",
            |event| {
                event.changes.retain(|change| !matches!(change, FieldChange::Agents(_)));
            },
        ),
        events(
            "takes an empty reason for none",
            "an_empty_reason_is_not_an_absent_one",
            "0 characters",
            |event| {
                event.reason = event.reason.take().filter(|reason| !reason.is_empty());
            },
        ),
        events("loses the seal of an event", "the_seal_of_an_event_is_kept", "a seal", |event| {
            event.seal = None;
        }),
        keys("loses the last seal of a key", "the_seal_of_an_event_is_kept", "a seal", |form| {
            form["version"] = json!(1);
            form.as_object_mut().unwrap().remove("last_seal");
        }),
        keys("makes a seal up", "the_absence_of_a_seal_is_kept", "no seal", |form| {
            form["version"] = json!(2);
            let seal = form.get("last_seal").cloned();
            form["last_seal"] = seal.unwrap_or_else(|| json!(format!("sha256:{}", "00".repeat(32))));
        }),
        events("loses the operation of an event", "the_operation_of_an_event_is_kept", "req-7", |event| {
            event.operation = None;
        }),
        events(
            "loses the kind of an actor",
            "the_actor_of_an_event_is_kept",
            "the actor system:bob",
            |event| {
                event.actor = Actor::user(event.actor.id()).unwrap();
            },
        ),
        events("tells of every change as an edit", "every_action_is_kept", "everything was done", |event| {
            if event.action != Action::Created {
                event.action = Action::Edited;
            }
        }),
        events(
            "rounds the times of events",
            "times_are_kept_to_the_microsecond",
            "`history` of a key",
            |event| {
                event.at -= chrono::TimeDelta::microseconds(event.at.timestamp_micros().rem_euclid(1_000));
            },
        ),
    ]
}
