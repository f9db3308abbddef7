//! The rules for single values, each at both sides of its limit.

mod setup;

use std::str::FromStr;

use access_keys::domain::{EventId, Field, Rule, ScopeForm, Unit};
use access_keys::{
    Actor, AgentId, Edit, EnvironmentId, Error, IdSet, Invalid, KeyId, KeyInfo, OperationId, ProjectId,
    PromptId, Revision, Scope,
};
use setup::{agents, anything, checkout, info, keys, production};

const VISIBLE: &str = "visible ASCII without spaces";
const ONE_LINE: &str = "plain text on one line";

fn length(min: usize, max: usize, unit: Unit, given: usize) -> Rule {
    Rule::Length { min, max, unit, given }
}

fn character(position: usize, allowed: &'static str) -> Rule {
    Rule::Character { position, allowed }
}

/// Fails unless it is exactly this mistake, printed exactly so.
#[track_caller]
fn assert_invalid<T>(result: Result<T, Invalid>, field: Field, rule: &Rule, printed: &str) {
    let Err(invalid) = result else { panic!("was accepted, should be: {printed}") };
    assert_eq!((invalid.field, &invalid.rule, invalid.item), (field, rule, None));
    assert_eq!(invalid.to_string(), printed);
}

fn host_id_rules<T>(field: Field, new: impl Fn(&str) -> Result<T, Invalid>) {
    for good in ["a", "!", "~", "all", "a/b:c@d", "\u{22}\u{5C}", &"x".repeat(128)] {
        assert!(new(good).is_ok(), "{field} {good:?}");
    }
    let given = |n| length(1, 128, Unit::Bytes, n);
    assert_invalid(new(""), field, &given(0), &format!("{field} must have 1 to 128 bytes, has 0"));
    assert_invalid(
        new(&"x".repeat(129)),
        field,
        &given(129),
        &format!("{field} must have 1 to 128 bytes, has 129"),
    );
    // 65 characters, and two bytes too many.
    assert_invalid(
        new(&"é".repeat(65)),
        field,
        &given(130),
        &format!("{field} must have 1 to 128 bytes, has 130"),
    );
    for (bad, position) in [
        (" ", 1),
        ("a b", 2),
        ("a ", 2),
        (" a", 1),
        ("ab\u{7F}", 3),
        ("\u{1F}a", 1),
        ("a\0", 2),
        ("a\t", 2),
        ("a\nb", 2),
        ("café", 4),
        ("a\u{80}", 2),
        ("a\u{200B}", 2),
        ("\u{FEFF}a", 1),
        ("日", 1),
        ("a\u{A0}b", 2),
    ] {
        let printed = format!("{field} must be {VISIBLE}, character {position} is not");
        assert_invalid(new(bad), field, &character(position, VISIBLE), &printed);
    }
}

#[test]
fn host_ids_are_1_to_128_bytes_of_visible_ascii() {
    host_id_rules(Field::Project, |text| ProjectId::new(text));
    host_id_rules(Field::Environment, |text| EnvironmentId::new(text));
    host_id_rules(Field::Agent, |text| AgentId::new(text));
    host_id_rules(Field::Prompt, |text| PromptId::new(text));
    host_id_rules(Field::Operation, |text| OperationId::new(text));
    host_id_rules(Field::Agent, AgentId::from_str);
    host_id_rules(Field::Actor, |text| Actor::user(text));
    host_id_rules(Field::Actor, |text| Actor::system(text));
    host_id_rules(Field::Actor, |text| Actor::from_str(&format!("user:{text}")));
    host_id_rules(Field::Actor, |text| Actor::from_str(&format!("system:{text}")));
}

#[test]
fn serde_keeps_the_rules_of_ids() {
    for (bad, printed) in [
        ("\"\"", "agent must have 1 to 128 bytes, has 0"),
        ("\"a b\"", "agent must be visible ASCII without spaces, character 2 is not"),
    ] {
        let error = serde_json::from_str::<AgentId>(bad).unwrap_err();
        assert!(error.to_string().starts_with(printed), "{error}");
    }
    assert_eq!(serde_json::from_str::<AgentId>("\"a\"").unwrap(), AgentId::new("a").unwrap());
    for wrong in ["null", "1", "[]", "{}", "true"] {
        assert!(serde_json::from_str::<AgentId>(wrong).is_err(), "{wrong}");
        assert!(serde_json::from_str::<Actor>(wrong).is_err(), "{wrong}");
        assert!(serde_json::from_str::<KeyId>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_actor_says_which_kind_it_is() {
    for bad in ["", "ada", "user", "User:ada", "robot:ada", ":ada", "user ada"] {
        let expected = "user:… or system:…";
        let printed = format!("actor must be {expected}, is other text of {} bytes", bad.len());
        let rule = Rule::Unreadable { expected, given: bad.len() };
        assert_invalid(bad.parse::<Actor>(), Field::Actor, &rule, &printed);
    }
    let colon = "user:a:b".parse::<Actor>().unwrap();
    assert!(colon.is_user() && colon.id() == "a:b");
    assert!(!"system:a".parse::<Actor>().unwrap().is_user());
}

#[test]
fn key_and_event_ids_are_16_letters_and_digits() {
    let good = "0123456789AZazzz";
    assert_eq!(KeyId::new(good).unwrap().as_str(), good);
    assert_eq!(EventId::new(good).unwrap().as_str(), good);
    for given in [0, 15, 17] {
        let text = "0".repeat(given);
        let printed = |field| format!("{field} must have 16 bytes, has {given}");
        let rule = length(16, 16, Unit::Bytes, given);
        assert_invalid(KeyId::new(&text), Field::Key, &rule, &printed("key"));
        assert_invalid(EventId::new(&text), Field::Event, &rule, &printed("event"));
    }
    for (bad, position) in
        [("012345678901234_", 16), ("-123456789012345", 1), ("01234 6789012345", 6), ("01234567890123é", 15)]
    {
        let printed = format!("key must be letters and digits, character {position} is not");
        assert_invalid(KeyId::new(bad), Field::Key, &character(position, "letters and digits"), &printed);
    }
}

#[test]
fn a_revision_is_1_to_what_a_signed_column_holds() {
    let max = u64::try_from(i64::MAX).unwrap();
    assert!(Revision::new(1).is_ok() && Revision::new(max).is_ok());
    for given in [0, max + 1, u64::MAX] {
        let printed = format!("revision must be 1 to 9223372036854775807, is {given}");
        let rule = Rule::Range { min: 1, max, given };
        assert_invalid(Revision::new(given), Field::Revision, &rule, &printed);
    }
    for bad in ["", "x", "1.0", "-1", " 1", "99999999999999999999"] {
        let rule = Rule::Unreadable { expected: "a number", given: bad.len() };
        let printed = format!("revision must be a number, is other text of {} bytes", bad.len());
        assert_invalid(bad.parse::<Revision>(), Field::Revision, &rule, &printed);
    }
}

/// By every way in which a name is given.
fn names(name: &str) -> [Result<(), Invalid>; 2] {
    [KeyInfo::new(name, production()).map(drop), Edit::new().name(name).map(drop)]
}

#[track_caller]
fn assert_bad_name(name: &str, rule: &Rule, printed: &str) {
    for result in names(name) {
        assert_invalid(result, Field::Name, rule, printed);
    }
}

#[track_caller]
fn assert_good_name(name: &str, kept: &str) {
    assert!(names(name).iter().all(Result::is_ok), "{name:?}");
    assert_eq!(setup::review(info(name)).name(), kept);
}

#[test]
fn a_name_has_1_to_100_characters_after_trimming() {
    assert_good_name("x", "x");
    assert_good_name(&"x".repeat(100), &"x".repeat(100));
    assert_good_name("\u{2028}\u{A0} \t x y \r\n\u{3000}", "x y");
    assert_good_name(&format!("  {}  ", "x".repeat(100)), &"x".repeat(100));
    let four_bytes = "\u{1F511}".repeat(100);
    assert_good_name(&four_bytes, &four_bytes);
    for (bad, given) in [
        (String::new(), 0),
        (" \t\r\n\u{A0}\u{2029}".to_owned(), 0),
        ("x".repeat(101), 101),
        ("\u{1F511}".repeat(101), 101),
        ("e\u{301}".repeat(51), 102),
    ] {
        let printed = format!("name must have 1 to 100 characters, has {given}");
        assert_bad_name(&bad, &length(1, 100, Unit::Characters, given), &printed);
    }
}

#[test]
fn a_character_of_a_name_is_a_scalar_value() {
    let marked = "e\u{301}".repeat(50);
    assert_good_name(&marked, &marked);
    assert_good_name("\u{301}", "\u{301}");
    // A family of three, joined by zero-width joiners: invisible characters beside visible ones are fine.
    let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F466}";
    assert_good_name(family, family);
    assert_good_name("a\u{200B}", "a\u{200B}");
}

#[test]
fn a_name_that_nobody_can_see_is_none() {
    for bad in [
        "\u{200B}",
        "\u{FEFF}",
        "\u{200D}",
        "\u{200C}",
        "\u{2060}",
        "\u{AD}",
        "\u{200B}\u{FEFF}\u{200D}",
        " \u{200B} \u{FEFF} ",
        "\u{200B}\u{3000}\u{200D}",
        "\u{115F}\u{1160}\u{3164}\u{FFA0}",
        "\u{FE0F}",
        "\u{E0041}\u{E007F}",
    ] {
        let given = bad.trim().chars().count();
        let printed = format!("name must have a character that can be seen, has {given} that cannot");
        assert_bad_name(bad, &Rule::Invisible { given }, &printed);
    }
}

/// Characters that make a text show as what it is not; none may stand in a name, a description or a reason.
fn misleading() -> impl Iterator<Item = char> {
    ['\u{61C}', '\u{200E}', '\u{200F}']
        .into_iter()
        .chain('\u{202A}'..='\u{202E}')
        .chain('\u{2066}'..='\u{2069}')
        .chain(['\u{2028}', '\u{2029}'])
}

#[test]
fn a_name_has_no_control_bidirectional_or_line_separator_character() {
    let controls = ('\0'..='\u{1F}').chain('\u{7F}'..='\u{9F}');
    for c in controls.chain(misleading()) {
        let printed = format!("name must be {ONE_LINE}, character 3 is not");
        assert_bad_name(&format!("ab{c}d"), &character(3, ONE_LINE), &printed);
    }
    // The neighbours of the ranges are ordinary.
    for c in ['\u{A0}', '\u{A1}', '\u{61B}', '\u{61D}', '\u{2010}', '\u{2027}', '\u{202F}', '\u{2030}'] {
        assert_good_name(&format!("ab{c}d"), &format!("ab{c}d"));
    }
}

/// By every way in which a longer text is given, with the field it is given in.
fn paragraphs(text: &str) -> [(Field, Result<String, Invalid>); 3] {
    let kept = info("x").description(text).map(|info| setup::review(info).description().to_owned());
    let edited = Edit::new().description(text).map(|_| text.to_owned());
    let (keys, _) = keys();
    let project = checkout(&keys);
    let revoked = pollster::block_on(async {
        let id = project.generate(anything()).await.unwrap().key.id;
        match project.revoke(id, text).await {
            Ok(_) => Ok(project.history(access_keys::AuditQuery::default()).await.unwrap().items.remove(0)),
            Err(Error::Invalid(invalid)) => Err(invalid),
            Err(other) => panic!("{other:?}"),
        }
    });
    let reason = revoked.map(|event| event.reason.unwrap());
    [(Field::Description, kept), (Field::Description, edited), (Field::Reason, reason)]
}

#[track_caller]
fn assert_bad_paragraph(text: &str, rule: &Rule, printed: &str) {
    for (field, result) in paragraphs(text) {
        assert_invalid(result, field, rule, &format!("{field} {printed}"));
    }
}

#[track_caller]
fn assert_good_paragraph(text: &str, kept: &str) {
    let [(_, description), (_, edited), (_, reason)] = paragraphs(text);
    assert_eq!((description.unwrap(), reason.unwrap()), (kept.to_owned(), kept.to_owned()));
    edited.unwrap();
}

#[test]
fn a_description_and_a_reason_have_at_most_1000_characters() {
    assert_good_paragraph("", "");
    assert_good_paragraph("  \r\n \t", "");
    assert_good_paragraph(&"x".repeat(1_000), &"x".repeat(1_000));
    assert_good_paragraph(&format!("\r\n {} \r\n", "\u{1F511}".repeat(1_000)), &"\u{1F511}".repeat(1_000));
    assert_good_paragraph(&format!("{}\r\n{}", "x".repeat(500), "y".repeat(499)), &{
        format!("{}\n{}", "x".repeat(500), "y".repeat(499))
    });
    for (bad, given) in [
        ("x".repeat(1_001), 1_001),
        ("\u{1F511}".repeat(1_001), 1_001),
        (format!("{}\r\n{}", "x".repeat(500), "y".repeat(500)), 1_001),
    ] {
        let printed = format!("must have at most 1000 characters, has {given}");
        assert_bad_paragraph(&bad, &length(0, 1_000, Unit::Characters, given), &printed);
    }
}

#[test]
fn a_description_and_a_reason_may_have_line_breaks_and_no_other_control_character() {
    assert_good_paragraph("one\ntwo\n\nthree", "one\ntwo\n\nthree");
    assert_good_paragraph("one\r\ntwo\nthree\r\n", "one\ntwo\nthree");
    let printed = "must be plain text, character 3 is not";
    let controls = ('\0'..='\u{1F}').chain('\u{7F}'..='\u{9F}').filter(|c| *c != '\n');
    for c in controls.chain(misleading()) {
        assert_bad_paragraph(&format!("ab{c}d"), &character(3, "plain text"), printed);
    }
    // A carriage return that ends no line.
    assert_bad_paragraph("ab\r\r\nd", &character(3, "plain text"), printed);
    assert_bad_paragraph("a\r\n\rd", &character(3, "plain text"), printed);
}

fn numbered(n: usize) -> impl Iterator<Item = AgentId> {
    (0..n).map(|i| AgentId::new(format!("agent-{i}")).unwrap())
}

#[test]
fn a_specific_scope_has_at_most_10000_different_ids() {
    assert!(Scope::<AgentId>::specific([]).unwrap().is_none());
    assert_eq!(IdSet::new(numbered(1)).unwrap().len(), 1);
    assert_eq!(IdSet::new(numbered(10_000)).unwrap().len(), 10_000);
    let rule = Rule::Count { max: 10_000, given: 10_001 };
    let printed = "agents must have at most 10000 different ids, has 10001";
    assert_invalid(Scope::specific(numbered(10_001)), Field::Agents, &rule, printed);
    assert_invalid(IdSet::new(numbered(10_001)), Field::Agents, &rule, printed);
    let texts = || numbered(10_001).map(|id| id.to_string());
    assert_invalid(Scope::<AgentId>::parse(texts()), Field::Agents, &rule, printed);
    let printed = "prompts must have at most 10000 different ids, has 10001";
    assert_invalid(Scope::<PromptId>::parse(texts()), Field::Prompts, &rule, printed);
    let json = serde_json::to_string(&Vec::from_iter(texts())).unwrap();
    let error = serde_json::from_str::<Scope<PromptId>>(&json).unwrap_err();
    assert!(error.to_string().starts_with(printed), "{error}");
}

#[test]
fn duplicates_collapse_before_a_scope_is_counted() {
    let twice = || numbered(10_000).chain(numbered(10_000));
    assert_eq!(Scope::specific(twice()).unwrap(), Scope::specific(numbered(10_000)).unwrap());
    let json = serde_json::to_string(&Vec::from_iter(twice())).unwrap();
    assert_eq!(serde_json::from_str::<Scope<AgentId>>(&json).unwrap(), Scope::specific(twice()).unwrap());
    assert_eq!(agents(&["b", "a", "b"]), agents(&["a", "b"]));
}

#[test]
fn parsing_a_scope_names_the_first_bad_item() {
    let invalid = Scope::<AgentId>::parse(["a", "b c", ""]).unwrap_err();
    assert_eq!((invalid.field, invalid.item), (Field::Agents, Some(2)));
    assert_eq!(invalid.rule, character(2, VISIBLE));
    assert_eq!(
        invalid.to_string(),
        "agents (item 2) must be visible ASCII without spaces, character 2 is not"
    );
    let invalid = Scope::<PromptId>::parse(["a", "a", ""]).unwrap_err();
    assert_eq!(invalid.to_string(), "prompts (item 3) must have 1 to 128 bytes, has 0");
}

#[test]
fn a_scope_is_all_or_an_array_and_nothing_else_means_either() {
    assert_eq!(serde_json::from_str::<Scope<AgentId>>("\"all\"").unwrap(), Scope::All);
    assert!(serde_json::from_str::<Scope<AgentId>>("[]").unwrap().is_none());
    assert_eq!(serde_json::from_str::<Scope<AgentId>>("[\"all\"]").unwrap(), agents(&["all"]));
    for bad in ["null", "\"\"", "\"All\"", "\"*\"", "\"none\"", "{}", "0", "true", "[null]", "[[\"a\"]]"] {
        assert!(serde_json::from_str::<Scope<AgentId>>(bad).is_err(), "{bad}");
    }
    let scope = serde_json::from_str::<Scope<AgentId>>("0").unwrap_err().to_string();
    assert!(scope.contains("expected \"all\" or an array of ids"), "{scope}");
    let ids = serde_json::from_str::<IdSet<AgentId>>("0").unwrap_err().to_string();
    assert!(ids.contains("expected an array of ids"), "{ids}");
    let form = serde_json::from_str::<ScopeForm>("0").unwrap_err().to_string();
    assert!(form.contains("expected \"all\" or an array of ids"), "{form}");
    for scope in [Scope::All, Scope::none(), agents(&["a", "b"])] {
        let json = serde_json::to_string(&scope).unwrap();
        assert_eq!(serde_json::from_str::<Scope<AgentId>>(&json).unwrap(), scope);
    }
}

#[test]
fn a_scope_allows_what_it_names_and_all_of_it_when_it_is_all() {
    let [a, b, c] = ["a", "b", "c"].map(|id| AgentId::new(id).unwrap());
    let some = agents(&["c", "a"]);
    assert!(some.allows(&a) && !some.allows(&b) && Scope::All.allows(&b) && !Scope::none().allows(&b));
    assert!(!some.is_none() && !Scope::<AgentId>::All.is_none() && Scope::<AgentId>::none().is_none());
    assert_eq!(agents(&["b"]).sole(), Some(&b));
    for other in [some, Scope::none(), Scope::All] {
        assert_eq!(other.sole(), None);
    }
    let ids = IdSet::new([c.clone(), a.clone()]).unwrap();
    assert_eq!(Vec::from_iter(&ids), [&a, &c]);
    assert!(ids.contains(&c) && !ids.contains(&b) && !ids.is_empty());
    assert!(IdSet::<AgentId>::default().is_empty());
}
