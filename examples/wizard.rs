//! A person makes a key at a terminal: four guided steps, a review, and the token shown once.
//!
//! Run it with `cargo run --example wizard`; it also reads its answers from a pipe. The answers are kept as raw
//! text in a `KeyForm`, as a web page would keep them, and the form's own review judges each one as it is given.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, BufRead, IsTerminal, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use access_keys::clock::{Clock, SystemClock};
use access_keys::domain::{Field, Rule, ScopeForm};
use access_keys::store::MemoryStore;
use access_keys::{
    AccessKey, AccessKeys, Actor, EnvironmentId, Invalid, Issued, KeyForm, ProjectId, ProjectKeys,
};

type Outcome<T> = Result<T, Box<dyn Error>>;
/// An answer, and what it stands for.
type Choice = (&'static str, &'static str);

const STEPS: [&str; 4] = ["key info", "agent access", "prompt access", "review and generate"];

const ENVIRONMENTS: &[Choice] = &[
    ("production", "real customers"),
    ("staging", "a rehearsal of the next release"),
    ("development", "the team's own machines"),
];

// What a host would read from its own database.
const AGENTS: &[Choice] = &[
    ("support-bot", "answers customers"),
    ("triage", "sorts incoming tickets"),
    ("billing", "explains invoices"),
    ("researcher", "reads the web and cites it"),
];
const PROMPTS: &[Choice] = &[
    ("greeting", "opens a conversation"),
    ("summary", "sums up a long thread"),
    ("refund", "offers money back"),
];

struct Question {
    field: Field,
    ask: &'static str,
    /// What can be picked, by number or name; free text when there is nothing.
    choices: &'static [Choice],
}

/// The first four are step 1, each other is a step of its own, and the review follows.
const QUESTIONS: [Question; 6] = [
    Question { field: Field::Name, ask: "Name (what people will see)", choices: &[] },
    Question { field: Field::Description, ask: "Description (if you like; - for none)", choices: &[] },
    Question { field: Field::Environment, ask: "Environment (number or name)", choices: ENVIRONMENTS },
    Question {
        field: Field::ExpiresAt,
        ask: "Expires (days, a date or time in UTC, or never)",
        choices: &[],
    },
    Question { field: Field::Agents, ask: "Agents (numbers or names, or all, or none)", choices: AGENTS },
    Question { field: Field::Prompts, ask: "Prompts (numbers or names, or all, or none)", choices: PROMPTS },
];

const fn step(at: usize) -> usize {
    if at < 4 { 1 } else { at - 2 }
}

/// The question before within the step, or the first one of the step before.
const fn before(at: usize) -> usize {
    if at == 4 { 0 } else { at - 1 }
}

fn main() -> ExitCode {
    match Wizard::new().and_then(|mut wizard| wizard.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

struct Wizard {
    keys: AccessKeys<MemoryStore>,
    project: ProjectKeys<MemoryStore>,
    form: KeyForm,
    input: io::StdinLock<'static>,
    /// Where the person is and what has come of it, for when the input ends too soon.
    place: String,
}

impl Wizard {
    fn new() -> Outcome<Self> {
        let mut builder = AccessKeys::builder(MemoryStore::new());
        // A token says where it belongs, and is refused elsewhere without a look-up.
        for ((environment, _), prefix) in ENVIRONMENTS.iter().zip(["acme_live", "acme_stage", "acme_dev"]) {
            builder = builder.environment_prefix(EnvironmentId::new(environment)?, prefix);
        }
        let keys = builder.build()?;
        let project = keys.project(ProjectId::new("checkout")?, Actor::user("ada")?);
        let mut form = KeyForm::default();
        form.expires_at = expiry("90");
        Ok(Self { keys, project, form, input: io::stdin().lock(), place: String::new() })
    }

    fn run(&mut self) -> Outcome<()> {
        println!("{}", bold("A new access key for the project checkout, in four steps."));
        println!("Enter keeps what stands in [brackets], back goes back, nothing exists before you say yes.");
        let mut next = Some(0);
        while let Some(at) = next {
            next = match QUESTIONS.get(at) {
                Some(question) => Some(self.ask(at, question)?),
                None => self.review(at)?,
            };
        }
        Ok(())
    }

    /// Asks until the answer is good, and tells where to go on.
    fn ask(&mut self, at: usize, question: &Question) -> Outcome<usize> {
        if at == 0 || at >= 4 {
            self.title(step(at));
        }
        show_choices(question);
        loop {
            let kept = get(&self.form, question.field);
            let offer = if kept.is_empty() { kept } else { format!(" [{kept}]") };
            let answer = self.read(&format!("{}{offer}: ", question.ask))?;
            if answer.eq_ignore_ascii_case("back") {
                if at > 0 {
                    return Ok(before(at));
                }
                complain("there is nothing before this question");
                continue;
            }
            let mut tried = self.form.clone();
            if !answer.is_empty() {
                set(&mut tried, question.field, &picked(question.choices, &answer));
            }
            match self.mistake(at, &tried).or_else(|| not_offered(question, &tried)) {
                Some(why) => complain(why),
                None => {
                    self.form = tried;
                    return Ok(at + 1);
                }
            }
        }
    }

    /// What the library says against the answers up to and with question `at`.
    fn mistake(&self, at: usize, form: &KeyForm) -> Option<String> {
        let (asked, to_come) = QUESTIONS.split_at(at + 1);
        let mut so_far = form.clone();
        to_come.iter().for_each(|later| set(&mut so_far, later.field, ""));
        let mistakes = self.project.review(&so_far).err()?;
        let is_asked = |why: &&Invalid| asked.iter().any(|asked| asked.field == why.field);
        // An environment without a prefix is none of those in the list, and told as that.
        let mut relevant = mistakes.iter().filter(is_asked).filter(|why| why.rule != Rule::NoPrefix);
        relevant.next().map(ToString::to_string)
    }

    /// Shows what the key will be and makes it on a yes; tells where to go on, if anywhere.
    fn review(&mut self, at: usize) -> Outcome<Option<usize>> {
        self.title(4);
        // All was good when it was answered, but an expiry can pass while a person thinks.
        let Ok(review) = self.project.review(&self.form).inspect_err(|why| complain(why)) else {
            return Ok(Some(0));
        };
        println!("{review}\n");
        loop {
            match self.read("Create this key? (yes, back or no): ")?.to_ascii_lowercase().as_str() {
                "yes" | "y" => break,
                "back" => return Ok(Some(before(at))),
                "no" | "n" => {
                    println!("Nothing was created.");
                    return Ok(None);
                }
                _ => complain("please say yes, back or no"),
            }
        }
        match pollster::block_on(self.project.generate(review)) {
            Ok(issued) => self.try_out(issued).map(|()| None),
            Err(access_keys::Error::Invalid(why)) => {
                complain(why);
                Ok(Some(0))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Shows the token, and says of tokens that are pasted what each is good for.
    fn try_out(&mut self, issued: Issued) -> Outcome<()> {
        let AccessKey { id, environment, .. } = issued.key;
        self.place = format!("after key {id} was created and its token shown");
        println!("\n{}", bold(&format!("Key {id} is created. This is its token:")));
        println!("\n{}\n", issued.token.expose());
        // Its memory is overwritten: from here on nobody but the person knows it.
        drop(issued.token);
        println!("Copy it now: it will not be shown again. Whoever has it can use the key.");
        println!("Then paste it here to see what {environment} says to it. An empty line ends.");
        loop {
            let token = self.read_hidden("Token")?;
            if token.is_empty() {
                println!("Done. This example keeps keys in memory, so this one is gone now.");
                return Ok(());
            }
            match pollster::block_on(self.keys.verify(&token, &environment)) {
                Ok(grant) => {
                    let AccessKey { id, name, agents, prompts, .. } = grant.key();
                    println!("  Accepted in {environment}: key {id}, {name}");
                    println!("  It may call {agents}\n          and {prompts}");
                }
                Err(denial) => println!("  Refused with HTTP status {}: {denial}", denial.status()),
            }
        }
    }

    fn title(&mut self, step: usize) {
        let name = STEPS[step - 1];
        self.place = format!("in step {step} of 4 ({name}); nothing was created");
        println!("\n{}", bold(&format!("Step {step} of 4: {name}")));
    }

    fn read(&mut self, prompt: &str) -> Outcome<String> {
        print!("{prompt}");
        io::stdout().flush()?;
        let mut line = Vec::new();
        let ended = self.input.read_until(b'\n', &mut line)? == 0;
        if ended || !io::stdin().is_terminal() {
            println!();
        }
        if ended {
            return Err(format!("The input ended {}.", self.place).into());
        }
        Ok(String::from_utf8_lossy(&line).trim().to_owned())
    }

    /// Reads without showing what is typed, where the terminal can do that.
    fn read_hidden(&mut self, prompt: &str) -> Outcome<String> {
        let Some(hidden) = Hidden::begin() else { return self.read(&format!("{prompt}: ")) };
        let answer = self.read(&format!("{prompt} (not shown as you type): "));
        drop(hidden);
        println!();
        answer
    }
}

/// While it lives the terminal shows nothing of what is typed.
struct Hidden(String);

impl Hidden {
    fn begin() -> Option<Self> {
        let before = io::stdin().is_terminal().then(|| stty("-g")).flatten()?;
        stty("-echo").map(|_| Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        stty(&self.0);
    }
}

fn stty(setting: &str) -> Option<String> {
    let ran = Command::new("stty").arg(setting).stdin(Stdio::inherit()).output().ok()?;
    ran.status.success().then(|| String::from_utf8_lossy(&ran.stdout).trim().to_owned())
}

fn get(form: &KeyForm, field: Field) -> String {
    match field {
        Field::Name => form.name.clone(),
        Field::Description => form.description.clone(),
        Field::Environment => form.environment.clone(),
        Field::ExpiresAt => form.expires_at.trim_end_matches("T00:00").replace('T', " "),
        Field::Agents => scope_text(&form.agents),
        _ => scope_text(&form.prompts),
    }
}

fn set(form: &mut KeyForm, field: Field, answer: &str) {
    match field {
        Field::Name => form.name = answer.to_owned(),
        Field::Description => form.description = if answer == "-" { "" } else { answer }.to_owned(),
        Field::Environment => form.environment = answer.to_owned(),
        Field::ExpiresAt => form.expires_at = expiry(answer),
        Field::Agents => form.agents = scope(answer),
        _ => form.prompts = scope(answer),
    }
}

/// What the form reads as an expiry: days end at the nearest midnight, and a date is its first moment.
fn expiry(answer: &str) -> String {
    let number = answer.strip_suffix(" days").or(answer.strip_suffix(" day")).unwrap_or(answer);
    if let Ok(days) = number.parse::<u16>() {
        let end = SystemClock.wall() + Duration::from_secs(u64::from(days) * 86_400 + 43_200);
        return end.format("%Y-%m-%dT00:00").to_string();
    }
    if answer.eq_ignore_ascii_case("never") {
        return "never".to_owned();
    }
    let date = answer.len() == 10 && answer.chars().all(|c| c.is_ascii_digit() || c == '-');
    if date { format!("{answer}T00:00") } else { answer.replace(' ', "T") }
}

fn scope(answer: &str) -> ScopeForm {
    match answer {
        "" => ScopeForm::Unanswered,
        "all" => ScopeForm::All,
        "none" => ScopeForm::Specific(Vec::new()),
        names => names.split(", ").collect(),
    }
}

fn scope_text(form: &ScopeForm) -> String {
    match form {
        ScopeForm::Unanswered => String::new(),
        ScopeForm::All => "all".to_owned(),
        ScopeForm::Specific(names) if names.is_empty() => "none".to_owned(),
        ScopeForm::Specific(names) => names.join(", "),
    }
}

/// The answer with names for the numbers in it; free text as it is.
fn picked(choices: &[Choice], answer: &str) -> String {
    if choices.is_empty() {
        return answer.to_owned();
    }
    let name = |item: &str| {
        let by_number = item.parse::<usize>().ok().and_then(|n| choices.get(n.checked_sub(1)?));
        let mut names = choices.iter().map(|(name, _)| *name).chain(["all", "none"]);
        let by_name = || names.find(|name| name.eq_ignore_ascii_case(item));
        by_number.map(|(name, _)| *name).or_else(by_name).unwrap_or(item).to_owned()
    };
    let items = answer.split([',', ' ', '\t']).filter(|item| !item.is_empty());
    items.map(name).collect::<Vec<_>>().join(", ")
}

/// The host's own rule: only what its list shows. It repeats no text, which could be a token in the wrong place.
fn not_offered(Question { field, choices, .. }: &Question, form: &KeyForm) -> Option<String> {
    let answer = get(form, *field);
    if choices.is_empty() || is_scope(*field) && ["all", "none"].contains(&&*answer) {
        return None;
    }
    let stray = answer.split(", ").position(|item| choices.iter().all(|(name, _)| *name != item))?;
    let which = if is_scope(*field) { format!(" (item {})", stray + 1) } else { String::new() };
    Some(format!("{field}{which} is not in the list above"))
}

fn show_choices(question: &Question) {
    for (i, (name, about)) in question.choices.iter().enumerate() {
        println!("  {}  {name:<12} {about}", i + 1);
    }
    if is_scope(question.field) {
        println!("     {:<12} all {field}, including those created later", "all", field = question.field);
        println!("     {:<12} no {}", "none", question.field);
    }
}

fn is_scope(field: Field) -> bool {
    matches!(field, Field::Agents | Field::Prompts)
}

fn complain(why: impl Display) {
    println!("  ! {why}");
}

fn bold(text: &str) -> String {
    let styled = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    if styled { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}
