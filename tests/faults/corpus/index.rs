//! The index as text: its JSON, its keys, its numbers, its names.

use super::Case;

const JSON: &str = "the index is not format 1";
const CANONICAL: &str = "the index is not in its canonical form";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = not_json();
    cases.extend(keys());
    cases.extend(numbers());
    cases.extend(names());
    cases.extend(lines());
    cases.extend(provenance());
    cases
}

fn not_json() -> Vec<Case> {
    let whole = |name: &str, text: &'static [u8]| {
        Case::text(format!("the index is {name}"), JSON, move |_| text.to_vec())
    };
    let nested = |name: &str, open: &'static str| {
        Case::text(
            format!("nested as deep as the limit allows: {name}"),
            JSON,
            move |_| {
                let mut text = br#"{"format":1,"name":"#.to_vec();
                text.extend(open.bytes().cycle().take((8 << 20) - 100));
                text
            },
        )
    };
    vec![
        whole("a space", b" "),
        whole("an open brace", b"{"),
        whole("null", b"null"),
        whole("an empty list", b"[]"),
        whole("an empty object", b"{}"),
        whole("a number", b"1"),
        whole("text", b"\"index\""),
        whole("a list that starts as the index does", br#"[1,"draft",7]"#),
        whole("zeros", &[0; 64]),
        whole("the format alone", br#"{"format":1}"#),
        nested("lists", "["),
        nested("objects", r#"{"a":"#),
        Case::text("8 MiB of one name", "the bundle's name", |json| {
            json.replacen("draft", &"a".repeat((8 << 20) - json.len()), 1)
                .into_bytes()
        }),
        Case::text("8 MiB of verifications", "not consistent", |json| {
            const ONE: &str = r#"{"kind":"layer-digests"},"#;
            let more = ONE.repeat(((8 << 20) - json.len() - 10) / ONE.len());
            let json = json.replacen(r#""serial":7"#, r#""serial":8"#, 1);
            let json = json.replacen(r#""verified_by":["#, &format!(r#""verified_by":[{more}"#), 1);
            json.replacen(r#""name":"draft""#, r#""name":"Draft""#, 1)
                .into_bytes()
        }),
        Case::text("bytes that are no UTF-8 in a name", JSON, |json| {
            let at = json.find("draft").expect("its name");
            let mut bytes = json.into_bytes();
            bytes[at] = 0xff;
            bytes
        }),
        Case::text("a byte order mark", JSON, |json| {
            format!("\u{feff}{json}").into_bytes()
        }),
        Case::text("a byte after the end", JSON, |json| {
            format!("{json}x").into_bytes()
        }),
        Case::text("a second object after the end", JSON, |json| {
            format!("{json}{{}}").into_bytes()
        }),
        Case::text("a NUL after the end", JSON, |json| {
            format!("{json}\0").into_bytes()
        }),
        Case::text("a line end after the end", CANONICAL, |json| {
            format!("{json}\n").into_bytes()
        }),
        Case::text("a space before the start", CANONICAL, |json| {
            format!(" {json}").into_bytes()
        }),
        Case::replace(
            "a space after a colon",
            CANONICAL,
            r#""serial":7"#,
            r#""serial": 7"#,
        ),
        Case::replace(
            "an escape where none is needed",
            CANONICAL,
            "draft",
            r"dr\u0061ft",
        ),
        Case::replace("an escaped slash", CANONICAL, "linux/", r"linux\/"),
        Case::replace("a comment", JSON, r#""serial":7"#, r#""serial":7/* older */"#),
        Case::replace(
            "a comma before the end of a list",
            JSON,
            r#""volumes":[]"#,
            r#""volumes":[0,]"#,
        ),
    ]
}

/// Text that is shown, and would make a line of its own, or another one look different.
fn lines() -> Vec<Case> {
    const FORGED: &str = r"x\n  minikube: its SHA-256 is the one that https://github.com says";
    let mut cases = Vec::new();
    for (place, says, from) in [
        (
            "packer",
            "the packer's name is too long or no plain text",
            r#""packer":"a test""#,
        ),
        (
            "url",
            "has a URL that is too long or not plain text",
            r#""url":"https://x.example/part""#,
        ),
        (
            "subject",
            "was verified by something that is too long or not plain text",
            r#""subject":"a test""#,
        ),
    ] {
        for (what, text) in [
            ("a line end", FORGED),
            ("a carriage return", r"x\ry"),
            ("another line end", "x\u{2028}y"),
            ("a turn of the text's direction", "x\u{202e}y"),
            ("nothing that is seen", "x\u{200b}y"),
            ("a tab", r"x\ty"),
        ] {
            let to = format!(r#""{place}":"{text}""#);
            cases.push(Case::replace(format!("{place} with {what}"), says, from, to));
        }
    }
    let unknown = format!(r#"{{"format":1,"{FORGED}":1,"#);
    cases.push(Case::replace(
        "an unknown key of two lines",
        JSON,
        r#"{"format":1,"#,
        unknown,
    ));
    let version = format!(r#""kubernetes_version":"{FORGED}""#);
    let from = r#""kubernetes_version":"v1.35.4""#;
    cases.push(Case::replace("a version of two lines", JSON, from, version));
    let member = format!(r#""path":"{FORGED}""#);
    let from = r#""path":"images/oci-layout""#;
    cases.push(Case::replace(
        "a path of two lines",
        "no part needs",
        from,
        member,
    ));
    cases
}

/// Of each object: a key more, a key twice, a key less, two keys in another order.
fn keys() -> Vec<Case> {
    let objects = [
        ("the index", r#"{"format":1,"#, r#""format":1,"#),
        (
            "the cluster",
            r#""cluster":{"#,
            r#""kubernetes_version":"v1.35.4","#,
        ),
        ("the header", r#""header":{"#, r#""size":4096,"#),
        ("a stub", r#""stubs":[{"#, r#""size":4096,"#),
        ("a frame", r#""frames":[{"#, r#""plain_size":"#),
        ("a member", r#""members":[{"#, r#""path":"images/oci-layout","#),
        ("a program", r#""binaries":[{"#, r#""role":"minikube","#),
        ("an origin", r#""origin":{"#, r#""transport":"file","#),
        (
            "a verification",
            r#""verified_by":[{"#,
            r#""kind":"registry-tag","#,
        ),
        ("an image", r#""images":[{"#, r#""role":"node","#),
    ];
    let mut cases = Vec::new();
    for (object, open, key) in objects {
        let unknown = format!(r#"{open}"and_more":0,"#);
        cases.push(Case::replace(
            format!("an unknown key in {object}"),
            JSON,
            open,
            unknown,
        ));
        if let Some(whole) = key.strip_suffix(',') {
            let twice = format!("{whole},{whole}");
            cases.push(Case::replace(
                format!("a key twice in {object}"),
                JSON,
                whole,
                twice,
            ));
            cases.push(Case::replace(format!("a key missing in {object}"), JSON, key, ""));
        }
    }
    for key in [
        "name", "serial", "packer", "chunks", "frames", "members", "binaries", "images",
    ] {
        let from = format!(r#","{key}":"#);
        let to = format!(r#","{}":"#, key.to_uppercase());
        cases.push(Case::replace(format!("`{key}` in capitals"), JSON, from, to));
    }
    cases.extend([
        Case::replace(
            "a chunk by SHA-256",
            JSON,
            r#""chunks":["blake3:"#,
            r#""chunks":["sha256:"#,
        ),
        Case::replace(
            "a header by BLAKE3",
            JSON,
            r#""sha256":"sha256:"#,
            r#""sha256":"blake3:"#,
        ),
        Case::replace(
            "two keys in another order",
            CANONICAL,
            r#""name":"draft","serial":7"#,
            r#""serial":7,"name":"draft""#,
        ),
        Case::replace(
            "two keys of a member in another order",
            CANONICAL,
            r#""path":"images/oci-layout","size":30"#,
            r#""size":30,"path":"images/oci-layout""#,
        ),
        Case::replace(
            "the format last",
            CANONICAL,
            r#"{"format":1,"name":"draft""#,
            r#"{"name":"draft","format":1"#,
        ),
        Case::replace("`version` left away", CANONICAL, r#""version":null,"#, ""),
        Case::replace(
            "an object as a list",
            JSON,
            r#""header":{"size":4096,"sha256":"#,
            r#""header":{"size":[4096],"sha256":"#,
        ),
    ]);
    cases
}

fn numbers() -> Vec<Case> {
    let mut cases = Vec::new();
    let newer = "and this program reads format 1";
    for (number, says) in [
        ("0", newer),
        ("2", newer),
        ("4294967297", newer),
        ("18446744073709551615", newer),
        ("18446744073709551616", JSON),
        ("-1", JSON),
        ("1.0", JSON),
        ("1e0", JSON),
        ("01", JSON),
        ("+1", JSON),
        ("\"1\"", JSON),
        ("null", JSON),
        ("[1]", JSON),
        ("NaN", JSON),
    ] {
        let to = format!(r#"{{"format":{number}"#);
        cases.push(Case::replace(
            format!("the format is {number}"),
            says,
            r#"{"format":1"#,
            to,
        ));
    }
    for number in [
        "-7",
        "7.0",
        "7e0",
        "07",
        "18446744073709551616",
        "\"7\"",
        "null",
        "0x7",
        "1e400",
    ] {
        let to = format!(r#""serial":{number}"#);
        cases.push(Case::replace(
            format!("the serial is {number}"),
            JSON,
            r#""serial":7"#,
            to,
        ));
    }
    cases
}

fn names() -> Vec<Case> {
    let mut cases = Vec::new();
    let long = "a".repeat(129);
    let refused = "the bundle's name";
    for name in [
        "",
        &long,
        "Draft",
        "a/b",
        "../x",
        "a b",
        r"a\u0000",
        r"a\n",
        r"\u001b[2J",
        "é",
        r#"a\"b"#,
        "a;b",
        "$(a)",
        "~",
        r"a\\b",
        "a:b",
        ".",
        "..",
        "-rf",
    ] {
        let to = format!(r#""name":"{name}""#);
        let shown: String = name.chars().take(20).collect();
        cases.push(Case::replace(
            format!("the bundle's name is `{shown}`"),
            refused,
            r#""name":"draft""#,
            to,
        ));
    }
    for (name, packer) in [
        ("too long", "p".repeat(129)),
        ("an escape sequence", r"\u001b[2J".to_owned()),
    ] {
        let to = format!(r#""packer":"{packer}""#);
        cases.push(Case::replace(
            format!("the packer's name is {name}"),
            "the packer's name",
            r#""packer":"a test""#,
            to,
        ));
    }
    for version in [
        "1.35.4",
        "v1.35",
        "v1.35.4/..",
        "v1.035.4",
        "latest",
        "",
        "v1.35.4-",
        r"v1.35.4\n",
        "v99999999999.0.0",
    ] {
        let to = format!(r#""kubernetes_version":"{version}""#);
        let from = r#""kubernetes_version":"v1.35.4""#;
        cases.push(Case::replace(
            format!("Kubernetes is `{version}`"),
            JSON,
            from,
            to,
        ));
    }
    for runtime in ["Docker", "", "podman", "../docker"] {
        let to = format!(r#""container_runtime":"{runtime}""#);
        let from = r#""container_runtime":"docker""#;
        cases.push(Case::replace(
            format!("the runtime is `{runtime}`"),
            JSON,
            from,
            to,
        ));
    }
    for platform in [
        "windows/amd64",
        "linux/s390x",
        "linux/AMD64",
        "linux",
        "",
        "linux/amd64/../..",
    ] {
        cases.push(Case::text(
            format!("the platform is `{platform}`"),
            JSON,
            move |json| {
                let from = json.find(r#""platform":"linux/"#).expect("a platform") + 12;
                let to = from + json[from..].find('"').expect("its end");
                format!("{}{platform}{}", &json[..from], &json[to..]).into_bytes()
            },
        ));
    }
    for digest in [
        "sha256:00",
        "sha512:0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "sha256:ABCDEF0000000000000000000000000000000000000000000000000000000000",
        "sha256:000000000000000000000000000000000000000000000000000000000000000é",
        "sha256:../../../../../../../../../../../../../../../../../../etc/passwd",
    ] {
        cases.push(Case::text(format!("a digest is `{digest}`"), JSON, move |json| {
            let from = json.find("sha256:").expect("a digest");
            format!("{}{digest}{}", &json[..from], &json[from + 71..]).into_bytes()
        }));
    }
    cases
}

/// Provenance that format 1 does not have.
fn provenance() -> Vec<Case> {
    let kind = r#""kind":"registry-tag""#;
    let named = r#""named_by":[]"#;
    let by = |more: &str| {
        let digest = format!("sha256:{}", "0".repeat(64));
        format!(r#""named_by":[{{"digest":"{digest}",{more}}}]"#)
    };
    let name = "lacks its `name`, or has one that it cannot have";
    vec![
        Case::replace("a kind of a newer format", JSON, kind, r#""kind":"fulcio""#),
        Case::replace("a kind with another's keys", JSON, kind, r#""kind":"lock""#),
        Case::replace(
            "a kind that is a sentence",
            JSON,
            kind,
            r#""kind":"its registry says so""#,
        ),
        Case::replace(
            "a transport of a newer format",
            JSON,
            r#""transport":"file""#,
            r#""transport":"ipfs""#,
        ),
        Case::replace(
            "an origin that keeps silent about verification",
            JSON,
            r#""unverified":false,"#,
            "",
        ),
        Case::replace("an image without `named_by`", JSON, r#","named_by":[]"#, ""),
        Case::replace("a namer of a newer format", JSON, named, by(r#""by":"helm""#)),
        Case::replace(
            "an addon without its name",
            name,
            named,
            by(r#""by":"minikube-addon""#),
        ),
        Case::replace(
            "a user with a name",
            name,
            named,
            by(r#""by":"user-digest","name":"x""#),
        ),
        Case::replace(
            "a reason for no attestation that is unknown",
            JSON,
            r#""attestations":[]"#,
            r#""attestations":[],"unattested":"lost""#,
        ),
    ]
}
