//! Work for several threads, and what they share.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// What a thread that panicked left is still the others' to use.
pub fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `work` for each number below `count`, on at most `workers` threads, each with a state
/// of its own from `begin`. Once `work` breaks, no further number is begun.
pub fn in_parallel_until<S>(
    workers: usize,
    count: usize,
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> ControlFlow<()> + Sync,
) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..workers.min(count) {
            scope.spawn(|| {
                let mut state = begin();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    if work(&mut state, number).is_break() {
                        next.fetch_max(count, Ordering::Relaxed);
                    }
                }
            });
        }
    });
}

/// The results of `work` for each item in the items' order, on at most `workers` threads, or
/// the first error. Items should come with the longest first.
pub fn try_in_parallel<T: Sync, R: Send, E: Send>(
    workers: usize,
    items: &[T],
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let each = |(): &mut (), number: usize| {
        let result = work(&items[number]);
        let failed = result.is_err();
        held(&done).push((number, result));
        if failed {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    in_parallel_until(workers, items.len(), || (), each);
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The same for work that does not fail.
#[cfg(feature = "packager")]
pub fn in_parallel_with<T: Sync, R: Send>(
    workers: usize,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let Ok(results) = try_in_parallel(workers, items, |item| {
        Ok::<_, std::convert::Infallible>(work(item))
    });
    results
}

/// The same, on all processors.
#[cfg(feature = "packager")]
pub fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    in_parallel_with(super::cpu_count(), items, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "packager")]
    #[test]
    fn results_come_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..100).collect();
        let doubled: Vec<u32> = items.iter().map(|item| item * 2).collect();
        assert_eq!(in_parallel(&items, |item| item * 2), doubled);
        assert_eq!(in_parallel(&[] as &[u32], |item| *item), [0; 0]);
    }

    #[test]
    fn nothing_is_begun_after_an_error() {
        let begun = AtomicUsize::new(0);
        let items = [1, 2, 3, 4, 5];
        let result = try_in_parallel(1, &items, |item| {
            begun.fetch_add(1, Ordering::Relaxed);
            if *item == 2 { Err("two") } else { Ok(*item) }
        });
        assert_eq!((result, begun.into_inner()), (Err("two"), 2));
    }
}
