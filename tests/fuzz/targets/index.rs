#![no_main]

#[allow(dead_code)]
#[path = "../../faults/draft.rs"]
mod draft;
#[allow(dead_code)]
#[path = "../../faults/parsers.rs"]
mod parsers;
mod scratch;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    parsers::index(input, scratch::path());
});
