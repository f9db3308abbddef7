//! The wizard fed from a pipe, all answers up front: the same steps, and an end that is told.

mod driver;

use std::io::{Read, Write};
use std::process::{Command, Stdio};

/// More than any walk shows, so that a wizard which asks for ever is noticed.
const OUTPUT_MAX: u64 = 1 << 20;
const WALK: [&str; 8] = ["Mobile app", "iOS", "2", "Never", "1 3", "all", "yes", ""];

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn fed(input: &[u8]) -> Ran {
    let piped = || Stdio::piped();
    let mut wizard = Command::new(driver::wizard());
    let mut wizard = wizard.stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
    // A wizard that has ended early reads no more, which is not this side's failure.
    let _ = wizard.stdin.take().unwrap().write_all(input);
    let (mut out, mut err) = (String::new(), String::new());
    wizard.stdout.take().unwrap().take(OUTPUT_MAX).read_to_string(&mut out).unwrap();
    assert!((out.len() as u64) < OUTPUT_MAX, "it goes on and on");
    wizard.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    Ran { code: wizard.wait().unwrap().code(), out, err }
}

fn answering(answers: &[&str]) -> Ran {
    fed(answers.iter().map(|answer| format!("{answer}\n")).collect::<String>().as_bytes())
}

#[track_caller]
fn assert_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} is not in what is left: {rest}"));
        rest = &rest[at + part.len()..];
    }
}

fn tokens(text: &str) -> usize {
    text.lines().filter(|line| line.starts_with("acme_") && line.len() > 60).count()
}

#[test]
fn all_answers_up_front_make_a_key_whose_token_is_shown_once() {
    let ran = answering(&WALK);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert_eq!(tokens(&ran.out), 1);
    assert_in_order(
        &ran.out,
        &[
            "Step 1 of 4: key info\n",
            "Step 2 of 4: agent access\n",
            "all agents, including those created later\n",
            "Step 3 of 4: prompt access\n",
            "all prompts, including those created later\n",
            "Step 4 of 4: review and generate\n",
            "Name         Mobile app\n",
            "Description  iOS\n",
            "Environment  staging (fixed for the life of the key)\n",
            "Agents       only these 2 agents: billing, support-bot\n",
            "Prompts      all prompts, including those created later\n",
            "Expires      never\n",
            "\nacme_stage_",
            "it will not be shown again",
            "Done.",
        ],
    );
    assert!(!ran.out.contains('\u{1b}'), "a pipe is sent no colours");
}

#[test]
fn wrong_answers_and_ways_back_work_as_at_the_keyboard() {
    let step_1 = ["", "Mobile app", "-", "qa", "production", "back", "", "PRODUCTION", "soon", "30 days"];
    let step_2 = ["9", "none"];
    let step_3 = ["none", "back", "back", "", "A phone", "", "", "triage", "none"];
    let step_4 = ["maybe", "back", "2,refund", "yes", "acme_live_7Hq2LkP9sTz4WcX1_notAToken", ""];
    let ran = answering(&[&step_1[..], &step_2, &step_3, &step_4].concat());
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert_eq!(tokens(&ran.out), 1);
    assert_in_order(
        &ran.out,
        &[
            "  ! name must have 1 to 100 characters, has 0\n",
            "  ! environment is not in the list above\n",
            "  ! expires_at must be never or a time",
            "  ! agents (item 1) is not in the list above\n",
            "  ! agents and prompts are both empty, the key would reach nothing\n",
            "or none) [none]: \n",
            "Step 1 of 4: key info\n",
            "(what people will see) [Mobile app]: \n",
            "(number or name) [production]: \n",
            "  ! please say yes, back or no\n",
            "or none) [none]: \n",
            "Description  A phone\n",
            "Agents       only the agent triage\n",
            "Prompts      only these 2 prompts: refund, summary\n",
            "  Refused with HTTP status 401: the token is malformed, or has the prefix of another environment\n",
            "Done.",
        ],
    );
    assert!(!ran.out.contains("notAToken"), "what is given as a token is not shown");
}

#[test]
fn a_no_creates_nothing_and_is_no_failure() {
    let mut answers = WALK;
    answers[6] = "no";
    let ran = answering(&answers);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    assert!(ran.out.ends_with("Nothing was created.\n"));
    assert_eq!(tokens(&ran.out), 0);
}

#[test]
fn an_answer_left_out_takes_what_is_offered_but_never_access() {
    let ran = answering(&["Mobile app", "", "1", "", ""]);
    assert_in_order(&ran.out, &["or never) [2", "Step 2 of 4", "  ! agents is missing, must be \"all\""]);
    assert_eq!(ran.code, Some(1));
}

#[test]
fn the_end_of_the_input_stops_each_step_with_a_word_and_a_failure() {
    for answered in 0..WALK.len() {
        let ran = answering(&WALK[..answered]);
        let place = match answered {
            0..=3 => "in step 1 of 4 (key info); nothing was created",
            4 => "in step 2 of 4 (agent access); nothing was created",
            5 => "in step 3 of 4 (prompt access); nothing was created",
            6 => "in step 4 of 4 (review and generate); nothing was created",
            _ => "was created and its token shown",
        };
        assert_eq!(ran.code, Some(1), "after {answered} answers");
        assert!(ran.err.starts_with("The input ended ") && ran.err.ends_with(&format!("{place}.\n")));
        assert_eq!(tokens(&ran.out), usize::from(answered == 7));
    }
}

#[test]
fn line_ends_of_any_system_and_bytes_that_are_no_text_are_survived() {
    let ran = fed(b"Mobile app\r\n\r\n1\r\nnever\r\n\xff\xfe\r\nall\r\nall\r\nyes\r\n");
    assert_in_order(&ran.out, &["  ! agents (item 1) must be visible ASCII", "Step 4 of 4", "Token: \n"]);
    assert_eq!(ran.code, Some(1));
    let ran = fed(WALK.join("\n").as_bytes());
    assert_eq!(ran.code, Some(1), "the last line is the end, not an empty answer");
}

#[test]
fn what_two_steps_reach_together_is_judged_in_the_later_one() {
    let ran = answering(&["Mobile app", "", "1", "", "1", "none", "back", "back", "none", "", "all", "no"]);
    let refused = "  ! agents and prompts are both empty, the key would reach nothing\n";
    let steps = ["Step 4 of 4", "Step 3 of 4", "Step 2 of 4", "Step 3 of 4", refused, "Step 4 of 4"];
    assert_in_order(&ran.out, &steps);
    assert_eq!(ran.code, Some(0));
}
