//! Forms: all mistakes at once, their state between requests, and the same rules as the steps.

mod setup;

use access_keys::domain::{Field, Rule, ScopeForm};
use access_keys::{
    AccessKey, AgentId, Clock, Draft, Edit, EditForm, EnvironmentId, Error, FakeClock, Invalid, KeyForm,
    KeyInfo, PromptId, Review, Revision, Scope,
};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use pollster::block_on;
use proptest::prelude::*;
use setup::{agents, checkout, env, info, keys};

fn now() -> DateTime<Utc> {
    FakeClock::default().wall()
}

/// A form that has no mistakes.
fn good() -> KeyForm {
    let mut form = KeyForm::default();
    form.name = "Mobile app".to_owned();
    form.environment = "production".to_owned();
    form.expires_at = "never".to_owned();
    form.agents = ScopeForm::All;
    form.prompts = ["greeting"].into_iter().collect();
    form
}

fn mistakes(form: &KeyForm) -> Vec<String> {
    form.review(now()).err().into_iter().flatten().map(|invalid| invalid.to_string()).collect()
}

#[test]
fn a_form_tells_all_its_mistakes_at_once() {
    let mut form = good();
    form.name = "a\tb".to_owned();
    form.description = "x".repeat(1_001);
    form.environment = "pro duction".to_owned();
    form.expires_at = "2030-01-01T00:00:00Z".to_owned();
    form.agents = ["good", "b d", "", "also-good"].into_iter().collect();
    form.prompts = ["é"].into_iter().collect();
    let visible = "must be visible ASCII without spaces, character";
    assert_eq!(
        mistakes(&form),
        [
            "name must be plain text on one line, character 2 is not",
            "description must have at most 1000 characters, has 1001",
            &format!("environment {visible} 4 is not"),
            "expires_at must be later than now, is 0 s earlier",
            &format!("agents (item 2) {visible} 2 is not"),
            "agents (item 3) must have 1 to 128 bytes, has 0",
            &format!("prompts (item 1) {visible} 1 is not"),
        ]
    );
    let invalids = form.review(now()).unwrap_err();
    assert_eq!(invalids.iter().count(), 7);
    assert_eq!(
        invalids.of(Field::Agents).map(|invalid| invalid.item).collect::<Vec<_>>(),
        [Some(2), Some(3)]
    );
    assert_eq!(invalids.of(Field::Reason).count(), 0);
    assert_eq!(invalids.to_string(), mistakes(&form).join("; "));
}

#[test]
fn an_empty_form_means_nothing_and_not_everything() {
    assert_eq!(
        mistakes(&KeyForm::default()),
        [
            "name must have 1 to 100 characters, has 0",
            "environment must have 1 to 128 bytes, has 0",
            "expires_at is missing, must be never or a time such as 2030-01-31T12:00:00Z",
            "agents is missing, must be \"all\" or a list of ids",
            "prompts is missing, must be \"all\" or a list of ids",
        ]
    );
    let mut form = good();
    form.agents = ScopeForm::Specific(Vec::new());
    form.prompts = ScopeForm::Specific(Vec::new());
    assert_eq!(mistakes(&form), ["agents and prompts are both empty, the key would reach nothing"]);
    form.prompts = ScopeForm::All;
    assert!(form.review(now()).unwrap().agents().is_none());
}

#[test]
fn too_many_ids_are_one_mistake_beside_those_of_the_ids() {
    let mut form = good();
    form.agents = (0..10_001).map(|i| format!("agent-{i}")).collect();
    assert_eq!(mistakes(&form), ["agents must have at most 10000 different ids, has 10001"]);
    form.agents = (0..20_000).map(|i| format!("agent-{}", i % 10_000)).collect();
    assert_eq!(mistakes(&form), [""; 0]);
    form.agents = (0..10_001).map(|i| format!("agent-{i}")).chain(["a b".to_owned()]).collect();
    let printed = mistakes(&form);
    assert!(printed[0].starts_with("agents (item 10002) "), "{printed:?}");
    assert_eq!(printed[1..], ["agents must have at most 10000 different ids, has 10001"]);
}

#[test]
fn an_expiry_of_a_form_is_never_or_a_time() {
    let read = |text: &str| {
        let mut form = good();
        form.expires_at = text.to_owned();
        form.review(now()).map(|review| review.expires_at()).map_err(|found| found.to_string())
    };
    let time = |text: &str| Ok(Some(text.parse::<DateTime<Utc>>().unwrap()));
    for never in ["never", " never\n"] {
        assert_eq!(read(never), Ok(None));
    }
    assert_eq!(read(" 2031-01-31T12:00:00Z "), time("2031-01-31T12:00:00Z"));
    assert_eq!(read("2031-01-31T12:00:00.0000019+02:00"), time("2031-01-31T10:00:00.000001Z"));
    assert_eq!(read("2031-01-31T12:00"), time("2031-01-31T12:00:00Z"));
    assert_eq!(read("2031-01-31T12:00:01.5"), time("2031-01-31T12:00:01.5Z"));
    assert_eq!(read("9999-12-31T23:59:59.999999Z"), time("9999-12-31T23:59:59.999999Z"));
    for bad in ["Never", "NEVER", "null", "0", "infinity", "2031-02-30T00:00", "tomorrow", "2031-01-31", "-"]
    {
        let expected = "never or a time such as 2030-01-31T12:00:00Z";
        let printed = format!("expires_at must be {expected}, is other text of {} bytes", bad.len());
        assert_eq!(read(bad), Err(printed), "{bad}");
    }
    // One hour east of where it would be later.
    assert!(read("2030-01-01T01:00:00+01:00").is_err());
    assert!(read("2029-12-31T23:30:00-01:00").is_ok());
    assert!(read("+10000-01-01T00:00").is_err());
    assert!(read("+10000-01-01T00:00:00Z").is_err());
}

/// The JSON of a good form with one field set to another value, or left out.
fn with(field: &str, value: Option<serde_json::Value>) -> String {
    let mut json = serde_json::to_value(good()).unwrap();
    let fields = json.as_object_mut().unwrap();
    fields.remove(field);
    fields.extend(value.map(|value| (field.to_owned(), value)));
    json.to_string()
}

#[test]
fn a_form_refuses_unknown_repeated_null_and_non_text_fields() {
    use serde_json::json;
    for field in ["project", "status", "id", "created_by", "revision", "Name", "name ", "", "actor"] {
        let error = serde_json::from_str::<KeyForm>(&with(field, Some(json!("x")))).unwrap_err();
        assert!(error.to_string().starts_with("unknown field"), "{field}: {error}");
    }
    for field in ["name", "description", "environment", "expires_at", "agents", "prompts"] {
        for wrong in
            [json!(null), json!(1), json!(true), json!({}), json!([1]), json!([null]), json!([["a"]])]
        {
            assert!(
                serde_json::from_str::<KeyForm>(&with(field, Some(wrong.clone()))).is_err(),
                "{field} {wrong}"
            );
        }
        let twice = format!("{{\"{field}\": \"x\", {}", &with("none", None)[1..]);
        assert!(serde_json::from_str::<KeyForm>(&twice).is_err(), "{field} twice");
        // What is absent is empty, and emptiness is found by the review.
        let form: KeyForm = serde_json::from_str(&with(field, None)).unwrap();
        assert_eq!(form.review(now()).is_ok(), field == "description", "{field}");
    }
    for wrong in ["null", "[]", "\"x\"", "1", "[\"a\",\"\",\"b\",\"never\",\"all\",\"all\"]"] {
        assert!(serde_json::from_str::<KeyForm>(wrong).is_err(), "{wrong}");
        assert!(serde_json::from_str::<EditForm>(wrong).is_err(), "{wrong}");
    }
    let foreign = "{\"environment\": \"staging\"}";
    assert!(serde_json::from_str::<EditForm>(foreign).is_err(), "an edit has no environment");
}

#[test]
fn a_form_keeps_what_was_typed_between_requests() {
    let mut form = good();
    form.name = "  a\tb \u{202E}".to_owned();
    form.environment = "pro duction".to_owned();
    form.expires_at = "tomorrow".to_owned();
    for agents in [
        ScopeForm::Unanswered,
        ScopeForm::All,
        ScopeForm::Specific(Vec::new()),
        ["all"].into_iter().collect(),
        ["", " x ", "b d"].into_iter().collect(),
    ] {
        form.agents = agents;
        let json = serde_json::to_string(&form).unwrap();
        assert_eq!(serde_json::from_str::<KeyForm>(&json).unwrap(), form);
    }
    // A single ticked box.
    assert_eq!(
        serde_json::from_str::<ScopeForm>("\"triage\"").unwrap(),
        ["triage"].into_iter().collect::<ScopeForm>()
    );
}

fn made(name: &str, expires_at: Option<DateTime<Utc>>) -> AccessKey {
    let (keys, _) = keys();
    let info = info(name).description("one\ntwo").unwrap();
    let info = expires_at.into_iter().fold(info, KeyInfo::expires_at);
    let draft = Draft::at(now()).info(info).agents(agents(&["a", "b"])).prompts(Scope::All).unwrap();
    block_on(checkout(&keys).generate(draft)).unwrap().key
}

#[test]
fn an_edit_form_sent_back_as_it_was_changes_nothing() {
    let end = now() + TimeDelta::microseconds(1_000_001);
    for key in [made("x", None), made("y", Some(end))] {
        let form: EditForm =
            serde_json::from_str(&serde_json::to_string(&EditForm::of(&key)).unwrap()).unwrap();
        // Also long after the stored expiry.
        let edit = form.edit(&key, now() + TimeDelta::days(1)).unwrap();
        assert!(edit.preview(&key).is_empty());
    }
}

#[test]
fn the_form_of_a_key_makes_another_like_it_unless_its_time_is_over() {
    let end = now() + TimeDelta::microseconds(1_000_001);
    for key in [made("x", None), made("y", Some(end))] {
        let review = KeyForm::of(&key).review(now()).unwrap();
        assert_eq!((review.name(), review.description()), (key.name.as_str(), key.description.as_str()));
        assert_eq!((review.environment(), review.expires_at()), (&key.environment, key.expires_at));
        assert_eq!((review.agents(), review.prompts()), (&key.agents, &key.prompts));
    }
    let found = KeyForm::of(&made("y", Some(end))).review(end).unwrap_err();
    assert_eq!(Vec::from_iter(found.iter().map(|invalid| invalid.field)), [Field::ExpiresAt]);
}

#[test]
fn an_edit_form_tells_all_its_mistakes_at_once() {
    let key = made("x", None);
    let found = EditForm::default().edit(&key, now()).unwrap_err();
    let fields = Vec::from_iter(found.iter().map(|invalid| invalid.field));
    assert_eq!(fields, [Field::Name, Field::ExpiresAt, Field::Agents, Field::Prompts, Field::Revision]);

    let mut form = EditForm::of(&key);
    form.expires_at = "2030-01-01T00:00:00Z".to_owned();
    form.agents = ["a", "b d"].into_iter().collect();
    form.revision = "0".to_owned();
    let found = form.edit(&key, now()).unwrap_err();
    assert_eq!(
        found.to_string(),
        "expires_at must be later than now, is 0 s earlier; \
         agents (item 2) must be visible ASCII without spaces, character 2 is not; \
         revision must be 1 to 9223372036854775807, is 0"
    );
}

#[test]
fn an_edit_form_is_for_the_revision_that_its_editor_saw() {
    let (keys, _) = keys();
    let project = checkout(&keys);
    let key = block_on(project.generate(setup::anything())).unwrap().key;
    let mut form = EditForm::of(&key);
    form.name = "Mine".to_owned();
    block_on(project.edit(key.id, Edit::new().name("Theirs").unwrap())).unwrap();
    let now_stored = block_on(project.get(key.id)).unwrap();
    let late = block_on(project.edit(key.id, form.edit(&now_stored, now()).unwrap()));
    assert!(matches!(late, Err(Error::Conflict { expected, .. }) if expected == Revision::FIRST));
    assert_eq!(block_on(project.get(key.id)).unwrap().name, "Theirs");
}

/// Text in which the rules of names and descriptions have something to find.
fn risky() -> impl Strategy<Value = String> {
    let c = prop::sample::select(Vec::from_iter("ab é\u{200B}\u{202E}\t\r\n\u{301}\u{1F511}".chars()));
    let of = |range| prop::collection::vec(c.clone(), range).prop_map(String::from_iter);
    prop_oneof![6 => "[a-z ]{0,40}[a-z]", 1 => of(0..8), 1 => of(99..103), 1 => of(999..1_003)]
}

/// Text in which the rules of ids have something to find. Not trimmed by the steps, so nothing to trim.
fn risky_id() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => "[!-~]{1,3}",
        1 => Just(String::new()),
        1 => "[!-~] [!-~]",
        1 => "[!-~]{128,129}",
        1 => "[aé\u{200B}\0]{1,3}",
    ]
}

/// An expiry around now.
fn risky_expiry() -> impl Strategy<Value = Option<DateTime<Utc>>> {
    let micros = prop_oneof![-3..3_i64, Just(i64::MIN / 100_000), 1..10_000_000_i64];
    prop::option::of(micros.prop_map(|n| now() + TimeDelta::microseconds(n)))
}

fn written(expires_at: Option<DateTime<Utc>>) -> String {
    expires_at.map_or("never".to_owned(), |time| time.to_rfc3339_opts(SecondsFormat::Micros, true))
}

fn risky_scope() -> impl Strategy<Value = Option<Vec<String>>> {
    prop::option::of(prop::collection::vec(risky_id(), 0..4))
}

fn choice(scope: Option<&Vec<String>>) -> ScopeForm {
    scope.map_or(ScopeForm::All, |texts| texts.iter().map(String::as_str).collect())
}

/// What the steps find in a scope, item by item.
fn scope_mistakes<T>(
    texts: Option<&Vec<String>>,
    field: Field,
    new: fn(&str) -> Result<T, Invalid>,
) -> Vec<Invalid> {
    let found = texts.into_iter().flatten().enumerate().filter_map(|(i, text)| {
        let mut invalid = new(text).err()?;
        (invalid.field, invalid.item) = (field, Some(i + 1));
        Some(invalid)
    });
    found.collect()
}

/// What each step says by itself of these values: the review, or every mistake.
fn by_steps(
    name: &str,
    description: &str,
    environment: &str,
    expires_at: Option<DateTime<Utc>>,
    agents: Option<&Vec<String>>,
    prompts: Option<&Vec<String>>,
) -> Result<Review, Vec<Invalid>> {
    let mut found = Vec::new();
    found.extend(KeyInfo::new(name, setup::production()).err());
    found.extend(info("x").description(description).err());
    found.extend(EnvironmentId::new(environment).err());
    let dated = expires_at.into_iter().fold(info("x"), KeyInfo::expires_at);
    found.extend(Draft::at(now()).info(dated).agents(Scope::All).prompts(Scope::All).err());
    let bad_agents = scope_mistakes(agents, Field::Agents, |text| AgentId::new(text));
    let bad_prompts = scope_mistakes(prompts, Field::Prompts, |text| PromptId::new(text));
    if bad_agents.is_empty() && bad_prompts.is_empty() {
        let agents = agents.map_or(Scope::All, |texts| Scope::parse(texts).unwrap());
        let prompts = prompts.map_or(Scope::All, |texts| Scope::parse(texts).unwrap());
        let draft = |info| Draft::at(now()).info(info).agents(agents.clone()).prompts(prompts.clone());
        found.extend(draft(info("x")).err());
        if found.is_empty() {
            let info = KeyInfo::new(name, env(environment)).unwrap().description(description).unwrap();
            return Ok(draft(expires_at.into_iter().fold(info, KeyInfo::expires_at)).unwrap());
        }
    } else {
        found.extend(bad_agents);
        found.extend(bad_prompts);
    }
    Err(found)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_form_and_the_steps_agree_on_every_rule(
        name in risky(),
        description in risky(),
        environment in risky_id(),
        expires_at in risky_expiry(),
        agents in risky_scope(),
        prompts in risky_scope(),
    ) {
        let mut form = KeyForm::default();
        form.name.clone_from(&name);
        form.description.clone_from(&description);
        form.environment.clone_from(&environment);
        form.expires_at = written(expires_at);
        form.agents = choice(agents.as_ref());
        form.prompts = choice(prompts.as_ref());
        let steps = by_steps(&name, &description, &environment, expires_at, agents.as_ref(), prompts.as_ref());
        let form = form.review(now()).map_err(|found| found.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(form, steps);
    }

    #[test]
    fn an_edit_form_and_an_edit_agree_on_every_rule(
        name in risky(),
        description in risky(),
        expires_at in risky_expiry(),
        agents in risky_scope(),
        prompts in risky_scope(),
    ) {
        let (keys, _) = keys();
        let project = checkout(&keys);
        let key = block_on(project.generate(setup::anything())).unwrap().key;
        let mut form = EditForm::of(&key);
        form.name.clone_from(&name);
        form.description.clone_from(&description);
        form.expires_at = written(expires_at);
        form.agents = choice(agents.as_ref());
        form.prompts = choice(prompts.as_ref());
        let edit = || -> Result<Edit, Invalid> {
            let edit = Edit::new().name(&name)?.description(&description)?;
            let edit = match expires_at {
                Some(time) => edit.expires_at(time),
                None => edit.never_expires(),
            };
            let agents = agents.as_ref().map_or(Ok(Scope::All), Scope::parse)?;
            let prompts = prompts.as_ref().map_or(Ok(Scope::All), Scope::parse)?;
            Ok(edit.agents(agents).prompts(prompts))
        };
        let typed = edit().map_err(Error::from).and_then(|edit| block_on(project.edit(key.id, edit)));
        match (form.edit(&key, now()), typed) {
            (Ok(edit), Ok(change)) => prop_assert!(edit.preview(change.key()).is_empty()),
            (Err(found), Err(Error::Invalid(first))) => {
                prop_assert!(found.iter().any(|invalid| *invalid == first), "{} without {}", found, first);
            }
            (form, typed) => prop_assert!(false, "{:?} but {:?}", form, typed),
        }
    }
}

#[test]
fn a_missing_scope_is_a_missing_answer_and_not_an_empty_one() {
    let found = EditForm::default().edit(&made("x", None), now()).unwrap_err();
    let agents: Vec<_> = found.of(Field::Agents).map(|invalid| invalid.rule.clone()).collect();
    assert!(matches!(agents[..], [Rule::Missing { .. }]));
}

#[test]
fn a_form_whose_fields_are_numbers_is_refused() {
    use serde::Deserialize;
    use serde::de::value::{Error, MapDeserializer};

    // As binary formats may write them: 4 and 5 would be the scopes.
    let numbered = MapDeserializer::<_, Error>::new([(4_u64, "all"), (5, "all")].into_iter());
    assert!(KeyForm::deserialize(numbered).is_err());
    let named = MapDeserializer::<_, Error>::new([("agents", "all"), ("prompts", "all")].into_iter());
    assert_eq!(KeyForm::deserialize(named).unwrap().agents, access_keys::domain::ScopeForm::All);
}
