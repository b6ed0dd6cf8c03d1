//! The `mnistry` program.
fn main() {}
