//! The wizard at a real terminal: every step, wrong answers, going back, the token shown once and tried.
#![cfg(unix)]

mod driver;

use std::process::Command;

use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};

/// The longest that any one thing may take to appear.
const PATIENCE_MS: u64 = 30_000;
const TOKEN: &str = "acme_live_[0-9A-Za-z]{16}_[0-9A-Za-z]{38}";

const NAME: &str = "Name (what people will see): ";
const DESCRIPTION: &str = "Description (if you like; - for none): ";
const ENVIRONMENT: &str = "Environment (number or name): ";
const EXPIRY: &str = "Expires (days, a date or time in UTC, or never) [";
const AGENTS: &str = "Agents (numbers or names, or all, or none): ";
const PROMPTS: &str = "Prompts (numbers or names, or all, or none): ";
const CONFIRM: &str = "Create this key? (yes, back or no): ";
const TRY: &str = "Token (not shown as you type): ";
const QUESTIONS: [&str; 8] = [NAME, DESCRIPTION, ENVIRONMENT, EXPIRY, AGENTS, PROMPTS, CONFIRM, TRY];

/// A person at a terminal.
struct Person {
    terminal: PtySession,
    /// All that the terminal has shown, what was typed included.
    shown: String,
}

impl Person {
    fn sits_down() -> Self {
        // A new pseudo-terminal hides what is typed; a person's shows it.
        let mut shell = Command::new("sh");
        shell.args(["-c", "stty echo && exec \"$0\""]).arg(driver::wizard());
        Self { terminal: spawn_command(shell, Some(PATIENCE_MS)).unwrap(), shown: String::new() }
    }

    fn sees(&mut self, text: &str) {
        let before = self.terminal.exp_string(text).unwrap_or_else(|why| panic!("{why}"));
        self.shown.extend([before.as_str(), text]);
    }

    fn finds(&mut self, pattern: &str) -> String {
        let (before, found) = self.terminal.exp_regex(pattern).unwrap_or_else(|why| panic!("{why}"));
        self.shown.extend([before.as_str(), found.as_str()]);
        found
    }

    fn types(&mut self, answer: &str) {
        self.terminal.send_line(answer).unwrap();
    }

    /// Waits for the question with what it offers, if anything, and answers it.
    fn answers(&mut self, question: &str, answer: &str) {
        self.sees(question);
        self.types(answer);
    }

    fn answers_all(&mut self, answers: &[&str]) {
        for (question, answer) in QUESTIONS.iter().zip(answers) {
            self.answers(question, answer);
        }
    }

    /// Gives an answer that is not taken, and sees why.
    fn errs(&mut self, question: &str, answer: &str, reason: &str) {
        self.answers(question, answer);
        self.sees(&format!("  ! {reason}\r\n"));
    }

    /// The exit status, once the wizard has ended; and all that was shown.
    fn leaves(mut self) -> (i32, String) {
        self.shown += &self.terminal.exp_eof().unwrap_or_else(|why| panic!("{why}"));
        match self.terminal.process().wait().unwrap() {
            WaitStatus::Exited(_, code) => (code, self.shown),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_person_errs_goes_back_and_ends_with_a_token_that_is_shown_once_and_works() {
    let mut person = Person::sits_down();

    person.sees("Step 1 of 4: key info");
    person.errs(NAME, "back", "there is nothing before this question");
    person.errs(NAME, "", "name must have 1 to 100 characters, has 0");
    person.answers(NAME, "Mobile app");
    let long = "x".repeat(1_001);
    person.errs(DESCRIPTION, &long, "description must have at most 1000 characters, has 1001");
    person.answers(DESCRIPTION, "iOS and Android");
    person.sees("1  production");
    person.errs(ENVIRONMENT, "", "environment must have 1 to 128 bytes, has 0");
    let reason = "environment must be visible ASCII without spaces, character 5 is not";
    person.errs(ENVIRONMENT, "prod\u{fc}ction", reason);
    person.errs(ENVIRONMENT, "4", "environment is not in the list above");
    person.answers(ENVIRONMENT, "1");
    let reason = "expires_at must be never or a time such as 2030-01-31T12:00:00Z, is other text of 8 bytes";
    person.errs(EXPIRY, "tomorrow", reason);
    person.answers(EXPIRY, "2001-01-01");
    person.sees("  ! expires_at must be later than now");
    person.answers(EXPIRY, "2999-12-31 18:00");

    person.sees("Step 2 of 4: agent access");
    person.sees("all agents, including those created later");
    person.errs(AGENTS, "", "agents is missing, must be \"all\" or a list of ids");
    let reason = "agents (item 2) must be visible ASCII without spaces, character 8 is not";
    person.errs(AGENTS, "triage soporte\u{f1}", reason);
    person.errs(AGENTS, "all, 2", "agents (item 1) is not in the list above");
    person.errs(AGENTS, "1, 2, 5", "agents (item 3) is not in the list above");
    person.answers(AGENTS, "2, support-bot");

    person.sees("Step 3 of 4: prompt access");
    person.sees("all prompts, including those created later");
    person.errs(PROMPTS, "greeting zzz", "prompts (item 2) is not in the list above");
    person.answers(PROMPTS, "back");

    person.sees("Step 2 of 4: agent access");
    let reason = "agents (item 1) is not in the list above";
    person.errs("all, or none) [triage, support-bot]: ", "nobody", reason);
    person.answers("all, or none) [triage, support-bot]: ", "back");

    person.sees("Step 1 of 4: key info");
    person.errs(
        "see) [Mobile app]: ",
        "\u{200b}",
        "name must have a character that can be seen, has 1 that cannot",
    );
    person.answers("see) [Mobile app]: ", "");
    person.answers("for none) [iOS and Android]: ", "iOS, Android and web");
    person.answers("or name) [production]: ", "back");
    person.answers("for none) [iOS, Android and web]: ", "");
    person.answers("or name) [production]: ", "");
    person.answers("or never) [2999-12-31 18:00]: ", "");
    person.answers("[triage, support-bot]: ", "");
    person.sees("Step 3 of 4: prompt access");
    person.answers(PROMPTS, "ALL");

    person.sees("Step 4 of 4: review and generate");
    person.errs(CONFIRM, "perhaps", "please say yes, back or no");
    person.answers(CONFIRM, "back");
    person.sees("Step 3 of 4: prompt access");
    person.answers("all, or none) [all]: ", "");

    person.sees("Step 4 of 4: review and generate");
    person.sees("Name         Mobile app\r\n");
    person.sees("Description  iOS, Android and web\r\n");
    person.sees("Environment  production (fixed for the life of the key)\r\n");
    person.sees("Agents       only these 2 agents: support-bot, triage\r\n");
    person.sees("Prompts      all prompts, including those created later\r\n");
    person.sees("Expires      2999-12-31 18:00 UTC");
    person.answers(CONFIRM, "yes");

    let token = person.finds(TOKEN);
    person.sees("it will not be shown again");
    person.answers(TRY, &token);
    person.sees("Accepted in production: key ");
    person.sees("It may call only these 2 agents: support-bot, triage");
    person.sees("and all prompts, including those created later");
    let (whole, last) = token.split_at(token.len() - 1);
    let mangled = format!("{whole}{}", if last == "x" { "y" } else { "x" });
    person.answers(TRY, &mangled);
    person.sees("Refused with HTTP status 401: the token is malformed");
    person.answers(TRY, "");
    person.sees("Done.");

    let (status, shown) = person.leaves();
    assert_eq!(status, 0);
    assert!(shown.contains("see): Mobile app"), "this terminal does not show what is typed");
    assert_eq!(shown.matches(whole).count(), 1, "the token was shown more than once");
}

#[test]
fn a_token_of_another_key_is_malformed_elsewhere_or_unrecognized_here() {
    let token_for = |environment: &str| {
        let mut person = Person::sits_down();
        person.answers_all(&["Mobile app", "", environment, "never", "1", "none", "yes"]);
        person.sees("This is its token:");
        let token = person.finds("acme_[a-z]+_[0-9A-Za-z]{16}_[0-9A-Za-z]{38}");
        (person, token)
    };
    let (mut here, _) = token_for("production");
    let (_, of_another_store) = token_for("production");
    let (_, of_staging) = token_for("staging");
    here.answers(TRY, &of_another_store);
    here.sees("Refused with HTTP status 401: the token is not recognized");
    here.answers(TRY, &of_staging);
    here.sees("Refused with HTTP status 401: the token is malformed");
    here.answers(TRY, "");
    assert_eq!(here.leaves().0, 0);
}

#[test]
fn the_end_of_the_input_stops_each_step_with_a_word_and_a_failure() {
    let answers = ["Mobile app", "", "1", "never", "all", "none", "yes"];
    for (answered, last) in QUESTIONS.iter().enumerate() {
        let mut person = Person::sits_down();
        person.answers_all(&answers[..answered]);
        person.sees(last);
        person.terminal.send_control('d').unwrap();
        person.sees(match answered {
            0..=3 => "The input ended in step 1 of 4 (key info); nothing was created.",
            4 => "The input ended in step 2 of 4 (agent access); nothing was created.",
            5 => "The input ended in step 3 of 4 (prompt access); nothing was created.",
            6 => "The input ended in step 4 of 4 (review and generate); nothing was created.",
            _ => "was created and its token shown.",
        });
        assert_eq!(person.leaves().0, 1);
    }
}
