//! The engine: the threads and kernels with which networks are trained and asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::plan::Plan;
use crate::kernels::gemm::GemmBackend;
use crate::ranks::{self, Place, Ranks};
use crate::simd::{Isa, UnsupportedIsa};
use crate::sync::{Cores, Span, pool_of, pool_of_all_cores};

/// Threads and kernels, chosen once.
#[derive(Debug)]
pub struct Engine {
    pool: rayon::ThreadPool,
    isa: Isa,
    gemm: GemmBackend,
    /// Among how many of the threads training chooses.
    choice: Option<Cores>,
    /// How the teams that train span several ranks, where they do.
    span: Option<Span>,
    stop: Arc<AtomicBool>,
}

/// How to set an [`Engine`] up.
#[derive(Clone, Copy, Debug, Default)]
pub struct EngineOptions {
    /// The instruction set; `None` for the one that `MNISTRY_ISA` names, else the CPU's best.
    pub isa: Option<Isa>,
    /// Who computes the dense products.
    pub gemm: GemmBackend,
    /// The number of threads. `None` for one a core, or as many as the system grants; a team that
    /// trains has as many of them as turn out to be the fastest. The bits do not depend on it.
    pub threads: Option<usize>,
}

/// The most threads that may be asked for.
const MOST_THREADS: usize = 1024;

impl Engine {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the number of threads is zero or absurd, or the system refuses them; where it is not
    /// given, when the system refuses even one.
    pub fn new(options: EngineOptions) -> Result<Self, EngineError> {
        let (threads, pool) = match options.threads {
            Some(threads) if threads == 0 || threads > MOST_THREADS => {
                return Err(EngineError::Threads { threads, most: MOST_THREADS });
            }
            Some(threads) => (threads, pool_of(threads)),
            None => (1, pool_of_all_cores()),
        };
        let pool = pool.map_err(|source| EngineError::Refused { threads, source })?;
        let isa = match options.isa {
            Some(isa) => isa,
            None => Isa::detect()?,
        };
        let granted = Cores::usable().up_to(pool.current_num_threads());
        let choice = options.threads.is_none().then_some(granted);
        Ok(Self { pool, isa, gemm: options.gemm, choice, span: None, stop: Arc::default() })
    }

    /// An engine whose teams, where they train, have the threads of all `ranks` as their workers: those
    /// of `options` on this rank, or a thread for each core that it does not share with other ranks. All
    /// ranks call it, and then train together: each calls [`fit`](Self::fit) or another of its kind with
    /// the same network, images and options. Only rank 0 knows what comes of it, and all else, such as
    /// [`evaluate`](Self::evaluate), each does by itself.
    ///
    /// # Errors
    /// As [`new`](Self::new), here or on another rank, and when the ranks compute differently.
    pub fn across(options: EngineOptions, ranks: &Ranks) -> Result<Self, EngineError> {
        let place = Place::of(ranks);
        let threads = options.threads.unwrap_or_else(|| place.threads());
        let own = Self::new(EngineOptions { threads: Some(threads), ..options });
        let own = ranks.agree(own)?;
        // The portable instruction set rounds otherwise, and so does another GEMM.
        let rounding = [u8::from(own.isa.is_fused()), u8::from(own.gemm == GemmBackend::Engine)];
        if ranks.first_that_differs(&rounding).is_some() {
            return Err(EngineError::Rounding);
        }
        let threads_of_all = ranks.all_numbers(threads);
        let crowded = ranks.all_numbers(place.is_oversubscribed_by(threads).into());
        let span = Span::new(ranks.clone(), threads_of_all, crowded.contains(&1));
        Ok(Self { span: Some(span), ..own })
    }

    /// The number of threads: the most that train.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Does `work` with the engine's threads, such as reading a data set, in place of threads that are
    /// begun for it: when they are free, and on one of them. Meanwhile the engine trains nothing.
    pub fn install<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(work)
    }

    /// The ranks that train together, where they are several.
    #[must_use]
    pub fn ranks(&self) -> Option<&Ranks> {
        self.span().map(Span::ranks)
    }

    /// The number of threads that train: of all ranks.
    #[must_use]
    pub fn training_threads(&self) -> usize {
        self.span().map_or(self.threads(), Span::workers)
    }

    /// How teams that train span several ranks, where they do.
    pub(crate) fn span(&self) -> Option<&Span> {
        self.span.as_ref()
    }

    /// `plan` for a team that trains by `threads` of this rank, or by all of all ranks where it spans
    /// several.
    pub(crate) fn training_plan_by(&self, plan: Plan, threads: usize) -> Plan {
        match &self.span {
            None => plan.by(threads),
            Some(span) => {
                let (workers, oversubscribed) = (span.workers(), span.is_oversubscribed());
                Plan { workers, oversubscribed, spans_ranks: true, ..plan }
            }
        }
    }

    /// The instruction set in use.
    #[must_use]
    pub fn isa(&self) -> Isa {
        self.isa
    }

    /// Who computes the dense products.
    #[must_use]
    pub fn gemm_backend(&self) -> GemmBackend {
        self.gemm
    }

    /// The same, asked to stop by `flag` in place of one of its own: one flag may stop several engines.
    #[must_use]
    pub fn stopped_by(mut self, flag: Arc<AtomicBool>) -> Self {
        self.stop = flag;
        self
    }

    /// What asks the engine to stop, once it is raised: by another thread, or by the handler of a
    /// signal. Training then ends after the step that it is in, and reading images with
    /// [`train::Error::Stopped`](crate::train::Error::Stopped).
    #[must_use]
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// Whether it was asked to stop.
    pub(crate) fn is_asked_to_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Refuses work that needs every thread while the threads run a team: an observer asks for it
    /// from within, and would wait for itself.
    pub(crate) fn check_idle(&self) -> Result<(), EngineError> {
        if self.is_busy() { Err(EngineError::Busy) } else { Ok(()) }
    }

    /// Whether the caller is one of the engine's own threads.
    pub(crate) fn is_busy(&self) -> bool {
        self.pool.current_thread_index().is_some()
    }

    /// Among how many threads training chooses, where their number is not given.
    pub(crate) fn cores_to_choose(&self) -> Option<Cores> {
        self.choice
    }

    /// How minibatches of up to `batch` samples are computed by all threads, where nothing is
    /// learnt.
    pub(crate) fn plan(&self, batch: usize) -> Plan {
        let plan = Plan {
            workers: 1,
            oversubscribed: false,
            spans_ranks: false,
            batch,
            slots: 1,
            drops: false,
            smoothing: 0.0,
            isa: self.isa,
            gemm: self.gemm,
        };
        plan.by(self.threads())
    }

    pub(crate) fn pool(&self) -> &rayon::ThreadPool {
        &self.pool
    }
}

/// Why an engine cannot be had, or cannot work now.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// No threads, or too many.
    #[error("{threads} threads: give a number from 1 to {most}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// The most that may be.
        most: usize,
    },
    /// The system refuses the threads.
    #[error("cannot start {threads} {}: {source}", if *.threads == 1 { "thread" } else { "threads" })]
    Refused {
        /// How many were asked for.
        threads: usize,
        /// What the system said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Some ranks would round otherwise than others.
    #[error(
        "the ranks would not compute the same bits: let all have fused multiply-add (--isa), or none, and \
         the same --gemm"
    )]
    Rounding,
    /// Another rank has no engine, or one of them is gone.
    #[error(transparent)]
    Ranks(#[from] ranks::Error),
    /// There is no such instruction set here.
    #[error(transparent)]
    Isa(#[from] UnsupportedIsa),
    /// It is asked from within a run for work that needs all of its threads.
    #[error("the engine's threads are at work: what runs on them must use another engine for this")]
    Busy,
}
