//! The tests, each with a browser and a server of its own.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use mnistry::internals::strokes;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::page::Page;
use crate::program::{Desk, running::Running};
use crate::webdriver::{Browser, Pointer};

const WIDE: (u32, u32) = (1280, 900);
const NARROW: (u32, u32) = (390, 844);
/// Pixels on the screen for a unit of the generator's pens; a digit is about two high.
const SIZE: f32 = 110.0;

/// A desk with a network that has seen generated digits alone, in `runs/1`; trained once.
fn desk() -> &'static Desk {
    static DESK: OnceLock<Desk> = OnceLock::new();
    DESK.get_or_init(|| {
        let desk = Desk::new();
        desk.write_digits("digits", 30_000, 500);
        desk.succeed("train --data digits --epochs 4 --quiet");
        desk
    })
}

/// The right arrow, as WebDriver calls it.
const RIGHT: &str = "\u{e014}";

/// The page of the desk's runs, shown by a browser, ready to be drawn on.
fn shown((width, height): (u32, u32)) -> (Page, Browser) {
    let page = Page::start(desk().command("serve"));
    let browser = Browser::start(width, height);
    browser.open(&page.url());
    browser.until("return document.getElementById('model').value");
    (page, browser)
}

/// The strokes of `digit`, as the hand `number` writes it, so far right of the middle of the paper.
fn written(digit: u8, number: u64, right: f32) -> Vec<Vec<[f32; 2]>> {
    let strokes = strokes(99, digit, number);
    let placed = |[x, y]: [f32; 2]| [x * SIZE + right, y * SIZE];
    let stroke = |stroke: Vec<[f32; 2]>| {
        // A browser takes a frame for each move; every third point and the last are enough.
        let last = stroke.len() - 1;
        let kept = stroke.into_iter().enumerate().filter(|(nth, _)| nth % 3 == 0 || *nth == last);
        kept.map(|(_, point)| placed(point)).collect()
    };
    strokes.into_iter().map(stroke).collect()
}

/// What is read of what is on the paper.
fn reading(browser: &Browser) -> String {
    browser.until("return document.getElementById('reading').ariaBusy === 'false'");
    browser.text("#read")
}

fn draw(browser: &Browser, pointer: Pointer, strokes: &[Vec<[f32; 2]>]) -> String {
    browser.draw(&browser.find("#canvas"), pointer, strokes);
    reading(browser)
}

/// Draws `digit` by one hand after the other, each time on clear paper, until it is read as that.
fn drawn(browser: &Browser, pointer: Pointer, digit: u8) {
    let is_read = |number| {
        browser.press(&["c"]);
        draw(browser, pointer, &written(digit, number, 0.0)) == digit.to_string()
    };
    assert!((0..5).any(is_read), "{digit} is not read");
}

fn assert_silent(browser: &Browser) {
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn two_hundred_digits_are_read_as_they_are_drawn() {
    let (_page, browser) = shown(WIDE);
    let canvas = browser.find("#canvas");
    let mut wrong = Vec::new();
    for number in 0..200 {
        let digit = (number % 10) as u8;
        browser.press(&["c"]);
        browser.draw(&canvas, Pointer::Mouse, &written(digit, number, 0.0));
        let read = reading(&browser);
        if read != digit.to_string() {
            wrong.push((digit, read));
        }
    }
    println!("{} of 200 digits are read as they were drawn; not so: {wrong:?}", 200 - wrong.len());
    assert!(wrong.len() <= 20, "{wrong:?}");
    assert_silent(&browser);
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn several_digits_are_read_in_a_row() {
    let (_page, browser) = shown(WIDE);
    let both = |number| {
        browser.press(&["c"]);
        let strokes = [written(4, number, -150.0), written(2, number, 150.0)].concat();
        draw(&browser, Pointer::Mouse, &strokes) == "42"
    };
    assert!((0..5).any(both));
    assert_eq!(browser.run("return document.querySelectorAll('.digit').length"), 2);
    assert_eq!(browser.run("return document.querySelectorAll('.bars tr').length"), 20);
    let width = "return document.querySelector('.digit img').naturalWidth";
    assert_eq!(browser.until(width), 28);
    // Stroke by stroke, until nothing is left.
    while browser.run("return !document.getElementById('undo').disabled") == json!(true) {
        browser.click("#undo");
    }
    assert_eq!(reading(&browser), "");
    assert_eq!(browser.run("return document.querySelectorAll('.digit').length"), 0);
    assert_silent(&browser);
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn a_finger_draws_on_a_phone() {
    let (_page, browser) = shown(NARROW);
    let small = |digit, number| {
        let mut strokes = written(digit, number, 0.0);
        strokes.iter_mut().flatten().flatten().for_each(|place| *place *= 0.8);
        strokes
    };
    let is_read = |number| {
        browser.click("#clear");
        draw(&browser, Pointer::Touch, &small(3, number)) == "3"
    };
    draw(&browser, Pointer::Touch, &small(3, 0));
    assert!((1..5).any(is_read));
    assert_eq!(browser.run("return scrollY"), 0, "the page does not move under the finger");
    assert_silent(&browser);
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn keys_alone_are_enough() {
    const LEFT: &str = "\u{e012}";
    const UP: &str = "\u{e013}";
    const DOWN: &str = "\u{e015}";
    const ENTER: &str = "\u{e007}";
    const TAB: &str = "\u{e004}";
    let (_page, browser) = shown(WIDE);
    // A seven: from the middle up and left, then across and down.
    browser.press(&["p"]);
    browser.press(&[[UP; 10], [LEFT; 10]].concat());
    browser.press(&[" "]);
    browser.press(&[RIGHT; 18]);
    browser.press(&[DOWN, DOWN, LEFT].repeat(9));
    browser.press(&[" "]);
    assert_eq!(reading(&browser), "7");
    // What it was, and the paper cleared.
    browser.press(&["w"]);
    browser.press(&["1"]);
    browser.press(&[TAB]);
    browser.press(&[ENTER]);
    let saved = browser.until("return document.getElementById('saved').textContent");
    assert!(saved.as_str().unwrap().starts_with("Saved as corrections/1/"), "{saved}");
    browser.press(&["m"]);
    let focused = "return document.activeElement.id";
    assert_eq!(browser.run(focused), "model");
    browser.press(&[TAB]);
    browser.press(&["z"]);
    assert_eq!(reading(&browser), "");
    browser.press(&["r"]);
    browser.until("return !document.getElementById('runs').hidden");
    browser.press(&["d"]);
    browser.until("return !document.getElementById('draw').hidden");
    assert_silent(&browser);
}

/// A photograph of a digit, as a file: grey paper in uneven light with ink on it.
fn photograph(digit: u8) -> PathBuf {
    use mnistry::image::{ImageShape, Raster};
    let digits = mnistry::data::generated::generate(5, 100, 10).unwrap().train;
    let index = digits.labels().iter().position(|&label| label == digit).unwrap();
    let (height, width) = (900, 1200);
    let mut paper = Raster::blank(ImageShape { height, width });
    for row in 0..height {
        for column in 0..width {
            let light = 150 + (60 * column / width + 30 * row / height) as i32;
            let inside = (200..760).contains(&row) && (300..860).contains(&column);
            let ink = match inside {
                true => i32::from(digits.image(index)[(row - 200) / 20 * 28 + (column - 300) / 20]),
                false => 0,
            };
            paper.pixels_mut()[row * width + column] = (light * (300 - ink) / 300) as u8;
        }
    }
    let path = desk().path("photograph.png");
    fs::write(&path, paper.to_png().unwrap()).unwrap();
    path
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn a_photograph_is_dropped_and_opened() {
    let (_page, browser) = shown(WIDE);
    browser.drop_file(&photograph(6));
    browser.until("return !document.getElementById('clear').disabled");
    assert_eq!(reading(&browser), "6");
    browser.click("#clear");
    assert_eq!(reading(&browser), "");
    browser.type_into("#file", photograph(2).to_str().unwrap());
    browser.until("return !document.getElementById('clear').disabled");
    assert_eq!(reading(&browser), "2");
    // A pen that is down does not go on in a picture that is laid below it.
    browser.press(&["c", "p", " ", RIGHT]);
    browser.drop_file(&photograph(6));
    browser.until("return document.getElementById('read').textContent === '6'");
    browser.press(&[RIGHT; 3]);
    assert_eq!(reading(&browser), "6");
    // What is no picture is said to be none.
    let text = desk().path("runs/1/config.json");
    browser.drop_file(&text);
    browser.until("return document.getElementById('why').textContent.includes('is no picture')");
    assert_silent(&browser);
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn corrections_are_trained_on() {
    let page = Page::start(desk().command("serve --corrections put-right"));
    let browser = Browser::start(WIDE.0, WIDE.1);
    browser.open(&page.url());
    browser.until("return document.getElementById('model').value");
    for number in 0..14 {
        let digit = if number % 2 == 0 { 4 } else { 9 };
        drawn(&browser, Pointer::Mouse, digit);
        let was = if number < 12 { digit } else { 13 - digit };
        browser.run(&format!(
            "const choice = document.querySelector('.was select'); choice.value = '{was}'"
        ));
        browser.click(".was button");
        browser.until("return document.getElementById('saved').textContent.startsWith('Saved')");
    }
    let trained = desk().succeed(
        "train --init runs/1/model.safetensors --data put-right --epochs 1 --json --quiet \
         --run-dir corrected",
    );
    let report: Value = serde_json::from_str(&trained).unwrap();
    assert_eq!(report["test"]["confusion_matrix"].as_array().unwrap().len(), 10);
    assert_silent(&browser);
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn a_run_is_watched_until_the_server_is_killed() {
    let desk = Desk::new();
    desk.write_digits("digits", 3000, 100);
    fs::create_dir(desk.path("runs")).unwrap();
    let page = Page::start(desk.command("serve"));
    let browser = Browser::start(WIDE.0, WIDE.1);
    browser.open(&format!("{}#runs", page.url()));
    browser.until("return !document.getElementById('no-runs').hidden");
    let long = "train --data digits --epochs 100000 --run-dir runs/long";
    let training = Running::start(desk.command(long)).until("epoch 1");
    browser.until("return document.querySelectorAll('.run-live svg').length >= 2");
    let said = browser.text(".run-live p");
    for word in ["epoch ", "loss ", "accuracy ", "images/s", " left"] {
        assert!(said.contains(word), "{word} in {said}");
    }
    let now = json!(said).to_string();
    browser.until(&format!("return document.querySelector('.run-live p').textContent !== {now}"));
    // The lines of the curves lead further.
    browser.run("window.before = document.querySelector('.run-live svg').outerHTML");
    browser.until("return document.querySelector('.run-live svg').outerHTML !== window.before");
    training.send(Signal::INT);
    training.end();
    browser.until("return document.querySelector('.state.interrupted') !== null");
    assert_eq!(browser.run("return document.querySelectorAll('.run-live').length"), 0);
    assert_silent(&browser);

    page.send(Signal::KILL);
    browser.until("return !document.getElementById('lost').hidden");
    assert!(browser.text("#lost").starts_with("The server does not answer"));
}

/// What is looked at: both views of the page, in progress and empty, and reports.
#[test]
#[ignore = "needs Chromium and chromedriver"]
fn both_views_and_reports_fit_and_can_be_used_by_all() {
    let (page, browser) = shown(WIDE);
    let reports = [("report", "runs/1"), ("comparison", "compare?run=1")];
    for (width, height) in [WIDE, NARROW] {
        browser.resize(width, height);
        for is_dark in [false, true] {
            browser.darken(is_dark);
            let look = format!("{width}-{}", if is_dark { "dark" } else { "light" });
            browser.open(&page.url());
            browser.until("return document.getElementById('model').value");
            check(&browser, &format!("empty-paper-{look}"));
            let mut strokes = [written(5, 1, -100.0), written(8, 1, 100.0)].concat();
            strokes.iter_mut().flatten().flatten().for_each(|place| *place *= 0.7);
            draw(&browser, Pointer::Mouse, &strokes);
            check(&browser, &format!("drawing-{look}"));
            browser.click("#to-runs");
            browser.until("return document.querySelectorAll('#rows tr').length");
            check(&browser, &format!("runs-{look}"));
            for (name, path) in reports {
                browser.open(&format!("{}{path}", page.url()));
                check(&browser, &format!("{name}-{look}"));
            }
        }
    }
    assert_silent(&browser);
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn a_report_of_a_sweep_fits_and_can_be_used_by_all() {
    let desk = desk();
    desk.succeed(
        "sweep --data digits --sweep-dir swept --quiet --seeds 0-4 --grid train-limit=2000 \
         --grid epochs=1 --grid hidden=10,20,40 --grid learning-rate=1e-4,1e-3,1e-2",
    );
    desk.succeed(
        "sweep --data digits --sweep-dir seeds --quiet --seeds 0-29 --grid train-limit=500 \
         --grid epochs=1",
    );
    desk.succeed(
        "sweep --data digits --sweep-dir halved --quiet --seeds 0-1 --folds 3 --halving \
         --grid epochs=3 --grid hidden=5,10,20 --grid learning-rate=1e-4,1e-3,1e-2",
    );
    // Charts are within their figures, and words within the charts.
    let outside = "return [...document.querySelectorAll('svg text')].filter((text) => {
        const [own, all] = [text, text.ownerSVGElement].map((of) => of.getBoundingClientRect());
        return own.left < all.left - 1 || own.right > all.right + 1
            || own.top < all.top - 1 || own.bottom > all.bottom + 1;
    }).map((text) => text.textContent)";
    let browser = Browser::start(WIDE.0, WIDE.1);
    browser.requests();
    for (width, height) in [WIDE, NARROW] {
        browser.resize(width, height);
        for is_dark in [false, true] {
            browser.darken(is_dark);
            for sweep in ["swept", "seeds", "halved"] {
                let page = desk.path(sweep).join("report.html");
                browser.open(&format!("file://{}", page.display()));
                let look = if is_dark { "dark" } else { "light" };
                check(&browser, &format!("sweep-{sweep}-{width}-{look}"));
                assert_eq!(browser.run(outside), json!([]), "{sweep}");
            }
        }
    }
    let requests = browser.requests();
    assert!(requests.iter().all(|url| url.starts_with("file:")), "{requests:?}");
    assert_silent(&browser);
}

/// Nothing is wider than the window, and axe finds nothing serious. Where `MNISTRY_SCREENSHOTS` names
/// a folder, `what` is seen there.
fn check(browser: &Browser, what: &str) {
    if let Some(folder) = std::env::var_os("MNISTRY_SCREENSHOTS") {
        browser.screenshot(&PathBuf::from(folder).join(format!("{what}.png")), true);
    }
    let overflow =
        "return document.documentElement.scrollWidth - document.documentElement.clientWidth";
    assert_eq!(browser.run(overflow), 0, "{what}");
    let Some(axe) = std::env::var_os("MNISTRY_AXE") else {
        println!("LEFT OUT: MNISTRY_AXE names no axe.min.js, so accessibility is not checked");
        return;
    };
    browser.run(&fs::read_to_string(axe).unwrap());
    let found = browser.run_async(
        "axe.run().then(({ violations }) => done(violations.map(({ id, impact, nodes }) =>
           ({ id, impact, nodes: nodes.slice(0, 3).map(({ html }) => html) }))))",
    );
    let is_serious = |finding: &&Value| {
        ["serious", "critical"].iter().any(|impact| finding["impact"] == *impact)
    };
    let serious: Vec<_> = found.as_array().unwrap().iter().filter(is_serious).collect();
    assert!(serious.is_empty(), "{what}: {serious:#?}");
}

#[test]
#[ignore = "needs Chromium and chromedriver"]
fn a_report_is_one_file_that_asks_for_nothing() {
    let browser = Browser::start(WIDE.0, WIDE.1);
    let report = format!("file://{}", desk().path("runs/1/report.html").display());
    browser.requests();
    browser.open(&report);
    browser.until("return document.readyState === 'complete'");
    let pictures = "return [...document.images].every((image) => image.naturalWidth > 0) \
                    && document.images.length > 60";
    assert_eq!(browser.run(pictures), json!(true));
    let requests = browser.requests();
    assert!(requests.contains(&report), "{requests:?}");
    let other = requests.iter().filter(|url| **url != report && !url.starts_with("data:"));
    assert_eq!(other.count(), 0, "{requests:?}");
    assert_silent(&browser);
}
