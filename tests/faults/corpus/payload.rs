//! The payload: tar headers that say otherwise, and frames that are not as they must be.

use std::io::Write;

use super::Case;
use crate::draft::{Draft, frame};

const HEADER: &str = "has another header than the index says";
const FORM: &str = "is not in a frame of this format";
const DECODE: &str = "does not decode";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = tar();
    cases.extend(stored());
    cases.extend(bombs());
    cases
}

/// What the frames decode to is another tar of the same length.
fn plain(name: impl Into<String>, says: &str, spoil: impl Fn(&mut [Vec<u8>]) + Sync + 'static) -> Case {
    Case::draft(name, says, move |draft| {
        spoil(&mut draft.plain);
        draft.compress();
        draft.fit();
    })
}

fn tar() -> Vec<Case> {
    let mut cases = Vec::new();
    // Source: POSIX.1-1988, ustar; GNU tar's own types are letters.
    let types = [
        ("a hard link", b'1'),
        ("a symbolic link", b'2'),
        ("a character device", b'3'),
        ("a block device", b'4'),
        ("a directory", b'5'),
        ("a FIFO", b'6'),
        ("a contiguous file", b'7'),
        ("a PAX header", b'x'),
        ("a global PAX header", b'g'),
        ("a long name", b'L'),
        ("a long link", b'K'),
        ("a sparse file", b'S'),
        ("a multi-volume file", b'M'),
        ("an old file", 0),
    ];
    for (name, kind) in types {
        cases.push(plain(format!("a member is {name}"), HEADER, move |plain| {
            plain[1][156] = kind;
            checksum(&mut plain[1]);
        }));
    }
    // Offsets in the header block.
    let fields = [
        ("a path", 4),
        ("mode", 105),
        ("owner", 110),
        ("group", 118),
        ("size", 134),
        ("time", 146),
        ("a target", 157),
        ("magic", 257),
        ("an owner's name", 265),
        ("a group's name", 297),
        ("a device", 330),
        ("a prefix", 345),
        ("the unused end", 511),
    ];
    for (name, at) in fields {
        cases.push(plain(
            format!("a header with another {name}"),
            HEADER,
            move |plain| {
                plain[1][at] ^= 1;
                checksum(&mut plain[1]);
            },
        ));
    }
    cases.extend([
        plain("a setuid bit", HEADER, |plain| {
            plain[1][100..108].copy_from_slice(b"0004755\0");
            checksum(&mut plain[1]);
        }),
        plain("a header with another checksum", HEADER, |plain| {
            plain[1][148] ^= 1
        }),
        plain("a header of zeros", HEADER, |plain| plain[1][..512].fill(0)),
        plain(
            "another content",
            "has another digest than the index says",
            |plain| plain[1][512] ^= 1,
        ),
        plain(
            "content after a member's end",
            "is padded with something else than zeros",
            |plain| plain[1][512 + 700] = 1,
        ),
        plain(
            "no end of the archive",
            "is not followed by the end of the archive",
            |plain| {
                let length = plain[1].len();
                plain[1][length - 1024..].fill(1);
            },
        ),
        plain(
            "a byte in the end of the archive",
            "is not followed by the end of the archive",
            |plain| {
                *plain[1].last_mut().expect("an end") = 1;
            },
        ),
        plain("the frames in another order", FORM, <[_]>::reverse),
    ]);
    cases
}

fn checksum(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block[..512].iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// The last frame as stored is another run of bytes.
fn last(name: impl Into<String>, says: &str, spoil: impl Fn(&Draft) -> Vec<u8> + Sync + 'static) -> Case {
    Case::draft(name, says, move |draft| {
        draft.stored[1] = spoil(draft);
        draft.fit();
    })
}

/// A frame with `descriptor` and raw blocks. Source: RFC 8878, section 3.1.1.
fn raw_frame(descriptor: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut bytes = 0xFD2F_B528u32.to_le_bytes().to_vec();
    bytes.extend_from_slice(descriptor);
    let size = u32::try_from(plain.len()).expect("a small frame");
    bytes.extend_from_slice(&(size << 3 | 1).to_le_bytes()[..3]);
    bytes.extend_from_slice(plain);
    bytes
}

/// Content size in 4 bytes, a window in front.
fn windowed(window: u8, plain: &[u8]) -> Vec<u8> {
    let mut descriptor = vec![0x80, window];
    descriptor.extend_from_slice(&u32::try_from(plain.len()).expect("small").to_le_bytes());
    raw_frame(&descriptor, plain)
}

/// In one segment: the window is the content size, in `1 << bytes` bytes.
fn single(flags: u8, size: &[u8], plain: &[u8]) -> Vec<u8> {
    let mut descriptor = vec![0x20 | flags];
    descriptor.extend_from_slice(size);
    raw_frame(&descriptor, plain)
}

fn stored() -> Vec<Case> {
    let skippable = |size: usize| {
        [
            &0x184D_2A50u32.to_le_bytes()[..],
            &u32::try_from(size).unwrap().to_le_bytes(),
            &vec![0; size],
        ]
        .concat()
    };
    let size = |plain: &[u8]| u32::try_from(plain.len()).expect("small").to_le_bytes();
    let trailing = "is followed by bytes that belong to no frame";
    vec![
        last("no zstd at all", FORM, |draft| vec![b'x'; draft.stored[1].len()]),
        last("a tar that is not compressed", FORM, |draft| {
            draft.plain[1].clone()
        }),
        last("a frame that is cut short", DECODE, |draft| {
            let stored = &draft.stored[1];
            stored[..stored.len() - 1].to_vec()
        }),
        last("an empty frame, whole", "", |_| frame(b"")),
        last("garbage after a frame", trailing, |draft| {
            [&draft.stored[1][..], b"garbage"].concat()
        }),
        last("zeros after a frame", trailing, |draft| {
            [&draft.stored[1][..], &[0; 512]].concat()
        }),
        last("a second frame after a frame", trailing, |draft| {
            [&draft.stored[1][..], &frame(b"more")].concat()
        }),
        last("an empty frame after a frame", trailing, |draft| {
            [&draft.stored[1][..], &frame(b"")].concat()
        }),
        last("a skippable frame after a frame", trailing, move |draft| {
            [draft.stored[1].clone(), skippable(64)].concat()
        }),
        last("a skippable frame before a frame", FORM, move |draft| {
            [skippable(64), draft.stored[1].clone()].concat()
        }),
        last("a skippable frame instead of a frame", FORM, move |_| {
            skippable(64)
        }),
        last("a frame that decodes to less", "", |draft| {
            frame(&draft.plain[1][..draft.plain[1].len() - 1])
        }),
        last("a frame that decodes to more", "", |draft| {
            frame(&[&draft.plain[1][..], &[0]].concat())
        }),
        last("a frame of two", "", |draft| {
            let (one, two) = draft.plain[1].split_at(1024);
            [frame(one), frame(two)].concat()
        }),
        last("a frame with a checksum", FORM, |draft| {
            let mut compressor = zstd::bulk::Compressor::new(3).expect("a compressor");
            compressor.include_checksum(true).expect("a parameter");
            compressor.compress(&draft.plain[1]).expect("a frame")
        }),
        last("a frame without a content size", FORM, |draft| {
            let mut compressor = zstd::bulk::Compressor::new(3).expect("a compressor");
            compressor.include_contentsize(false).expect("a parameter");
            compressor.compress(&draft.plain[1]).expect("a frame")
        }),
        last("a frame with a dictionary", FORM, move |draft| {
            let plain = &draft.plain[1];
            raw_frame(&[&[0xA1, 9][..], &size(plain)].concat(), plain)
        }),
        last("a frame that says it is longer", FORM, move |draft| {
            let plain = &draft.plain[1];
            single(0x80, &(u32::from_le_bytes(size(plain)) + 1).to_le_bytes(), plain)
        }),
        last("a frame that says it has 2^64-1 bytes", FORM, |draft| {
            single(0xC0, &u64::MAX.to_le_bytes(), &draft.plain[1])
        }),
        last("a frame that says it has none", FORM, |draft| {
            single(0x80, &0u32.to_le_bytes(), &draft.plain[1])
        }),
        last("a frame with a reserved bit", FORM, move |draft| {
            single(0x88, &size(&draft.plain[1]), &draft.plain[1])
        }),
        last("a window of 2^28", FORM, |draft| {
            windowed((28 - 10) << 3, &draft.plain[1])
        }),
        last("a window of 2^31", FORM, |draft| {
            windowed((31 - 10) << 3, &draft.plain[1])
        }),
        last("a window of 2^41", FORM, |draft| windowed(0xff, &draft.plain[1])),
        last("a reserved block type", DECODE, |draft| {
            let mut bytes = windowed(0, &draft.plain[1]);
            bytes[10] |= 0b110;
            bytes
        }),
        last("another magic number", "", |draft| {
            let mut bytes = draft.stored[1].clone();
            bytes[0] = 0x27;
            bytes
        }),
    ]
}

fn bombs() -> Vec<Case> {
    vec![
        last("a frame of 1 GiB of zeros", FORM, |_| zeros(1 << 30)),
        last("a million empty blocks", DECODE, |draft| {
            let mut bytes = windowed(0, &draft.plain[1]);
            bytes.truncate(10);
            bytes.resize(3_000_000, 0);
            bytes
        }),
        Case::draft("a member of 4 TiB", "", |draft| {
            let size = 4 << 40;
            draft.index.members.last_mut().expect("a member").size = size;
            draft.index.binaries[3].size = size;
            draft.index.frames[1].plain_size += size - 1024;
        }),
    ]
}

/// A frame of `count` zeros, a few hundred KiB as stored.
fn zeros(count: u64) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
    encoder.include_contentsize(true).expect("a parameter");
    encoder.include_checksum(false).expect("a parameter");
    encoder.set_pledged_src_size(Some(count)).expect("a parameter");
    let zeros = vec![0; 1 << 20];
    let mut left = usize::try_from(count).expect("fits in memory");
    while left > 0 {
        let piece = &zeros[..left.min(zeros.len())];
        encoder.write_all(piece).expect("in memory");
        left -= piece.len();
    }
    encoder.finish().expect("in memory")
}
