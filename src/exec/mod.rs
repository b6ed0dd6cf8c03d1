//! How a network is computed: planned once for a minibatch and a team of threads, and run by them.
//!
//! [`plan`] makes stages of the layers, and [`partition`] says which worker does what in each.
//! [`team`] makes the workers; a [`worker`] goes forward and back through its [`stage`]s, each of
//! which does its own work ([`layers`]). Between stages numbers stand as [`layout`] says.

pub(crate) mod engine;
pub(crate) mod input;
pub(crate) mod layers;
pub(crate) mod layout;
pub(crate) mod link;
pub(crate) mod partition;
pub(crate) mod pass;
pub(crate) mod plan;
pub(crate) mod samples;
pub(crate) mod stage;
pub(crate) mod streams;
pub(crate) mod team;
pub(crate) mod worker;
