//! Turn buffer, barrier, event count and step signal, in the interleavings of two threads:
//! `RUSTFLAGS="--cfg loom" cargo test --lib sync`.

use super::event_count::EventCount;
use super::{Span, TeamSync, TurnBuffer, barrier, partly_told_turn_buffer, turn_buffer};
use crate::ranks::in_process;

/// Each of two workers adds one to a vector of its own and reads both, twice: no interleaving
/// lets two threads at the same vector, or a worker read what is old or new. (Of more workers
/// there are more interleavings than can be gone through.)
#[test]
fn two_workers_take_two_turns() {
    explore(|rank, mut buffer| {
        for turn in 1..=2 {
            buffer.write().at(rank).0[0] += 1.0;
            assert!(buffer.read().iter().all(|vector| vector.0[0] == turn as f32));
        }
    });
}

/// The same, where workers are done reading before they write again, and see their own vector.
#[test]
fn two_workers_release_early() {
    explore(|rank, mut buffer| {
        buffer.write().at(rank).0[0] += 1.0;
        assert!(buffer.read().iter().all(|vector| vector.0[0] == 1.0));
        buffer.release();
        assert_eq!(buffer.own(rank..rank + 1)[0].0[0], 1.0);
        buffer.write().at(rank).0[0] += 1.0;
    });
}

/// Two workers of one rank, of a team that might have others: one of them brings what those told, when
/// both are done writing, and all there is, when neither reads.
#[test]
fn two_workers_of_a_rank_bring_what_is_told() {
    let span = || Span::new(in_process::ranks(1).remove(0), vec![2], true);
    let own = |rank: usize| std::iter::once(rank..rank + 1).collect();
    let buffers = move || {
        let sync = TeamSync::across(span());
        partly_told_turn_buffer(2, (0..2).map(own).collect(), own, &sync)
    };
    explore_buffers(buffers, |rank, mut buffer| {
        buffer.write().at(rank).0[0] += 1.0;
        assert!(buffer.read().iter().all(|vector| vector.0[0] == 1.0));
        buffer.bring_all();
        assert!(buffer.read().iter().all(|vector| vector.0[0] == 1.0));
        buffer.write().at(rank).0[0] += 1.0;
    });
}

/// Has two workers do `work` in every way in which that can go with up to three preemptions: of all
/// ways, with sleeping, there are too many.
fn explore(work: impl Fn(usize, TurnBuffer) + Copy + Send + Sync + 'static) {
    let own = |rank: usize| std::iter::once(rank..rank + 1).collect();
    let buffers = move || turn_buffer(2, (0..2).map(own).collect(), &TeamSync::new(2));
    explore_buffers(buffers, work);
}

/// The same with `buffers` of their own.
fn explore_buffers(
    buffers: impl Fn() -> Vec<TurnBuffer> + Send + Sync + 'static,
    work: impl Fn(usize, TurnBuffer) + Copy + Send + Sync + 'static,
) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(move || {
        let mut buffers = buffers();
        let (first, second) = (buffers.remove(0), buffers.remove(0));
        let other = loom::thread::spawn(move || work(1, second));
        work(0, first);
        other.join().unwrap();
    });
}

/// What a worker wrote before a barrier, another reads after it.
#[test]
fn a_barrier_orders_what_is_before_and_after() {
    use loom::cell::UnsafeCell;
    use loom::sync::Arc;
    loom::model(|| {
        let mut barriers = barrier(2, &TeamSync::new(2));
        let (mut first, mut second) = (barriers.remove(0), barriers.remove(0));
        let data = Arc::new(UnsafeCell::new(()));
        let other = loom::thread::spawn({
            let data = Arc::clone(&data);
            move || {
                data.with_mut(|_| ());
                second.wait();
            }
        });
        first.wait();
        data.with(|_| ());
        other.join().unwrap();
    });
}

/// Whoever sleeps until others have done something wakes when they have: were a wake-up lost, loom
/// would find all threads asleep.
#[test]
fn no_wake_up_is_lost() {
    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicUsize, Ordering};
    loom::model(|| {
        let shared = Arc::new((EventCount::new(), AtomicUsize::new(0)));
        let others: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                loom::thread::spawn(move || {
                    let (events, done) = &*shared;
                    done.fetch_add(1, Ordering::SeqCst);
                    events.notify_all();
                })
            })
            .collect();
        let (events, done) = &*shared;
        events.sleep_until(|| done.load(Ordering::SeqCst) == 2);
        others.into_iter().for_each(|other| other.join().unwrap());
    });
}

/// A worker that sleeps when another one panics wakes, and says so.
#[test]
fn a_panic_wakes_the_sleepers() {
    loom::model(|| {
        let sync = TeamSync::new(2);
        let never = loom::sync::atomic::AtomicUsize::new(0);
        let other = loom::thread::spawn({
            let sync = sync.clone();
            move || sync.poison()
        });
        let waiting = std::panic::AssertUnwindSafe(|| sync.wait_for(&never, 1));
        assert!(std::panic::catch_unwind(waiting).is_err());
        other.join().unwrap();
    });
}

/// The primary worker says in its first step that the team meets after it. Whenever the other one
/// looks in that step, it goes on; once it has waited for the primary in the second, it knows.
#[test]
fn a_team_meets_at_one_step() {
    loom::model(|| {
        let sync = TeamSync::new(2);
        let own = (0..2).map(|rank| std::iter::once(rank..rank + 1).collect()).collect();
        let mut buffers = turn_buffer(2, own, &sync);
        let (mut first, mut second) = (buffers.remove(0), buffers.remove(0));
        let other = loom::thread::spawn({
            let sync = sync.clone();
            move || {
                assert!(!sync.signals().meeting.is_at(0));
                drop(second.write());
                second.read();
                assert!(sync.signals().meeting.is_at(1));
            }
        });
        sync.signals().meeting.say(1);
        drop(first.write());
        first.read();
        assert!(sync.signals().meeting.is_at(1));
        other.join().unwrap();
    });
}
