//! Hashing, on as many processors as there are.

use std::io::{self, Read};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::blob::BUFFER_BYTES;
use crate::bundle::{Digest, Hasher};

/// The digest and the number of the bytes that `reader` gives; `advance` is told of them.
pub(super) fn hash(mut reader: impl Read, mut advance: impl FnMut(u64)) -> io::Result<(Digest, u64)> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => {
                hasher.update(&buffer[..length]);
                advance(length as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let bytes = hasher.bytes();
    Ok((hasher.finish(), bytes))
}

/// Hashes what is read through it.
pub(super) struct Hashing<R> {
    reader: R,
    hasher: Hasher,
    /// The first error of the reader: who reads may not have passed it on.
    error: Option<io::Error>,
}

impl<R: Read> Hashing<R> {
    pub(super) fn new(reader: R) -> Self {
        let (hasher, error) = (Hasher::new(), None);
        Self {
            reader,
            hasher,
            error,
        }
    }

    /// Reads the rest; the digest and the number of all bytes.
    pub(super) fn finish(mut self) -> io::Result<(Digest, u64)> {
        let mut buffer = vec![0; BUFFER_BYTES];
        while self.error.is_none() && self.read(&mut buffer).is_ok_and(|length| length > 0) {}
        if let Some(error) = self.error {
            return Err(error);
        }
        let bytes = self.hasher.bytes();
        Ok((self.hasher.finish(), bytes))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.reader.read(buffer) {
                Ok(length) => {
                    self.hasher.update(&buffer[..length]);
                    return Ok(length);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let shown = error.kind().into();
                    self.error.get_or_insert(error);
                    return Err(shown);
                }
            }
        }
    }
}

/// Does `work` for each item, several at a time, and gives the results in the items'
/// order. Items should come with the longest first.
pub(super) fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    in_parallel_with(processors, items, work)
}

/// [`in_parallel`], `workers` at a time: for what does not wait for a processor.
pub(super) fn in_parallel_with<T: Sync, R: Send>(
    workers: usize,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    thread::scope(|scope| {
        for _ in 0..workers.min(items.len()) {
            scope.spawn(|| {
                while let Some((number, item)) = take(items, &next) {
                    let result = work(item);
                    done.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((number, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

fn take<'a, T>(items: &'a [T], next: &AtomicUsize) -> Option<(usize, &'a T)> {
    let number = next.fetch_add(1, Ordering::Relaxed);
    items.get(number).map(|item| (number, item))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..100).collect();
        let doubled: Vec<u32> = items.iter().map(|item| item * 2).collect();
        assert_eq!(in_parallel(&items, |item| item * 2), doubled);
        assert_eq!(in_parallel(&[] as &[u32], |item| *item), [0; 0]);
    }

    #[test]
    fn every_byte_is_counted() {
        let bytes = vec![7; BUFFER_BYTES + 1];
        let mut told = 0;
        let hashed = hash(&bytes[..], |more| told += more).expect("memory");
        assert_eq!(hashed, (Digest::of(&bytes), bytes.len() as u64));
        assert_eq!(told, bytes.len() as u64);
    }
}
