//! Wrong readings of the rules, as changes to the text of the core.

/// What is written instead of what, in which file.
pub(crate) struct Change {
    pub(crate) file: &'static str,
    pub(crate) right: &'static str,
    pub(crate) wrong: &'static str,
}

pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) changes: &'static [Change],
}

const fn change(file: &'static str, right: &'static str, wrong: &'static str) -> Change {
    Change { file, right, wrong }
}

const FENCED_ROW_IS_HANDED_OUT: Change =
    change("core.rs", "Kind::Fenced => return None,", "Kind::Fenced => return Some(row),");
const FENCED_IS_JOINED: Change = change(
    "reads.rs",
    "let place = self.joinable.remove(&id);\n",
    "let place = self.joinable.get(&id).copied();\n",
);
const FENCED_ENDS_AS_SHARED: Change = change(
    "reads.rs",
    "if read.kind == Kind::Shared {\n            self.joinable.remove",
    "if read.kind != Kind::Own {\n            self.joinable.remove",
);
const FENCE_ALL_KEEPS_JOINABLE: Change = change(
    "reads.rs",
    "while let Some((id, _)) = self.joinable.first_key_value() {\n            self.fence(*id);",
    "for id in self.joinable.keys().copied().collect::<Vec<_>>() {\n            self.fence(id);",
);
const NO_JOIN: Change = change(
    "core.rs",
    "if let Some(place) = self.reads.joinable(id) {",
    "if let Some(place) = self.reads.joinable(id).filter(|_| false) {",
);
/// Without the rule that there is at most one, a fence must still reach every read of the key.
const FENCE_REACHES_ALL_OF_A_KEY: Change = change(
    "reads.rs",
    "let place = self.joinable.remove(&id);\n",
    "let place = self.joinable.remove(&id);\n        self.places.iter_mut().flatten()\
     .filter(|read| read.id == id && read.kind == Kind::Shared).for_each(|read| read.kind = Kind::Fenced);\n",
);
const NO_REVISION_RULE: Change =
    change("core.rs", "present.revision() > row.revision()", "present.revision() > row.revision() && false");

pub(crate) const VARIANTS: &[Variant] = &[
    Variant { name: "fenced_row_is_used", changes: &[FENCED_ROW_IS_HANDED_OUT] },
    Variant {
        name: "deadline_before_rows",
        changes: &[change(
            "core.rs",
            "        // First the rows, then the cursor, and only then the lease that rests on them.\n",
            "        let early = asked.sent.saturating_add(self.lease());\n        \
             if asked.jumps == self.jumps && now.boot() < early && early > self.face.good_until {\n            \
             self.publish(board, early, now);\n        }\n",
        )],
    },
    Variant {
        name: "fence_on_the_entry",
        changes: &[change(
            "core.rs",
            "board.remove(id);\n        self.reads.fence(id);",
            "if board.find(id).is_some() {\n            self.reads.fence(id);\n        }\n        board.remove(id);",
        )],
    },
    Variant {
        name: "first_answer_flushes_nothing",
        changes: &[change(
            "core.rs",
            "            _ => self.forget_all(board),\n",
            "            None if asked.since.is_none() => {}\n            _ => self.forget_all(board),\n",
        )],
    },
    Variant {
        name: "no_fence",
        changes: &[change(
            "reads.rs",
            "            read.kind = Kind::Fenced;\n",
            "            let _ = read;\n",
        )],
    },
    Variant {
        name: "lease_is_the_limit",
        changes: &[change("core.rs", "    limit / 5 * 4\n", "    limit\n")],
    },
    Variant {
        name: "own_limit_alone",
        changes: &[change(
            "core.rs",
            "self.limit = self.own.map_or(shared, |own| own.min(shared));",
            "self.limit = self.own.unwrap_or(shared);",
        )],
    },
    Variant { name: "two_reads_of_a_key", changes: &[NO_JOIN, FENCE_REACHES_ALL_OF_A_KEY] },
    Variant {
        name: "two_reads_and_no_revision_rule",
        changes: &[NO_JOIN, FENCE_REACHES_ALL_OF_A_KEY, NO_REVISION_RULE],
    },
    Variant {
        name: "no_tombstone",
        changes: &[change("revoked.rs", "if !self.ids.insert(id) {", "if self.ids.len() < CAPACITY {")],
    },
    Variant {
        name: "fenced_read_is_joined",
        changes: &[FENCED_IS_JOINED, FENCED_ENDS_AS_SHARED, FENCE_ALL_KEEPS_JOINABLE],
    },
    Variant {
        name: "fenced_read_is_joined_and_used",
        changes: &[
            FENCED_IS_JOINED,
            FENCED_ENDS_AS_SHARED,
            FENCE_ALL_KEEPS_JOINABLE,
            FENCED_ROW_IS_HANDED_OUT,
        ],
    },
    Variant {
        name: "everything_fences_nothing",
        changes: &[change(
            "core.rs",
            "        board.clear();\n        self.reads.fence_all();\n",
            "        board.clear();\n",
        )],
    },
    Variant {
        name: "late_answer_gives_a_lease",
        changes: &[change(
            "core.rs",
            "        if asked.jumps != self.jumps || now.boot() >= ends {\n            return Refreshed::Late;\n        }\n",
            "        let ends = if now.boot() >= ends { now.boot().saturating_add(self.lease()) } else { ends };\n        \
             if asked.jumps != self.jumps {\n            return Refreshed::Late;\n        }\n",
        )],
    },
    Variant {
        name: "jumps_are_not_looked_for",
        changes: &[change(
            "board.rs",
            "now.offset().abs_diff(self.offset) > self.slack.unsigned_abs()",
            "now.offset().abs_diff(self.offset) > self.slack.unsigned_abs() && false",
        )],
    },
    Variant {
        name: "jump_spares_what_was_sent",
        changes: &[change(
            "core.rs",
            "if asked.jumps != self.jumps || now.boot() >= ends {",
            "if now.boot() >= ends {",
        )],
    },
];
