//! The page and the reports in a real browser: Chromium, driven through chromedriver.
#![cfg(all(unix, feature = "serve"))]

mod in_chromium;
#[path = "../page/mod.rs"]
mod page;
#[path = "../program/mod.rs"]
mod program;
#[path = "../webdriver/mod.rs"]
mod webdriver;
