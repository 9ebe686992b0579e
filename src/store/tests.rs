use super::*;
use crate::explain::{Explain, Kind};

fn store() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().expect("directory");
    let store = Store::open(directory.path()).expect("store");
    (directory, store)
}

fn add(store: &Store, bytes: &[u8]) -> Digest {
    let digest = Digest::of(bytes);
    let mut partial = store.partial(digest).expect("partial");
    partial.restart("test").expect("restart");
    partial.append(bytes).expect("append");
    partial
        .publish(Some(digest), Some(bytes.len() as u64))
        .expect("publish")
        .expect("agrees")
}

#[test]
fn small_files_are_kept_and_read_back_until_they_are_damaged() {
    let directory = tempfile::tempdir().expect("directory");
    let store = Store::open(directory.path()).expect("store");
    let digest = store.keep(b"signature").expect("kept");
    assert_eq!(store.keep(b"signature").expect("again"), digest);
    let read = |limit| store.bytes(digest, limit).expect("read");
    assert_eq!(read(9).as_deref(), Some(&b"signature"[..]));
    assert_eq!(read(8), None, "it is longer");
    assert_eq!(store.list().expect("list").len(), 1);
    fs::write(store.path(digest), "other").expect("file");
    assert_eq!(read(9), None);
    assert!(!store.path(digest).exists());
    assert_eq!(store.keep(b"signature").expect("again"), digest);
    assert_eq!(read(9).as_deref(), Some(&b"signature"[..]));
}

#[test]
fn what_agrees_is_published_and_found() {
    let (_directory, store) = store();
    let digest = add(&store, b"abc");
    let path = store.find(digest).expect("read").expect("there");
    assert_eq!(fs::read(path).expect("file"), b"abc");
    let listed = store.list().expect("list");
    assert_eq!(
        listed
            .iter()
            .map(|blob| (blob.digest, blob.size))
            .collect::<Vec<_>>(),
        [(digest, 3)]
    );
}

#[test]
fn other_bytes_and_another_size_are_never_published() {
    let (directory, store) = store();
    for (expected, size) in [(Digest::of(b"abc"), None), (Digest::of(b"abd"), Some(4))] {
        let mut partial = store.partial(expected).expect("partial");
        partial.append(b"abd").expect("append");
        let refused = partial
            .publish(Some(expected), size)
            .expect("io")
            .expect_err("refused");
        assert_eq!(refused.digest, Digest::of(b"abd"));
    }
    assert!(store.list().expect("list").is_empty());
    let left = fs::read_dir(directory.path().join("partial"))
        .expect("directory")
        .filter(|entry| entry.as_ref().expect("entry").path().extension().is_none());
    assert_eq!(left.count(), 0);
}

#[test]
fn an_unfinished_download_goes_on_where_it_stopped() {
    let (_directory, store) = store();
    let digest = Digest::of(b"abcdef");
    let mut partial = store.partial(digest).expect("partial");
    partial.restart("from here").expect("restart");
    partial.append(b"abc").expect("append");
    drop(partial);
    let mut partial = store.partial(digest).expect("partial");
    assert_eq!((partial.len(), partial.note().as_deref()), (3, Some("from here")));
    partial.append(b"def").expect("append");
    partial.publish(Some(digest), None).expect("io").expect("agrees");
    assert!(store.find(digest).expect("read").is_some());
}

#[test]
fn a_blob_that_was_damaged_in_the_store_counts_as_absent() {
    let (_directory, store) = store();
    let digest = add(&store, b"abc");
    fs::write(store.path(digest), b"abd").expect("damage");
    assert_eq!(store.find(digest).expect("read"), None);
    assert!(!store.path(digest).exists());
}

#[test]
fn nothing_is_pruned_that_is_used_or_new() {
    let (directory, store) = store();
    add(&store, b"abc");
    let error = Store::prune(directory.path(), Duration::ZERO).expect_err("in use");
    assert_eq!(error.explain().kind, Kind::Locked);
    drop(store);
    let month = Duration::from_secs(30 * 86_400);
    assert_eq!(
        Store::prune(directory.path(), month).expect("prune"),
        Pruned::default()
    );
    let pruned = Store::prune(directory.path(), Duration::ZERO).expect("prune");
    assert_eq!(pruned, Pruned { files: 1, bytes: 3 });
}

#[test]
fn what_a_blob_is_goes_with_it() {
    let (directory, store) = store();
    let digest = add(&store, b"abc");
    assert_eq!(store.list().expect("list")[0].about, None);
    store.describe(digest, "a test").expect("a note");
    store.describe(digest, "another").expect("the first stays");
    assert_eq!(store.list().expect("list")[0].about.as_deref(), Some("a test"));
    assert_eq!(
        (store.missing_bytes(digest, 3), store.missing_bytes(digest, 7)),
        (0, 7)
    );
    drop(store);
    Store::prune(directory.path(), Duration::ZERO).expect("prune");
    assert_eq!(
        fs::read_dir(directory.path().join("about"))
            .expect("a directory")
            .count(),
        0
    );
}

#[test]
fn two_at_one_blob_wait_for_each_other() {
    let (_directory, store) = store();
    let digest = Digest::of(b"abc");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut partial = store.partial(digest).expect("partial");
                if store.find(digest).expect("read").is_none() {
                    assert!(partial.is_empty());
                    partial.append(b"abc").expect("append");
                    partial
                        .publish(Some(digest), Some(3))
                        .expect("io")
                        .expect("agrees");
                } else {
                    partial.discard().expect("discard");
                }
            });
        }
    });
    assert_eq!(store.list().expect("list").len(), 1);
}

#[test]
fn the_directory_is_the_users_cache() {
    let environment = |variables: &[(&str, &str)]| Environment::of(variables, 1000);
    let directory = |variables| Store::directory_of(&environment(variables));
    assert_eq!(
        directory(&[("HOME", "/h")]).expect("home"),
        Path::new("/h/.cache/minikube-offline/store")
    );
    assert_eq!(
        directory(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/c")]).expect("cache"),
        Path::new("/c/minikube-offline/store")
    );
    assert!(matches!(
        directory(&[("XDG_CACHE_HOME", "c")]),
        Err(StoreError::NoHome)
    ));
}
