//! Ranks: the processes of one job, on one machine or many, and what they tell each other.
//!
//! Each is started with the same arguments, by `mpirun` or the like; rank 0 speaks for all. How messages
//! get from one to another, only this room knows: by MPI, with the feature `mpi`.

mod error;
pub(crate) mod in_process;
#[cfg(feature = "mpi")]
mod mpi;
mod place;

use std::fmt::{Debug, Display};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

pub use error::Error;
pub(crate) use place::Place;

/// How the ranks of a job reach each other. All calls that a rank makes may come from any of its
/// threads, one at a time.
///
/// A rank that is gone, or does not answer, ends the job: none of these calls returns then.
pub(crate) trait Communicator: Debug + Send + Sync {
    /// Which of them this process is, from 0.
    fn rank(&self) -> usize;

    /// How many there are.
    fn size(&self) -> usize;

    /// Brings what all ranks give together, in their order, in `all`: `own` of this one, `lengths` words
    /// of each. All ranks call it, in the same order among such calls and with the same lengths.
    fn all_gather(&self, own: &[u32], lengths: &[usize], all: &mut [u32]);

    /// Sends `message` to rank `to`; returns when it is on its way.
    fn send(&self, to: usize, message: &[u8]);

    /// The next message that is there, and who sent it, without waiting for one.
    fn receive(&self) -> Option<(usize, Vec<u8>)>;

    /// Ends the job where rank `rank`, which should have said something, has been silent for too long.
    fn check_silence(&self, rank: usize, silence: Duration);
}

/// The ranks of a job, as one of them sees them.
#[derive(Clone, Debug)]
pub struct Ranks(Arc<dyn Communicator>);

impl Ranks {
    /// Those that were started together with this process, by way of MPI: to be called once, by the
    /// main thread, on which the last copy is dropped too. A rank that does not answer for as long as
    /// `patience` ends the job.
    ///
    /// # Errors
    /// When MPI cannot be had, or not in the way that is needed.
    #[cfg(feature = "mpi")]
    pub fn by_mpi(patience: Duration) -> Result<Self, Error> {
        Ok(Self(Arc::new(mpi::Mpi::start(patience)?)))
    }

    /// Which of them this process is, from 0.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.0.rank()
    }

    /// How many there are.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.size()
    }

    /// Whether this is rank 0, which speaks for all.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.rank() == 0
    }

    /// How many cores fall to this rank: those that it may use, parted among the ranks that may use the
    /// same. All call it.
    #[must_use]
    pub fn cores(&self) -> usize {
        Place::of(self).threads()
    }

    /// As [`Communicator::all_gather`].
    pub(crate) fn all_gather(&self, own: &[u32], lengths: &[usize], all: &mut [u32]) {
        self.0.all_gather(own, lengths, all);
    }

    /// Sends `message` to rank `to`; returns when it is on its way.
    pub(crate) fn send(&self, to: usize, message: &[u8]) {
        self.0.send(to, message);
    }

    /// The next message that is there, and who sent it, without waiting for one.
    pub(crate) fn receive(&self) -> Option<(usize, Vec<u8>)> {
        self.0.receive()
    }

    /// Ends the job where rank `rank`, which should have said something, has been silent for too long.
    pub(crate) fn check_silence(&self, rank: usize, silence: Duration) {
        self.0.check_silence(rank, silence);
    }

    /// What each rank gives, in their order. All call it.
    pub(crate) fn all_gather_bytes(&self, own: &[u8]) -> Vec<Vec<u8>> {
        let size = self.size();
        let mut lengths = vec![0; LENGTH * size];
        self.all_gather(&to_words(&own.len().to_ne_bytes()), &vec![LENGTH; size], &mut lengths);
        let length = |words: &[u32]| {
            let bytes = to_bytes(words, size_of::<usize>());
            bytes.try_into().map_or(0, usize::from_ne_bytes)
        };
        let lengths: Vec<_> = lengths.chunks_exact(LENGTH).map(length).collect();
        let words: Vec<_> = lengths.iter().map(|length| length.div_ceil(WORD)).collect();
        let mut all = vec![0; words.iter().sum()];
        self.all_gather(&to_words(own), &words, &mut all);
        let mut rest = &all[..];
        lengths
            .iter()
            .zip(words)
            .map(|(&length, words)| {
                let (of_rank, others) = rest.split_at(words);
                rest = others;
                to_bytes(of_rank, length)
            })
            .collect()
    }

    /// Says `message` to all others, which [wait for it](Self::await_call): rank 0 does.
    pub fn call(&self, message: &[u8]) {
        (1..self.size()).for_each(|rank| self.send(rank, message));
    }

    /// Waits for the next [call](Self::call) of rank 0.
    #[must_use]
    pub fn await_call(&self) -> Vec<u8> {
        let since = Instant::now();
        loop {
            if let Some((_, message)) = self.receive() {
                return message;
            }
            self.check_silence(0, since.elapsed());
            thread::sleep(LISTENING);
        }
    }

    /// A number of each rank, in their order. All call it.
    pub(crate) fn all_numbers(&self, own: usize) -> Vec<usize> {
        let all = self.all_gather_bytes(&own.to_ne_bytes()).into_iter();
        all.map(|bytes| bytes.try_into().map_or(0, usize::from_ne_bytes)).collect()
    }

    /// The first rank that gives something else than rank 0. All call it.
    pub(crate) fn first_that_differs(&self, own: &[u8]) -> Option<usize> {
        let all = self.all_gather_bytes(own);
        all.iter().position(|of_rank| *of_rank != all[0])
    }

    /// What rank 0 says to all, which call it: it alone says something.
    pub(crate) fn broadcast(&self, message: &[u8]) -> Vec<u8> {
        let own = if self.is_first() { message } else { &[] };
        self.all_gather_bytes(own).swap_remove(0)
    }

    /// What came of something on this rank, if it failed on none. All call it.
    ///
    /// # Errors
    /// What went wrong on this rank, or else on the first one where something did.
    pub fn agree<T, E: Display + From<Error>>(&self, own: Result<T, E>) -> Result<T, E> {
        // A mark before the text: that may be empty.
        let problem = own.as_ref().err().map_or_else(String::new, |error| format!("!{error}"));
        let problems = self.all_gather_bytes(problem.as_bytes());
        let own = own?;
        let failed = problems.iter().enumerate().find_map(|(rank, problem)| {
            let problem = String::from_utf8_lossy(problem.get(1..)?).into_owned();
            Some(Error::Rank { rank, problem })
        });
        failed.map_or(Ok(own), |failed| Err(failed.into()))
    }
}

/// How long a rank sleeps between two looks at whether it is called.
const LISTENING: Duration = Duration::from_millis(1);

/// Bytes of a word of messages.
const WORD: usize = size_of::<u32>();

/// Words of a length.
const LENGTH: usize = size_of::<usize>() / WORD;

fn to_words(bytes: &[u8]) -> Vec<u32> {
    let word = |bytes: &[u8]| {
        let mut word = [0; WORD];
        word[..bytes.len()].copy_from_slice(bytes);
        u32::from_ne_bytes(word)
    };
    bytes.chunks(WORD).map(word).collect()
}

fn to_bytes(words: &[u32], length: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    bytes.truncate(length);
    bytes
}

#[cfg(test)]
mod tests {
    use super::in_process::on_each_rank;
    use super::*;

    #[test]
    fn each_rank_has_what_all_gave() {
        let found = on_each_rank(3, |ranks| {
            (0..3)
                .map(|round| {
                    ranks.all_gather_bytes(&vec![ranks.rank() as u8; ranks.rank() + 5 * round])
                })
                .collect::<Vec<_>>()
        });
        for of_rank in found {
            for (round, all) in of_rank.into_iter().enumerate() {
                let expected = [0, 1, 2].map(|rank| vec![rank as u8; rank + 5 * round]);
                assert_eq!(all, expected);
            }
        }
    }

    #[test]
    fn rank_0_speaks_to_all() {
        let found = on_each_rank(2, |ranks| {
            ranks.broadcast(if ranks.is_first() { b"go on" } else { b"?" })
        });
        assert_eq!(found, [b"go on", b"go on"]);
    }

    #[test]
    fn what_fails_on_one_rank_fails_on_all() {
        let failing = |which: usize| {
            on_each_rank(3, move |ranks| {
                let rank = ranks.rank();
                let own = if rank == which {
                    Err(Error::Rank { rank, problem: "full".into() })
                } else {
                    Ok(rank)
                };
                ranks.agree(own).map_err(|error| error.to_string())
            })
        };
        assert_eq!(failing(3), [Ok(0), Ok(1), Ok(2)]);
        let problem = || Err("rank 1: full".to_owned());
        // All say whose problem it is, and none twice.
        assert_eq!(failing(1), [problem(), problem(), problem()]);
        let of_another = Error::Rank { rank: 1, problem: "rank 12 is gone".into() };
        assert_eq!(of_another.to_string(), "rank 1: rank 12 is gone");
    }

    #[test]
    fn messages_come_in_their_order() {
        let found = on_each_rank(2, |ranks| {
            if ranks.is_first() {
                (0..5).for_each(|number| ranks.send(1, &[number; 3]));
                return Vec::new();
            }
            let mut found = Vec::new();
            while found.len() < 5 {
                found.extend(ranks.receive());
                std::thread::yield_now();
            }
            found
        });
        let expected: Vec<_> = (0..5).map(|number| (0, vec![number; 3])).collect();
        assert_eq!(found[1], expected);
    }
}
