#![no_main]
#![allow(missing_docs, reason = "the entry that libFuzzer calls")]

fuzz_targets::libfuzzer!(rows);
