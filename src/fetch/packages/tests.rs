use super::*;

const STATUS: &str = "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:1.2.13\n\
    Description: library\n more\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n";

fn layer(files: &[(&str, &[u8])]) -> LayerPackages {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o755);
        tar.append_data(&mut header, path, *bytes).expect("memory");
    }
    LayerPackages::read(&tar.into_inner().expect("memory")[..])
}

fn names(layers: &[LayerPackages]) -> Vec<String> {
    let part = of_image(Digest::of(b"config"), layers);
    part.packages
        .iter()
        .map(|package| format!("{} {:?}", package.purl(), package.licenses))
        .collect()
}

/// As Go's linker writes it.
fn build_info(modules: &str) -> Vec<u8> {
    let string = |bytes: &[u8]| {
        let length = bytes.len();
        let length = [length & 0x7f | 0x80, length >> 7]
            .map(|byte| u8::try_from(byte).expect("two bytes of seven bits"));
        [&length[..], bytes].concat()
    };
    let mut header = b"\xff Go buildinf:\x08\x02".to_vec();
    header.resize(32, 0);
    let modules = [&[b'<'; 16][..], modules.as_bytes(), &[b'>'; 16]].concat();
    [header, string(b"go1.26.1 X:y"), string(&modules)].concat()
}

fn elf(offset: usize, info: &[u8]) -> Vec<u8> {
    let mut elf = b"\x7fELF".to_vec();
    elf.resize(offset, b'.');
    elf.extend_from_slice(info);
    elf
}

#[test]
fn databases_of_dpkg_and_apk_are_read_with_their_licenses() {
    let debian = layer(&[
        ("etc/os-release", b"NAME=x\nID=debian\nVERSION_ID=\"12\"\n"),
        ("./var/lib/dpkg/status", STATUS.as_bytes()),
        (
            "usr/share/doc/zlib1g/copyright",
            b"Format: x\n\nFiles: *\nLicense: Zlib\n text\n",
        ),
        (
            "var/lib/dpkg/status.d/base",
            b"Package: base-files\nVersion: 12.4\n",
        ),
        ("var/lib/dpkg/status.d/base.md5sums", b"Package: no\nVersion: 1\n"),
        (
            "usr/share/doc/base-files/copyright",
            b"see /usr/share/common-licenses/GPL-2.\n",
        ),
    ]);
    let expected = [
        "pkg:deb/debian/base-files@12.4?distro=debian-12 [\"GPL-2\"]",
        "pkg:deb/debian/zlib1g@1:1.2.13?arch=amd64&distro=debian-12 [\"Zlib\"]",
    ];
    assert_eq!(names(&[debian]), expected);
    let alpine = layer(&[(
        "lib/apk/db/installed",
        b"C:Q1\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\n\nP:zlib\nV:1\n",
    )]);
    let expected = [
        "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64 [\"MIT\"]",
        "pkg:apk/alpine/zlib@1 []",
    ];
    assert_eq!(names(&[alpine]), expected);
}

#[test]
fn a_layer_above_replaces_and_removes_files() {
    let below = layer(&[("var/lib/dpkg/status", STATUS.as_bytes())]);
    let replaced = layer(&[(
        "var/lib/dpkg/status",
        b"Package: other\nVersion: 2\nStatus: install ok installed\n",
    )]);
    assert_eq!(names(&[below.clone(), replaced]), ["pkg:deb/debian/other@2 []"]);
    for gone in [
        "var/lib/dpkg/.wh.status",
        "var/.wh.lib",
        ".wh.var",
        "var/lib/dpkg/.wh..wh..opq",
        ".wh..wh..opq",
    ] {
        assert_eq!(names(&[below.clone(), layer(&[(gone, b"")])]), [""; 0], "{gone}");
    }
    let other = layer(&[("var/lib/dpkg/.wh.stat", b""), ("var/.wh.li", b"")]);
    assert_eq!(names(&[below, other]).len(), 1);
}

#[test]
fn modules_are_found_wherever_a_binary_has_them() {
    let info =
        build_info("path\tx\nmod\tk8s.io/a\tv1.2.3\th1:x\ndep\tb\tv1\tx\n=>\tc\tv2\tx\nbuild\tCGO=0\n");
    let expected = [
        "pkg:golang/c@v2 []",
        "pkg:golang/k8s.io/a@v1.2.3 []",
        "pkg:golang/stdlib@1.26.1 []",
    ];
    // Also across the boundary of what is read at once, and after the magic alone.
    for offset in [
        16,
        32,
        4096,
        (1 << 20) - 16,
        1 << 20,
        (1 << 20) + 16,
        (3 << 20) - 32,
    ] {
        let layer = layer(&[("app", &elf(offset, &info))]);
        assert_eq!(names(&[layer]), expected, "{offset}");
    }
    let magic = elf(48, b"\xff Go buildinf:");
    let mut twice = magic.clone();
    twice.resize(96, 0);
    assert_eq!(
        names(&[layer(&[("app", &elf(0, &[twice, info.clone()].concat()))])]),
        expected
    );
    for none in [
        magic,
        elf(17, &info),
        info.clone(),
        b"#!/bin/sh".to_vec(),
        elf(16, &info[..40]),
    ] {
        assert_eq!(names(&[layer(&[("app", &none)])]), [""; 0]);
    }
}

#[test]
fn what_cannot_be_read_is_named_and_fails_nothing() {
    let layer = layer(&[("var/lib/rpm/rpmdb.sqlite", b"SQLite")]);
    let part = of_image(Digest::of(b"config"), [&layer]);
    assert_eq!(
        (part.packages, part.unread),
        (Vec::new(), vec!["var/lib/rpm/rpmdb.sqlite".to_owned()])
    );
    assert_eq!(
        LayerPackages::read(&b"not a tar at all"[..]),
        LayerPackages::default()
    );
    let forged = format!(
        "Package: a\u{1b}[2J\nVersion: 1\n\nPackage: {}\nVersion: 1\n",
        "x".repeat(600)
    );
    assert_eq!(
        names(&[super::tests::layer(&[("var/lib/dpkg/status", forged.as_bytes())])]),
        [""; 0]
    );
}
