//! How a network is computed: planned for a minibatch and a team of threads, and run by them.

pub(crate) mod engine;
pub(crate) mod input;
pub(crate) mod layers;
pub(crate) mod noise;
pub(crate) mod partition;
pub(crate) mod plan;
pub(crate) mod samples;
pub(crate) mod shares;
pub(crate) mod stage;
pub(crate) mod team;
pub(crate) mod worker;
