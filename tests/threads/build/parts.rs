//! The parts of which every order is gone through, each as it is and with one mistake.

use crate::copy::Copy;

pub(crate) fn write() {
    line();
    waiting();
    rules();
}

/// The face that readers look at.
fn line() {
    const STORE_DEADLINE: &str = "        self.good_until.store(face.good_until, Ordering::Release);\n";
    const STORE_OFFSET: &str = "        self.offset.store(face.offset, Ordering::Release);\n";
    const LOAD_OFFSET: &str = "        let offset = self.offset.load(Ordering::Acquire);\n";
    const LOAD_DEADLINE: &str = "        let good_until = self.good_until.load(Ordering::Acquire);\n";
    const LOAD_GENERATION: &str = "        let generation = self.generation.load(Ordering::Acquire);\n";
    const TURN: &str = "NEXT.fetch_add(1, Ordering::Relaxed), Ordering::Release";

    let right = Copy::of("verify/line.rs")
        .starting("use std::sync::atomic")
        .replace("use std::sync::atomic::", "use loom::sync::atomic::")
        // What a macro makes has no documentation.
        .replace("/// Unique in the process", "// Unique in the process")
        .replace(
            "        static NEXT: AtomicU64 = AtomicU64::new(1);\n",
            "        loom::lazy_static! { static ref NEXT: AtomicU64 = AtomicU64::new(1); }\n",
        );
    right.write("line/right.rs");
    let other_order = |line: &str, other: &str| right.clone().line_before(line, other);
    other_order(STORE_OFFSET, STORE_DEADLINE).write("line/offset_stored_first.rs");
    other_order(LOAD_DEADLINE, LOAD_OFFSET).write("line/deadline_read_first.rs");
    other_order(LOAD_GENERATION, LOAD_DEADLINE).write("line/generation_read_first.rs");
    let relaxed = |step: &str| {
        let weak = step.replace("Release", "Relaxed").replace("Acquire", "Relaxed");
        right.clone().replace(step, &weak)
    };
    relaxed(STORE_DEADLINE).write("line/deadline_stored_relaxed.rs");
    relaxed(STORE_OFFSET).write("line/offset_stored_relaxed.rs");
    relaxed(TURN).write("line/generation_stored_relaxed.rs");
    relaxed(LOAD_DEADLINE).write("line/deadline_read_relaxed.rs");
    relaxed(LOAD_OFFSET).write("line/offset_read_relaxed.rs");
    relaxed(LOAD_GENERATION).write("line/generation_read_relaxed.rs");
}

/// An answer that some wait for, and the bell that wakes them.
fn waiting() {
    let bell = Copy::of("store/wakeup.rs").starting("use std::collections").without_tests().replace(
        "use std::sync::{Mutex, MutexGuard, PoisonError};",
        "use std::sync::PoisonError;\nuse loom::sync::{Mutex, MutexGuard};",
    );
    let flight = Copy::of("verify/flight.rs")
        .starting("use std::future")
        .replace("use std::sync::{Arc, OnceLock};", "use std::sync::Arc;\nuse crate::once::OnceLock;")
        .replace("use crate::store::Wakeup;", "use super::wakeup::Wakeup;")
        .replace("self.outcome.get().cloned()", "self.outcome.get()");
    let version = |name: &str, bell: &Copy, flight: &Copy| {
        bell.write(format!("waiting/{name}/wakeup.rs"));
        flight.write(format!("waiting/{name}/flight.rs"));
    };
    version("right", &bell, &flight);

    let deaf = bell.clone().replace("if state.rung != ticket.rung {", "if state.rung < ticket.rung {");
    version("rings_are_not_counted", &deaf, &flight);
    let anew = bell.clone().replace(
        "let ticket = Ticket::take(self);\n        poll_fn(|context| {",
        "poll_fn(|context| {\n            let ticket = std::mem::ManuallyDrop::new(Ticket::take(self));",
    );
    version("counts_anew_at_each_poll", &anew, &flight);

    let looks_first = flight.clone().replace(
        "            let listening = landed.as_mut().poll(context);
            self.outcome.get().map_or(listening.map(|()| None), Poll::Ready)\n",
        "            if let Some(outcome) = self.outcome.get() {
                return Poll::Ready(outcome);
            }
            landed.as_mut().poll(context).map(|()| None)\n",
    );
    version("looks_before_it_listens", &bell, &looks_first);
    let silent = flight.clone().replace(
        "        if self.outcome.set(outcome).is_ok() {\n",
        "        let gave_up = outcome.is_none();
        if self.outcome.set(outcome).is_ok() && !gave_up {\n",
    );
    version("rings_for_no_one_who_gave_up", &bell, &silent);
    let rings_first = flight.clone().replace(
        "        if self.outcome.set(outcome).is_ok() {\n            self.landed.ring();\n        }\n",
        "        self.landed.ring();\n        let _ = self.outcome.set(outcome);\n",
    );
    version("rings_before_it_lands", &bell, &rings_first);
}

/// The rules of freshness.
fn rules() {
    const FILES: [&str; 8] = ["announce", "board", "clocks", "core", "event", "mod", "reads", "revoked"];
    let version = |name: &str, file: &str, right: &str, wrong: &str| {
        for copied in FILES {
            let copy = Copy::of(format!("verify/freshness/{copied}.rs")).without_tests();
            let copy = if copied == "mod" { copy.starting("mod announce;") } else { copy };
            let copy = if copied == file { copy.replace(right, wrong) } else { copy };
            copy.write(format!("rules/{name}/{copied}.rs"));
        }
    };
    version("right", "", "", "");
    version(
        "marks_no_read",
        "reads",
        "            read.kind = Kind::Fenced;\n",
        "            let _ = read;\n",
    );
    version(
        "fences_nothing",
        "core",
        "        board.remove(id);\n        self.reads.fence(id);\n",
        "        board.remove(id);\n",
    );
    version(
        "publishes_before_it_removes",
        "core",
        "        // First the rows, then the cursor, and only then the lease that rests on them.\n",
        "        self.follow(state.limit, asked.sent);
        self.publish(board, asked.sent.saturating_add(self.lease()), now);\n",
    );
    version(
        "never_removes",
        "core",
        "        board.remove(id);\n        self.reads.fence(id);\n",
        "        let _ = board;\n        self.reads.fence(id);\n",
    );
}
