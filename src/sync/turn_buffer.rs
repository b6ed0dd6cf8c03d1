//! A buffer that a team works on in turns: everyone writes the ranges that are theirs, then
//! everyone reads all of it.
//!
//! Each worker of the team has a [`TurnBuffer`], a handle, and alternates between two turns:
//!
//! - [`TurnBuffer::write`] waits until every worker is done reading, and gives the worker's own
//!   ranges; dropping the [`Writer`] publishes them.
//! - [`TurnBuffer::read`] waits until every worker has published, and gives the whole buffer.
//!
//! A worker is done reading when it says so ([`TurnBuffer::release`]), or else when it wants to
//! write: who says so early spares the others the wait. Its own ranges it sees at any time
//! ([`TurnBuffer::own`]).
//!
//! How a worker waits is the [team's](TeamSync) to say.
//!
//! Where the team spans several ranks, each has a copy of the buffer, in which its own workers' ranges
//! are up to date. The first worker of a rank that reads brings those of the other ranks; so the ranks
//! exchange what is read and nothing else. A read is therefore a matter of all workers: each reads a
//! turn, or none does. What nobody reads but from time to time may be left out of that, and is brought
//! when all workers ask for it ([`TurnBuffer::bring_all`]).

#![allow(unsafe_code, reason = "the one place where threads share memory that they write")]

use std::cell::UnsafeCell;
use std::ops::{Deref, Range};
use std::time::Instant;

use super::TeamSync;
use super::exchange::Exchange;
use super::shim::{Arc, AtomicUsize, Mutex, Ordering, Watch};
use crate::simd::{F32x16, zeroed};

/// The vectors, and the two counters that order all access to them.
struct Shared {
    vectors: Box<[UnsafeCell<F32x16>]>,
    watch: Watch,
    /// How many times workers have published, in all.
    published: Counter,
    /// How many times workers have finished reading, in all.
    released: Counter,
    /// Apart: of most teams there is none.
    across: Option<Box<Across>>,
    sync: TeamSync,
}

/// Where the team spans several ranks.
struct Across {
    /// The last turn of which the other ranks' vectors are here.
    brought: Counter,
    /// How many times workers have asked for all there is, in all, and how often it was brought.
    asked: Counter,
    answered: Counter,
    messages: Mutex<Messages>,
}

/// What ranks tell each other.
struct Messages {
    /// In each turn that is read.
    each_turn: Exchange,
    /// When it is asked for, if there is more.
    all: Option<Exchange>,
}

/// A counter in cache lines of its own: what stands beside it is not taken away from a core
/// whenever another one counts.
#[repr(align(128))]
struct Counter(AtomicUsize);

// SAFETY: the vectors are reached only through `Writer`, `Reader` and `TurnBuffer::own`. A `Writer`
// touches the ranges of its own handle, which no other handle has (`turn_buffer` checks), and exists
// only between the moment when all workers have released the buffer and the moment when its own
// worker publishes. A `Reader` exists only between the moment when all workers have published and
// the moment when its own worker releases. So nobody reads what another may write, and the counters
// (released on the way in, acquired on the way out) order the accesses. What `own` gives, its own
// worker alone writes, and not while it is borrowed.
//
// Where the team spans several ranks, all this holds of the workers of this rank; the ranges of the
// others are written by `take`, when all workers of this rank have published, and either before
// any has a `Reader` of that turn, so after all have released the turn before, or when all of them are
// in `bring_all`, where none has one.
unsafe impl Sync for Shared {}
// SAFETY: `F32x16` may move between threads.
unsafe impl Send for Shared {}

/// A worker's handle of a buffer.
pub(crate) struct TurnBuffer {
    shared: Arc<Shared>,
    own: Vec<Range<usize>>,
    /// How many writing turns this worker has begun.
    turn: usize,
    /// How often it has been done reading: `turn`, or one more.
    releases: usize,
    /// How often it has asked for all there is.
    asks: usize,
}

/// Makes a buffer of `length` vectors of zeros, and a handle for each of as many workers as there
/// are lists in `own`: the ranges that the worker writes, by its place in the team. Those of workers of
/// other ranks are nobody's to use.
///
/// # Panics
/// When ranges overlap or leave the buffer, or there are not as many lists as workers.
pub(crate) fn turn_buffer(
    length: usize,
    own: Vec<Vec<Range<usize>>>,
    sync: &TeamSync,
) -> Vec<TurnBuffer> {
    make(length, own, None, sync)
}

/// The same, of which workers of other ranks see, unless [all](TurnBuffer::bring_all) is asked for, but
/// what `told` says of a worker: ranges within its own.
///
/// # Panics
/// As [`turn_buffer`].
pub(crate) fn partly_told_turn_buffer(
    length: usize,
    own: Vec<Vec<Range<usize>>>,
    told: impl Fn(usize) -> Vec<Range<usize>>,
    sync: &TeamSync,
) -> Vec<TurnBuffer> {
    make(length, own, Some(&told), sync)
}

fn make(
    length: usize,
    own: Vec<Vec<Range<usize>>>,
    told: Option<&dyn Fn(usize) -> Vec<Range<usize>>>,
    sync: &TeamSync,
) -> Vec<TurnBuffer> {
    assert!(own.len() == sync.workers(), "each worker of the team has a list of its own");
    let mut all: Vec<_> = own.iter().flatten().filter(|range| !range.is_empty()).cloned().collect();
    all.sort_by_key(|range| range.start);
    assert!(
        all.windows(2).all(|pair| pair[0].end <= pair[1].start),
        "two workers own the same vectors"
    );
    assert!(all.last().is_none_or(|range| range.end <= length), "a range leaves the buffer");
    let counter = || Counter(AtomicUsize::new(0));
    let across = sync.span().map(|span| {
        let told = told.map(|told| (0..own.len()).map(told).collect::<Vec<_>>());
        Box::new(Across {
            brought: counter(),
            asked: counter(),
            answered: counter(),
            messages: Mutex::new(Messages {
                each_turn: Exchange::new(span, told.as_ref().unwrap_or(&own)),
                all: told.map(|_| Exchange::new(span, &own)),
            }),
        })
    });
    let shared = Arc::new(Shared {
        vectors: zeroed(length).into_iter().map(UnsafeCell::new).collect(),
        watch: Watch::new(length),
        published: counter(),
        released: counter(),
        across,
        sync: sync.clone(),
    });
    own.into_iter()
        .map(|own| TurnBuffer { shared: Arc::clone(&shared), own, turn: 0, releases: 0, asks: 0 })
        .collect()
}

impl TurnBuffer {
    /// Whether the buffer has no vectors.
    pub(crate) fn is_empty(&self) -> bool {
        self.shared.vectors.is_empty()
    }

    /// The worker's turn to write: its own ranges, holding what they held.
    pub(crate) fn write(&mut self) -> Writer<'_> {
        self.release();
        self.turn += 1;
        self.shared.sync.wait_for(&self.shared.released.0, self.turn);
        Writer { buffer: self }
    }

    /// The whole buffer, as all workers have published it (zeros before the first turn).
    ///
    /// # Panics
    /// After a [`release`](Self::release), until the worker has written.
    pub(crate) fn read(&self) -> Reader<'_> {
        assert!(self.releases == self.turn, "a worker does not read what it has released");
        self.shared.sync.wait_for(&self.shared.published.0, self.turn);
        if let Some(across) = &self.shared.across {
            across.bring(&self.shared, self.turn);
        }
        Reader { buffer: self }
    }

    /// Has all that workers of other ranks have published be here, what is [told](partly_told_turn_buffer)
    /// to nobody in its turn among it, to be [read](Self::read). All workers call it, or none does.
    ///
    /// # Panics
    /// As [`read`](Self::read).
    pub(crate) fn bring_all(&mut self) {
        let Some(across) = &self.shared.across else { return };
        assert!(self.releases == self.turn, "a worker does not read what it has released");
        self.shared.sync.wait_for(&self.shared.published.0, self.turn);
        self.asks += 1;
        // When all of this rank are here, none of them reads.
        self.shared.sync.count(&across.asked.0);
        self.shared.sync.wait_for(&across.asked.0, self.asks);
        across.bring_all(&self.shared, self.asks, self.turn);
    }

    /// The worker is done reading: it will not do so again before it writes.
    pub(crate) fn release(&mut self) {
        if self.releases == self.turn {
            self.releases += 1;
            self.shared.sync.count(&self.shared.released.0);
        }
    }

    /// The vectors of `range`, which lies in one of the worker's own ranges, without waiting for
    /// anybody.
    ///
    /// # Panics
    /// When it does not.
    pub(crate) fn own(&self, range: Range<usize>) -> &[F32x16] {
        self.check(&range);
        self.shared.watch.read(range.clone());
        let vectors = &self.shared.vectors[range];
        // SAFETY: nobody else writes these vectors, and this worker does only with `&mut self`.
        // `UnsafeCell<F32x16>` is laid out as `F32x16` is.
        unsafe { std::slice::from_raw_parts(vectors.as_ptr().cast::<F32x16>(), vectors.len()) }
    }

    /// Panics where `range` is not in one of the worker's own.
    #[inline]
    fn check(&self, range: &Range<usize>) {
        let within = |own: &Range<usize>| own.start <= range.start && range.end <= own.end;
        assert!(
            range.start <= range.end && (range.is_empty() || self.own.iter().any(within)),
            "a worker reaches for its own vectors only"
        );
    }
}

impl Across {
    /// Has the other ranks' vectors of turn `turn` be here, once all workers of this rank have published
    /// theirs.
    fn bring(&self, shared: &Shared, turn: usize) {
        self.once(&self.brought, turn, |messages| take(&mut messages.each_turn, shared));
    }

    /// Has all of them of turn `turn` be here, once all workers of this rank have asked for the `asks`th
    /// time.
    fn bring_all(&self, shared: &Shared, asks: usize, turn: usize) {
        self.once(&self.answered, asks, |Messages { each_turn, all }| {
            match all {
                Some(all) => take(all, shared),
                None if self.brought.0.load(Ordering::Acquire) < turn => take(each_turn, shared),
                None => {}
            }
            self.brought.0.store(turn, Ordering::Release);
        });
    }

    /// Does `work` where `done` says that it was not done for the `times`th time; the other workers of
    /// this rank wait for whoever is first.
    fn once(&self, done: &Counter, times: usize, work: impl FnOnce(&mut Messages)) {
        if done.0.load(Ordering::Acquire) >= times {
            return;
        }
        let mut messages = match self.messages.lock() {
            Ok(messages) => messages,
            Err(poisoned) => poisoned.into_inner(),
        };
        if done.0.load(Ordering::Acquire) < times {
            work(&mut messages);
            done.0.store(times, Ordering::Release);
        }
    }
}

/// Tells the other ranks by `exchange` what the workers of this one have published, and takes what they
/// tell.
///
/// All workers of this rank have published, none of them reads, and none writes before the one that is
/// here has released: see [`Shared`].
fn take(exchange: &mut Exchange, shared: &Shared) {
    let since = Instant::now();
    exchange.run(shared.sync.signals(), |range| {
        shared.watch.read(range.clone());
        let vectors = &shared.vectors[range];
        // SAFETY: none of this rank writes now. `UnsafeCell<F32x16>` is laid out as `F32x16` is.
        unsafe { std::slice::from_raw_parts(vectors.as_ptr().cast::<F32x16>(), vectors.len()) }
    });
    shared.sync.count_exchange(exchange.bytes_of_others(), since.elapsed());
    for (range, numbers) in exchange.others() {
        shared.watch.write(range.clone());
        for (vector, numbers) in shared.vectors[range].iter().zip(numbers) {
            // SAFETY: no worker of this rank owns it, and none reads now.
            unsafe { *vector.get() = F32x16(numbers.map(f32::from_bits)) };
        }
    }
}

/// A worker's own ranges, to be written; published when dropped.
pub(crate) struct Writer<'a> {
    buffer: &'a mut TurnBuffer,
}

impl Writer<'_> {
    /// The vectors of `range`, which lies in one of the worker's own ranges.
    ///
    /// # Panics
    /// When it does not.
    #[inline]
    pub(crate) fn vectors(&mut self, range: Range<usize>) -> &mut [F32x16] {
        let [vectors] = self.parts([range]);
        vectors
    }

    /// The vectors of each of `ranges`, which follow one another and lie each in one of the worker's own.
    ///
    /// # Panics
    /// When they do not.
    #[inline]
    pub(crate) fn parts<const N: usize>(
        &mut self,
        ranges: [Range<usize>; N],
    ) -> [&mut [F32x16]; N] {
        let follow = |pair: &[Range<usize>]| pair[0].end <= pair[1].start;
        assert!(ranges.windows(2).all(follow), "parts that are written at once follow one another");
        ranges.map(|range| {
            self.buffer.check(&range);
            self.buffer.shared.watch.write(range.clone());
            let vectors = self.buffer.shared.vectors[range.clone()].as_ptr();
            // SAFETY: the indexing above checked the bounds, and `check` that the vectors are this
            // worker's own. By the turns (see `Shared`) nobody else can reach them now, no other part
            // has them, as each begins where the one before ends or later, and `&mut self` keeps this
            // writer from handing them out twice. `UnsafeCell<F32x16>` is laid out as `F32x16` is.
            unsafe { std::slice::from_raw_parts_mut(UnsafeCell::raw_get(vectors), range.len()) }
        })
    }

    /// The vector at `index`, one of the worker's own.
    ///
    /// # Panics
    /// When it is not.
    #[inline]
    pub(crate) fn at(&mut self, index: usize) -> &mut F32x16 {
        &mut self.vectors(index..index + 1)[0]
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        let shared = &self.buffer.shared;
        shared.sync.count(&shared.published.0);
    }
}

/// The whole buffer, to be read.
pub(crate) struct Reader<'a> {
    buffer: &'a TurnBuffer,
}

impl<'a> Reader<'a> {
    /// All vectors, for as long as the handle is borrowed.
    #[inline]
    pub(crate) fn into_slice(self) -> &'a [F32x16] {
        self.buffer.shared.watch.read(0..self.buffer.shared.vectors.len());
        let vectors = &self.buffer.shared.vectors;
        // SAFETY: by the turns (see `Shared`) nobody writes while the handle is borrowed: its
        // worker can neither release nor begin to write, which would end the others' wait.
        // `UnsafeCell<F32x16>` is laid out as `F32x16` is.
        unsafe { std::slice::from_raw_parts(vectors.as_ptr().cast::<F32x16>(), vectors.len()) }
    }
}

impl Deref for Reader<'_> {
    type Target = [F32x16];

    #[inline]
    fn deref(&self) -> &[F32x16] {
        Reader { buffer: self.buffer }.into_slice()
    }
}
