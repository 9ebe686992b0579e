//! What follows the payload: the tail's header, the signature, the trailer.

use minikube_offline::bundle::{Signature, Trailer};

use super::{Case, DAMAGED, NOT_AUTHENTIC};
use crate::draft::{Key, Tail};

const CONTRADICTS: &str = "contradicts itself";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = signatures();
    cases.extend(trailers());
    cases
}

/// Seals index and signature again, as a forger would.
fn seal(tail: &mut Tail) {
    let run: &[u8; Signature::RUN_BYTES] = tail.run.as_slice().try_into().expect("a run");
    let seal = Trailer::seal(&tail.json, run);
    tail.trailer[48..80].copy_from_slice(seal.as_bytes());
}

fn signature(name: &str, status: i32, says: &str, spoil: impl Fn(&mut Tail, &Key) + Sync + 'static) -> Case {
    Case::tail(name, status, says, move |tail, key| {
        spoil(tail, key);
        seal(tail);
    })
}

fn signatures() -> Vec<Case> {
    vec![
        signature("no signature", NOT_AUTHENTIC, "it is not signed", |tail, _| {
            tail.run.fill(0)
        }),
        signature(
            "another key's signature",
            NOT_AUTHENTIC,
            "which is not trusted here",
            |tail, _| {
                tail.run = Key::new().sign(&tail.json, "x").to_vec();
            },
        ),
        signature(
            "another key's signature under the right id",
            NOT_AUTHENTIC,
            "was not made by the key",
            |tail, _| {
                let id = tail.run[2..10].to_vec();
                tail.run = Key::new().sign(&tail.json, "x").to_vec();
                tail.run[2..10].copy_from_slice(&id);
            },
        ),
        signature(
            "a signature of another index",
            NOT_AUTHENTIC,
            "was not made by the key",
            |tail, key| {
                tail.run = key.sign(b"{}", minikube_offline::bundle::INDEX_COMMENT).to_vec();
            },
        ),
        signature(
            "a signature made for something else",
            NOT_AUTHENTIC,
            "was not made by the key",
            |tail, key| {
                tail.run = key.sign(&tail.json, "timestamp:0\tfile:x").to_vec();
            },
        ),
        signature(
            "a signature without its global one",
            NOT_AUTHENTIC,
            "was not made by the key",
            |tail, _| {
                tail.run[74..].fill(0);
            },
        ),
        signature(
            "a global signature alone",
            NOT_AUTHENTIC,
            "was not made by the key",
            |tail, _| tail.run[10..74].fill(0),
        ),
        signature(
            "the older algorithm",
            DAMAGED,
            "its algorithm is `Ed`, not `ED`",
            |tail, _| tail.run[1] = b'd',
        ),
        signature(
            "no algorithm",
            DAMAGED,
            "not a prehashed minisign signature",
            |tail, _| tail.run[..2].fill(0),
        ),
        signature(
            "an older index with its own signature",
            NOT_AUTHENTIC,
            "was not made by the key",
            |tail, _| {
                let at = tail
                    .json
                    .windows(10)
                    .position(|text| text == br#""serial":7"#)
                    .expect("a serial");
                tail.json[at + 9] = b'6';
            },
        ),
    ]
}

fn trailers() -> Vec<Case> {
    let field = |name: &str, says: &str, at: usize, value: &'static [u8]| {
        Case::tail(name, DAMAGED, says, move |tail, _| {
            tail.trailer[at..at + value.len()].copy_from_slice(value);
        })
    };
    let newer = "and this program reads format 1";
    let missing = "it does not end as a bundle does";
    vec![
        field("a trailer of format 0", newer, 8, &[0]),
        field("a trailer of format 2", newer, 8, &[2]),
        field("a trailer of format 2^32-1", newer, 8, &[0xff; 4]),
        field("a trailer in the other byte order", newer, 8, &[0, 0, 0, 1]),
        field("a magic in capitals only", missing, 7, b"!"),
        field("no magic", missing, 0, &[0; 8]),
        field("a trailer of 79 bytes", CONTRADICTS, 12, &[79]),
        field("a trailer of 81 bytes", CONTRADICTS, 12, &[81]),
        field("a length of 0", "and should be 0", 16, &[0; 8]),
        field(
            "a length of 2^64-1",
            "and should be 18446744073709551615",
            16,
            &[0xff; 8],
        ),
        field("an index at 0", CONTRADICTS, 24, &[0; 8]),
        field("an index at 2^64-1", CONTRADICTS, 24, &[0xff; 8]),
        field("an index of 0 bytes", CONTRADICTS, 32, &[0; 8]),
        field("an index of 2^64-1 bytes", CONTRADICTS, 32, &[0xff; 8]),
        field("a signature of 0 bytes", CONTRADICTS, 40, &[0; 8]),
        field("a signature of 139 bytes", CONTRADICTS, 40, &[139]),
        field("another seal", "the index with its signature", 48, &[0; 32]),
        Case::tail(
            "an index that starts in the tail's header",
            DAMAGED,
            "the index with its signature",
            |tail, _| {
                shift(tail, 24, -1);
                shift(tail, 32, 1);
            },
        ),
        Case::tail(
            "an index and a seal that start in the tail's header",
            NOT_AUTHENTIC,
            "was not made by the key",
            |tail, _| {
                shift(tail, 24, -1);
                shift(tail, 32, 1);
                let sealed = [&tail.front[7..], &tail.json].concat();
                let run = tail.run.as_slice().try_into().expect("a run");
                let seal = Trailer::seal(&sealed, run);
                tail.trailer[48..80].copy_from_slice(seal.as_bytes());
            },
        ),
        Case::tail(
            "a tail's header with another magic",
            DAMAGED,
            CONTRADICTS,
            |tail, _| tail.front[0] ^= 1,
        ),
        Case::tail(
            "a tail's header with another length",
            DAMAGED,
            CONTRADICTS,
            |tail, _| tail.front[4] ^= 1,
        ),
        Case::tail(
            "a byte before the tail's header",
            DAMAGED,
            "and should be",
            |tail, _| tail.front.insert(0, 0),
        ),
        Case::tail("a byte after the trailer", DAMAGED, missing, |tail, _| {
            tail.trailer.push(0)
        }),
        Case::tail("a second trailer", DAMAGED, "and should be", |tail, _| {
            let again = tail.trailer.clone();
            tail.trailer.extend(again);
        }),
        Case::tail(
            "an index of more than 8 MiB",
            DAMAGED,
            CONTRADICTS,
            |tail, key| {
                let grown = (8 << 20) + 1 - tail.json.len();
                tail.json.resize((8 << 20) + 1, b' ');
                tail.run = key
                    .sign(&tail.json, minikube_offline::bundle::INDEX_COMMENT)
                    .to_vec();
                for at in [16, 32] {
                    shift(tail, at, i64::try_from(grown).expect("8 MiB"));
                }
                seal(tail);
            },
        ),
    ]
}

/// Adds to a number of the trailer.
fn shift(tail: &mut Tail, at: usize, by: i64) {
    let number = u64::from_le_bytes(tail.trailer[at..at + 8].try_into().expect("eight bytes"));
    tail.trailer[at..at + 8].copy_from_slice(&number.wrapping_add_signed(by).to_le_bytes());
}
