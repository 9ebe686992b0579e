use super::*;

#[test]
fn each_transport_is_read() {
    for (text, full) in [
        ("docker-archive:./kicbase.tar", "docker-archive:./kicbase.tar"),
        (
            "docker-archive:a.tar:app:1",
            "docker-archive:a.tar:docker.io/library/app:1",
        ),
        (
            "docker-archive:a.tar:r.io:5000/app",
            "docker-archive:a.tar:r.io:5000/app:latest",
        ),
        ("docker://app", "docker://docker.io/library/app:latest"),
        (
            "docker://r.io:5000/app:1@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "docker://r.io:5000/app:1@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        ("oci:./layout", "oci:./layout"),
        ("oci-archive:./app.tar.gz", "oci-archive:./app.tar.gz"),
        (
            "oci-archive:a.tar:r.example/app:1",
            "oci-archive:a.tar:r.example/app:1",
        ),
        ("oci:./layout:tag", "oci:./layout:tag"),
        ("oci:./layout:r.example/app:1", "oci:./layout:r.example/app:1"),
        (
            "docker-daemon:registry.example/app:1",
            "docker-daemon:registry.example/app:1",
        ),
    ] {
        assert_eq!(ImageSource::parse(text).expect(text).to_string(), full);
    }
}

#[test]
fn an_unknown_transport_is_told_which_there_are() {
    for text in ["Upper", "./kicbase.tar", "dir:x", ""] {
        let error = ImageSource::parse(text).expect_err(text).to_string();
        for word in [
            "docker-archive:PATH",
            "oci-archive:PATH",
            "oci:DIR",
            "docker-daemon:REF",
            "docker://REF",
        ] {
            assert!(error.contains(word), "{error}");
        }
    }
}

#[test]
fn a_bare_name_is_an_image_in_a_registry() {
    for text in ["nginx", "nginx:1.27", "r.example:5000/app:1"] {
        let full = ImageSource::parse(&format!("docker://{text}")).expect(text);
        assert_eq!(ImageSource::parse(text).expect(text), full);
    }
    let secret = ImageSource::parse("user:secret@r.example/app:1").expect_err("a password");
    assert!(!secret.to_string().contains("secret"), "{secret}");
}

#[test]
fn a_path_without_a_transport_is_told_what_is_meant() {
    for (text, meant) in [
        ("./kicbase.tar", Some("docker-archive:./kicbase.tar")),
        ("kicbase.tar.zst", Some("docker-archive:kicbase.tar.zst")),
        ("./layout", None),
        ("", None),
        ("Upper", None),
    ] {
        let error = ImageSource::parse(text).expect_err(text).to_string();
        match meant {
            Some(meant) => assert!(
                error.contains(&format!(" (did you mean `{meant}`?); there are")),
                "{error}"
            ),
            None => assert!(!error.contains("did you mean"), "{error}"),
        }
    }
}

#[test]
fn a_password_is_refused_without_being_shown() {
    for text in [
        "docker://user:secret@r.io/app:1",
        "docker://secret@r.io:5000/app:1",
        "docker://secret@r.io/app:1@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "docker:user:secret@r.io/app:1",
    ] {
        let error = ImageSource::parse(text).expect_err(text).to_string();
        assert!(error.contains("holds a name or a password"), "{error}");
        assert!(error.contains("@r.io") && !error.contains("secret"), "{error}");
    }
    for text in ["user:secret@r.io/app:1", "docker-daemon:user:secret@r.io/app:1"] {
        let error = ImageSource::parse(text).expect_err(text).to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn half_a_source_is_refused() {
    for text in [
        "docker-archive:",
        "docker-archive::x",
        "docker-archive:a.tar:",
        "oci:",
        "oci:dir:",
        "oci:dir:-bad",
        "oci-archive:",
        "oci-archive:a.tar:-bad",
        "docker-daemon:",
        "docker://",
        "docker:app",
        "docker://app:1@sha256:00",
        "docker://r.io:5000/app@sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "docker-daemon:Upper/x",
        "docker-daemon:sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "docker-archive:a.tar:@0",
    ] {
        assert!(ImageSource::parse(text).is_err(), "{text}");
    }
}
