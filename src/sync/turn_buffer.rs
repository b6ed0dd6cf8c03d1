//! A buffer that a team works on in turns: everyone writes the ranges that are theirs, then
//! everyone reads all of it.
//!
//! Each rank of the team has a [`TurnBuffer`] and alternates between two turns:
//!
//! - [`TurnBuffer::write`] waits until every rank is done reading, and gives the rank's own ranges;
//!   dropping the [`Writer`] publishes them.
//! - [`TurnBuffer::read`] waits until every rank has published, and gives the whole buffer.
//!
//! A rank is done reading when it says so ([`TurnBuffer::release`]), or else when it wants to write:
//! who says so early spares the others the wait. Its own ranges it sees at any time
//! ([`TurnBuffer::own`]).
//!
//! That is all the synchronisation between workers: there is no other barrier. Waiting spins
//! briefly and then yields.

#![allow(unsafe_code, reason = "the one place where threads share memory that they write")]

use std::cell::UnsafeCell;
use std::ops::{Deref, Range};
use std::thread::available_parallelism;

use self::sync::{Arc, AtomicBool, AtomicUsize, Ordering, Watch, pause};
use crate::simd::{F32x16, as_numbers, zeroed};

/// What loom replaces when it explores every interleaving of the threads.
mod sync {
    #[cfg(all(test, loom))]
    pub(super) use self::explored::{Watch, pause};
    #[cfg(not(all(test, loom)))]
    pub(super) use self::real::{Watch, pause};
    #[cfg(all(test, loom))]
    pub(super) use loom::sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    };
    #[cfg(not(all(test, loom)))]
    pub(super) use std::sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    };

    #[cfg(not(all(test, loom)))]
    mod real {
        use std::ops::Range;

        /// Waits a moment: by spinning, or by letting another thread run.
        pub(in super::super) fn pause(spin: bool) {
            if spin { std::hint::spin_loop() } else { std::thread::yield_now() }
        }

        /// Sees every access to the lanes, and has nothing to say.
        pub(in super::super) struct Watch;

        impl Watch {
            pub(in super::super) fn new(_length: usize) -> Self {
                Self
            }

            #[inline(always)]
            pub(in super::super) fn read(&self, _range: Range<usize>) {}

            #[inline(always)]
            pub(in super::super) fn write(&self, _range: Range<usize>) {}
        }
    }

    #[cfg(all(test, loom))]
    mod explored {
        use std::ops::Range;

        use loom::cell::UnsafeCell;

        pub(in super::super) fn pause(_spin: bool) {
            loom::thread::yield_now();
        }

        /// Sees every access to the lanes, and panics at one that nothing orders after another
        /// thread's, or before it.
        pub(in super::super) struct Watch(Vec<UnsafeCell<()>>);

        impl Watch {
            pub(in super::super) fn new(length: usize) -> Self {
                Self((0..length).map(|_| UnsafeCell::new(())).collect())
            }

            pub(in super::super) fn read(&self, range: Range<usize>) {
                self.0[range].iter().for_each(|lanes| lanes.with(|_| ()));
            }

            pub(in super::super) fn write(&self, range: Range<usize>) {
                self.0[range].iter().for_each(|lanes| lanes.with_mut(|_| ()));
            }
        }
    }
}

/// Set when a rank of a team has panicked, so that the others do not wait for it for ever.
#[derive(Clone, Debug)]
pub(crate) struct Poison(Arc<AtomicBool>);

impl Poison {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicBool::new(false)))
    }

    /// What a rank holds while it works: dropped by a panic, it tells every waiting rank to
    /// give up.
    pub(crate) fn guard(&self) -> impl Drop {
        PoisonGuard(self.clone())
    }

    fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

struct PoisonGuard(Poison);

impl Drop for PoisonGuard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.set();
        }
    }
}

/// The buffer and the two counters that order all access to it.
struct Shared {
    vectors: Box<[UnsafeCell<F32x16>]>,
    watch: Watch,
    workers: usize,
    /// How often a waiting rank spins before it lets another thread run.
    spins: u32,
    /// How many times workers have published, in all.
    published: Counter,
    /// How many times workers have finished reading, in all.
    released: Counter,
    poison: Poison,
}

/// A counter in cache lines of its own: what stands beside it is not taken away from a core
/// whenever another one counts.
#[repr(align(128))]
struct Counter(AtomicUsize);

// SAFETY: the vectors are reached only through `Writer`, `Reader` and `TurnBuffer::own`. A `Writer` touches
// the ranges of its own seat, which no other seat has (`share` checks), and exists only between the
// moment when all workers have released the buffer and the moment when its own rank publishes. A
// `Reader` exists only between the moment when all workers have published and the moment when its
// own rank releases. So nobody reads what another may write, and the counters (release on the
// way in, acquire on the way out) order the accesses. What `own` gives, its own rank alone
// writes, and not while it is borrowed.
unsafe impl Sync for Shared {}
// SAFETY: `F32x16` may move between threads.
unsafe impl Send for Shared {}

/// A rank's access to a shared buffer.
pub(crate) struct TurnBuffer {
    shared: Arc<Shared>,
    own: Vec<Range<usize>>,
    /// How many writing turns this rank has begun.
    turn: usize,
    /// How often it has been done reading: `turn`, or one more.
    releases: usize,
}

/// Whether so many workers have fewer cores than they are.
pub(crate) fn oversubscribed(workers: usize) -> bool {
    workers > available_parallelism().map_or(1, usize::from)
}

/// Makes a buffer of `length` zeros for as many workers as there are lists of ranges in `own`,
/// each the ranges that the rank writes.
///
/// # Panics
/// When ranges overlap or leave the buffer.
pub(crate) fn turn_buffer(
    length: usize,
    own: Vec<Vec<Range<usize>>>,
    poison: &Poison,
) -> Vec<TurnBuffer> {
    let mut all: Vec<_> = own.iter().flatten().filter(|range| !range.is_empty()).cloned().collect();
    all.sort_by_key(|range| range.start);
    assert!(
        all.windows(2).all(|pair| pair[0].end <= pair[1].start),
        "two workers own the same lanes"
    );
    assert!(all.last().is_none_or(|range| range.end <= length), "a range leaves the buffer");
    let shared = Arc::new(Shared {
        vectors: zeroed(length).into_iter().map(UnsafeCell::new).collect(),
        watch: Watch::new(length),
        workers: own.len(),
        // Some ten microseconds, in which workers that have a core each meet: to yield it to
        // another program costs much more. Where they have not, the one that is waited for needs
        // this one's core.
        spins: if oversubscribed(own.len()) { 0 } else { 1000 },
        published: Counter(AtomicUsize::new(0)),
        released: Counter(AtomicUsize::new(0)),
        poison: poison.clone(),
    });
    own.into_iter()
        .map(|own| TurnBuffer { shared: Arc::clone(&shared), own, turn: 0, releases: 0 })
        .collect()
}

impl TurnBuffer {
    /// Whether the buffer has no lanes.
    pub(crate) fn is_empty(&self) -> bool {
        self.shared.vectors.is_empty()
    }

    /// The rank's turn to write: its own ranges, holding what they held.
    pub(crate) fn write(&mut self) -> Writer<'_> {
        self.release();
        self.turn += 1;
        self.shared.wait_for(&self.shared.released, self.turn);
        Writer { seat: self }
    }

    /// The whole buffer, as all workers have published it (zeros before the first turn).
    ///
    /// # Panics
    /// After a [`release`](Self::release), until the rank has written.
    pub(crate) fn read(&self) -> Reader<'_> {
        assert!(self.releases == self.turn, "a worker does not read what it has released");
        self.shared.wait_for(&self.shared.published, self.turn);
        Reader { seat: self }
    }

    /// The rank is done reading: it will not do so again before it writes.
    pub(crate) fn release(&mut self) {
        if self.releases == self.turn {
            self.releases += 1;
            self.shared.released.0.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// The lanes of `range`, which lies in one of the rank's own ranges, without waiting for
    /// anybody.
    ///
    /// # Panics
    /// When it does not.
    pub(crate) fn own(&self, range: Range<usize>) -> &[F32x16] {
        self.check(&range);
        self.shared.watch.read(range.clone());
        let vectors = &self.shared.vectors[range];
        // SAFETY: nobody else writes these lanes, and this rank does only with `&mut self`.
        // `UnsafeCell<F32x16>` is laid out as `F32x16` is.
        unsafe { std::slice::from_raw_parts(vectors.as_ptr().cast::<F32x16>(), vectors.len()) }
    }

    /// Panics where `range` is not in one of the rank's own.
    #[inline]
    fn check(&self, range: &Range<usize>) {
        let within = |own: &Range<usize>| own.start <= range.start && range.end <= own.end;
        assert!(
            range.start <= range.end && (range.is_empty() || self.own.iter().any(within)),
            "a worker reaches for its own lanes only"
        );
    }
}

impl Shared {
    /// Waits until every rank has counted `turns` times.
    #[inline]
    fn wait_for(&self, counter: &Counter, turns: usize) {
        let mut turn = 0;
        while counter.0.load(Ordering::Acquire) < turns * self.workers {
            assert!(!self.poison.is_set(), "another worker has panicked");
            pause(turn < self.spins);
            turn = turn.saturating_add(1);
        }
    }
}

/// A rank's own ranges, to be written; published when dropped.
pub(crate) struct Writer<'a> {
    seat: &'a mut TurnBuffer,
}

impl Writer<'_> {
    /// The lanes of `range`, which lies in one of the rank's own ranges.
    ///
    /// # Panics
    /// When it does not.
    #[inline]
    pub(crate) fn lanes(&mut self, range: Range<usize>) -> &mut [F32x16] {
        self.seat.check(&range);
        self.seat.shared.watch.write(range.clone());
        let vectors = self.seat.shared.vectors[range.clone()].as_ptr();
        // SAFETY: the indexing above checked the bounds, and the assertion that the lanes are this
        // rank's own. By the turns (see `Shared`) nobody else can reach them now, and `&mut
        // self` keeps this writer from handing them out twice. `UnsafeCell<F32x16>` is laid out as
        // `F32x16` is.
        unsafe { std::slice::from_raw_parts_mut(UnsafeCell::raw_get(vectors), range.len()) }
    }
}

impl Writer<'_> {
    /// The lanes at `index`, one of the rank's own.
    ///
    /// # Panics
    /// When it is not.
    #[inline]
    pub(crate) fn at(&mut self, index: usize) -> &mut F32x16 {
        &mut self.lanes(index..index + 1)[0]
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.seat.shared.published.0.fetch_add(1, Ordering::Release);
    }
}

/// The whole buffer, to be read.
pub(crate) struct Reader<'a> {
    seat: &'a TurnBuffer,
}

impl Reader<'_> {
    /// The same, as single numbers.
    #[inline]
    pub(crate) fn as_numbers(&self) -> &[f32] {
        as_numbers(self)
    }
}

impl Deref for Reader<'_> {
    type Target = [F32x16];

    #[inline]
    fn deref(&self) -> &[F32x16] {
        self.seat.shared.watch.read(0..self.seat.shared.vectors.len());
        let vectors = &self.seat.shared.vectors;
        // SAFETY: by the turns (see `Shared`) nobody writes while this reader lives: its rank can
        // neither release nor begin to write, which would end the others' wait, since it borrows
        // the seat.
        // `UnsafeCell<F32x16>` is laid out as `F32x16` is.
        unsafe { std::slice::from_raw_parts(vectors.as_ptr().cast::<F32x16>(), vectors.len()) }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Members add their number to their own lane and read everyone's, many times.
    #[test]
    fn everyone_reads_what_everyone_wrote() {
        for workers in [1, 2, 3, 8] {
            let own =
                (0..workers).map(|index| std::iter::once(index..index + 1).collect()).collect();
            let poison = Poison::new();
            let seats = turn_buffer(workers, own, &poison);
            std::thread::scope(|scope| {
                for (index, mut seat) in seats.into_iter().enumerate() {
                    let guard = poison.guard();
                    scope.spawn(move || {
                        let _guard = guard;
                        for turn in 1..=200 {
                            seat.write().lanes(index..index + 1)[0].0[0] += 1.0;
                            assert!(seat.read().iter().all(|lanes| lanes.0[0] == turn as f32));
                        }
                    });
                }
            });
        }
    }

    /// As above, but each rank is done reading before it counts, and looks at its own lane then.
    #[test]
    fn who_releases_early_still_sees_its_own() {
        let own = (0..3).map(|index| std::iter::once(index..index + 1).collect()).collect();
        let poison = Poison::new();
        let seats = turn_buffer(3, own, &poison);
        std::thread::scope(|scope| {
            for (index, mut seat) in seats.into_iter().enumerate() {
                let guard = poison.guard();
                scope.spawn(move || {
                    let _guard = guard;
                    for turn in 0..200 {
                        assert!(seat.read().iter().all(|lanes| lanes.0[0] == turn as f32));
                        seat.release();
                        assert_eq!(seat.own(index..index + 1)[0].0[0], turn as f32);
                        seat.write().at(index).0[0] += 1.0;
                    }
                });
            }
        });
    }

    #[test]
    #[should_panic(expected = "does not read what it has released")]
    fn nobody_reads_after_a_release() {
        let mut seats = turn_buffer(1, vec![vec![]; 2], &Poison::new());
        seats[0].release();
        seats[0].read();
    }

    #[test]
    #[should_panic(expected = "its own lanes only")]
    fn nobody_writes_what_is_not_theirs() {
        let mut seats =
            turn_buffer(2, [0..1, 1..2].map(|own| Vec::from([own])).into(), &Poison::new());
        let mut second = seats.pop().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| drop(seats[0].write()));
            second.write().lanes(0..1);
        });
    }

    #[test]
    #[should_panic(expected = "its own lanes only")]
    fn nobody_sees_without_a_turn_what_is_not_theirs() {
        let seats = turn_buffer(2, [0..1, 1..2].map(|own| Vec::from([own])).into(), &Poison::new());
        seats[1].own(0..1);
    }

    #[test]
    #[should_panic(expected = "two workers own the same lanes")]
    fn ranges_do_not_overlap() {
        turn_buffer(4, [0..2, 1..3].map(|own| Vec::from([own])).into(), &Poison::new());
    }

    #[test]
    #[should_panic(expected = "another worker has panicked")]
    fn a_panic_ends_the_others_wait() {
        let poison = Poison::new();
        let mut seats = turn_buffer(0, vec![Vec::new(); 2], &poison);
        poison.set();
        seats[0].write();
    }
}

/// With loom: `RUSTFLAGS="--cfg loom" cargo test --lib shared`.
#[cfg(all(test, loom))]
mod every_interleaving {
    use super::*;

    /// Each of two workers adds one to a lane of its own and reads both, twice: no interleaving
    /// lets two threads at the same lanes, or a rank read what is old or new. (Of more workers
    /// there are more interleavings than can be gone through.)
    #[test]
    fn two_members_take_two_turns() {
        explore(|index, mut seat| {
            for turn in 1..=2 {
                seat.write().at(index).0[0] += 1.0;
                assert!(seat.read().iter().all(|lanes| lanes.0[0] == turn as f32));
            }
        });
    }

    /// The same, where workers are done reading before they write again, and see their own lane.
    #[test]
    fn two_members_release_early() {
        explore(|index, mut seat| {
            seat.write().at(index).0[0] += 1.0;
            assert!(seat.read().iter().all(|lanes| lanes.0[0] == 1.0));
            seat.release();
            assert_eq!(seat.own(index..index + 1)[0].0[0], 1.0);
            seat.write().at(index).0[0] += 1.0;
        });
    }

    /// Has two workers do `work` in every way in which that can go.
    fn explore(work: impl Fn(usize, TurnBuffer) + Copy + Send + Sync + 'static) {
        loom::model(move || {
            let own = (0..2).map(|index| std::iter::once(index..index + 1).collect()).collect();
            let mut seats = turn_buffer(2, own, &Poison::new());
            let (first, second) = (seats.remove(0), seats.remove(0));
            let other = loom::thread::spawn(move || work(1, second));
            work(0, first);
            other.join().unwrap();
        });
    }
}
