//! Networks in the files of other programs: written for them, and read from them.

#[cfg(feature = "keras")]
pub mod keras;
