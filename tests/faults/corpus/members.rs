//! The index as a structure: extents, frames, members, whose sums do not add up.

use minikube_offline::bundle::{Blake3, Digest, Frame, Member};

use super::Case;

const FRONT: &str = "the header has";
const STUBS: &str = "the stub for";
const EACH: &str = "there is not one stub for each platform";
const FRAMES: &str = "does not hold its members";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = extents();
    cases.extend(frames());
    cases.extend(members());
    cases
}

fn extents() -> Vec<Case> {
    let header = |size: u64, says: &str| {
        Case::draft(format!("a header of {size} bytes"), says, move |draft| {
            draft.index.header.size = size;
        })
    };
    let stub = |size: u64, says: &str| {
        Case::draft(format!("a stub of {size} bytes"), says, move |draft| {
            draft.index.stubs[0].size = size;
        })
    };
    vec![
        header(0, FRONT),
        header(1, FRONT),
        header(4095, FRONT),
        header(65_536 + 4096, FRONT),
        header(8192, "contradicts itself"),
        header(u64::MAX - 4095, FRONT),
        stub(0, STUBS),
        stub(4095, STUBS),
        stub((64 << 20) + 4096, STUBS),
        stub(64 << 20, "contradicts itself"),
        stub(8192, "contradicts itself"),
        stub(1 << 62, STUBS),
        stub(u64::MAX - 4095, STUBS),
        Case::draft("no stub", EACH, |draft| draft.index.stubs.clear()),
        Case::draft("a stub twice", EACH, |draft| {
            let stub = draft.index.stubs[0];
            draft.index.stubs.push(stub);
        }),
        Case::draft("stubs whose sizes wrap around", EACH, |draft| {
            let mut stub = draft.index.stubs[0];
            stub.size = u64::MAX - 8191;
            draft.index.stubs.push(stub);
        }),
        Case::draft("no stub for the cluster's platform", EACH, |draft| {
            let wanted = draft.index.cluster.platforms[0].to_string();
            let other = if wanted == "linux/amd64" {
                "linux/arm64"
            } else {
                "linux/amd64"
            };
            draft.index.stubs[0].platform = other.parse().expect("a platform");
        }),
        Case::draft(
            "a header with another digest",
            "the header, bytes 0 to 4096, has digest",
            |draft| {
                draft.index.header.sha256 = Digest::of(b"other");
            },
        ),
        Case::draft(
            "a stub with another digest",
            "bytes 4096 to 8192, has digest",
            |draft| {
                draft.index.stubs[0].sha256 = Digest::of(b"other");
            },
        ),
        Case::draft("bytes between stub and payload", "contradicts itself", |draft| {
            draft.stub.extend_from_slice(&[0; 4096]);
        }),
        Case::draft("no chunk", "the chunk table", |draft| draft.index.chunks.clear()),
        Case::draft("a chunk too many", "the chunk table", |draft| {
            draft.index.chunks.push(Blake3::of(b""))
        }),
        Case::draft("a chunk with another digest", "chunk 0 of 1", |draft| {
            draft.index.chunks[0] = Blake3::of(b"other");
        }),
    ]
}

fn frames() -> Vec<Case> {
    let frame = |name: &str, says: &str, spoil: fn(&mut Frame)| {
        Case::draft(name, says, move |draft| spoil(&mut draft.index.frames[0]))
    };
    vec![
        Case::draft("no frame", "outside every frame", |draft| {
            draft.index.frames.clear()
        }),
        Case::draft("a frame less", FRAMES, |draft| draft.index.frames.truncate(1)),
        Case::draft("a frame twice", FRAMES, |draft| {
            let frame = draft.index.frames[0];
            draft.index.frames.push(frame);
        }),
        frame("an empty frame", FRAMES, |frame| frame.size = 0),
        frame("a frame without members", FRAMES, |frame| frame.members = 0),
        frame("a member less in a frame", FRAMES, |frame| frame.members -= 1),
        frame("a member more in a frame", FRAMES, |frame| frame.members += 1),
        frame(
            "2^64-1 members in a frame",
            "more members than there are",
            |frame| frame.members = u64::MAX,
        ),
        frame(
            "a frame that is 2^64-1 bytes long",
            "longer than a file can be",
            |frame| frame.size = u64::MAX,
        ),
        frame("a frame that is one byte longer", "contradicts itself", |frame| {
            frame.size += 1
        }),
        frame(
            "a frame that is one byte shorter",
            "contradicts itself",
            |frame| frame.size -= 1,
        ),
        frame("a frame that decodes to nothing", FRAMES, |frame| {
            frame.plain_size = 0
        }),
        frame("a frame that decodes to 2^64-1 bytes", FRAMES, |frame| {
            frame.plain_size = u64::MAX
        }),
        Case::draft(
            "frames whose sizes wrap around",
            "longer than a file can be",
            |draft| {
                draft.index.frames[0].size = u64::MAX - 4096;
                draft.index.frames[1].size = 8192;
            },
        ),
        Case::draft("frames in another order", FRAMES, |draft| {
            draft.index.frames.reverse()
        }),
        Case::draft("the end of one frame in the next", "does not decode", |draft| {
            draft.index.frames[0].size -= 1;
            draft.index.frames[1].size += 1;
        }),
        Case::draft("the start of one frame in the one before", "", |draft| {
            draft.index.frames[0].size += 1;
            draft.index.frames[1].size -= 1;
        }),
    ]
}

fn members() -> Vec<Case> {
    let mut cases = Vec::new();
    let nobodys = "no part needs";
    let long = "a".repeat(101);
    let blob = format!("images/blobs/sha256/{}", Digest::of(b"nobody's").hex());
    let capitals = format!(
        "images/blobs/sha256/{}",
        Digest::of(b"nobody's").hex().to_uppercase()
    );
    for path in [
        "",
        ".",
        "..",
        "/",
        "/etc/passwd",
        "../etc/passwd",
        "images/../../x",
        "images/..",
        "bin/./minikube",
        "bin//minikube",
        "bin/minikube/",
        "BIN/minikube",
        "bin/minikube ",
        " bin/minikube",
        "bin\\minikube",
        "bin/minikube\0",
        "bin/mini\nkube",
        "bin/\u{1b}[2J",
        "bin/m\u{202e}inikube",
        "bin/é",
        "bin/bash",
        "etc/cron.d/x",
        "images/blobs/sha256/00",
        "images/oci-layout/x",
        "C:\\x",
        "con",
        "-rf",
        "$(id)",
        &long,
        &blob,
        &capitals,
    ] {
        let path = path.to_owned();
        let shown = path
            .escape_default()
            .to_string()
            .chars()
            .take(40)
            .collect::<String>();
        cases.push(Case::draft(
            format!("a member has the path `{shown}`"),
            nobodys,
            move |draft| {
                let last = draft.index.members.last_mut().expect("a member");
                last.path.clone_from(&path);
            },
        ));
    }
    let member = |name: &str, says: &str, spoil: fn(&mut Member)| {
        Case::draft(name, says, move |draft| {
            spoil(draft.index.members.last_mut().expect("a member"))
        })
    };
    cases.extend([
        member(
            "a member of 2^64-1 bytes",
            "larger than a file can be",
            |member| member.size = u64::MAX,
        ),
        member(
            "a member of 2^64-512 bytes",
            "larger than a file can be",
            |member| member.size = u64::MAX - 511,
        ),
        member("a member of 2^63 bytes", FRAMES, |member| member.size = 1 << 63),
        member(
            "a member that is a byte longer",
            "is not the file that it says",
            |member| member.size += 1,
        ),
        member(
            "a member with another digest",
            "is not the file that it says",
            |member| member.sha256 = Digest::of(b"x"),
        ),
        member("a member with the path of another", nobodys, |member| {
            "bin/kubelet".clone_into(&mut member.path)
        }),
        Case::draft(
            "a blob with the digest of another",
            "the digest of another blob",
            |draft| {
                draft.index.members[3].sha256 = Digest::of(b"other");
            },
        ),
        Case::draft(
            "an empty blob with the digest of something",
            "is empty and has the digest",
            |draft| {
                let member = &mut draft.index.members[3];
                let span = member.size.next_multiple_of(512);
                member.size = 0;
                draft.index.frames[0].plain_size -= span;
            },
        ),
        Case::draft(
            "a member twice",
            "there are members outside every frame",
            |draft| {
                let member = draft.index.members[0].clone();
                draft.index.members.push(member);
            },
        ),
        Case::draft("a member twice, in its frame", nobodys, |draft| {
            let member = draft.index.members[0].clone();
            draft.index.members.insert(1, member);
            draft.index.frames[0].members += 1;
            draft.index.frames[0].plain_size += 1024;
        }),
        Case::draft("a document less", FRAMES, |draft| {
            drop(draft.index.members.remove(0))
        }),
        Case::draft(
            "a document less, in its frame",
            "`images/oci-layout` is missing",
            |draft| {
                draft.index.members.remove(0);
                draft.index.frames[0].members -= 1;
                draft.index.frames[0].plain_size -= 1024;
            },
        ),
        Case::draft(
            "members in another order",
            "another header than the index says",
            |draft| {
                let last = draft.index.members.len() - 1;
                draft.index.members.swap(last - 1, last);
                let sizes = [last - 1, last].map(|at| draft.index.members[at].size);
                assert_eq!(sizes[0], sizes[1], "two programs");
            },
        ),
        Case::draft("20,001 members", "there are 20001 members", |draft| {
            let member = draft.index.members[0].clone();
            draft.index.members.resize(20_001, member);
        }),
    ]);
    cases
}
