#![no_main]

mod entry;
use entry::{draft, words};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    entry::parsers::payload(input, entry::scratch());
});
