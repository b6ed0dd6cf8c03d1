//! The report of a sweep as a web page: what is in it of sweeps of all kinds and sizes.
#![cfg(feature = "cli")]

use std::fmt::Write;
use std::fs;

use program::Desk;

mod program;

/// A sweep that was never done: its folder is written as if it were.
struct Made<'a> {
    folder: &'a str,
    /// As a plan has them: a name and values.
    settings: &'a [(&'a str, Vec<String>)],
    seeds: usize,
    /// How many runs are done.
    done: usize,
    /// The test accuracy of a run, by the number of its configuration, from 0, and its seed.
    accuracy: fn(usize, usize) -> Option<f64>,
}

impl Made<'_> {
    fn write(&self, desk: &Desk) {
        let folder = desk.path(self.folder);
        fs::create_dir(&folder).unwrap();
        let mut plan = format!("seeds = \"0-{}\"\n[settings]\n", self.seeds - 1);
        let mut results = "run,configuration,seed,".to_owned();
        for (name, values) in self.settings {
            writeln!(plan, "{name} = {values:?}").unwrap();
            write!(results, "{name},").unwrap();
        }
        results += "epochs_trained,loss,accuracy,validation_loss,validation_accuracy,test_loss,\
                    test_accuracy,seconds,model_sha256,error\n";
        for index in 0..self.done {
            let (configuration, seed) = (index / self.seeds, index % self.seeds);
            let mut rest = configuration;
            let mut values: Vec<String> = Vec::new();
            for (_, choices) in self.settings.iter().rev() {
                values.push(choices[rest % choices.len()].replace('"', "\"\""));
                rest /= choices.len();
            }
            write!(results, "{},{},{seed},", index + 1, configuration + 1).unwrap();
            for value in values.iter().rev() {
                let is_plain = !value.contains([',', '"']);
                write!(
                    results,
                    "{},",
                    if is_plain { value.clone() } else { format!("\"{value}\"") }
                )
                .unwrap();
            }
            match (self.accuracy)(configuration, seed) {
                Some(accuracy) => {
                    writeln!(results, "5,0.1,0.95,,,0.2,{accuracy},0.25,abc,").unwrap();
                }
                None => writeln!(results, ",,,,,,,0.25,,the loss of epoch 1 is NaN").unwrap(),
            }
        }
        fs::write(folder.join("plan.toml"), plan).unwrap();
        fs::write(folder.join("results.csv"), results).unwrap();
    }

    /// Its report.
    fn page(&self) -> String {
        let desk = Desk::new();
        self.write(&desk);
        desk.succeed(&format!("sweep show {} --html page.html --quiet", self.folder));
        desk.read("page.html")
    }
}

fn texts(values: impl IntoIterator<Item = impl ToString>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

/// The charts of `page` by their names: the markup of each.
fn charts(page: &str) -> Vec<&str> {
    let charts = page.match_indices("<svg role=\"img\" ").map(|(at, _)| &page[at..]);
    charts.map(|chart| &chart[..chart.find("</svg>").unwrap()]).collect()
}

fn count(text: &str, what: &str) -> usize {
    text.matches(what).count()
}

fn assert_stands_alone(page: &str) {
    for other in ["<script", "<link", "<img", "@import", "url(", "http:", "https:"] {
        assert!(!page.contains(other), "{other}");
    }
    for chart in charts(page) {
        assert!(chart.contains("<title id=") && chart.contains("<desc id="), "{chart}");
    }
    assert!(!page.contains("NaN,") && !page.contains("-2147483648"), "a place is no number");
}

#[test]
fn a_sweep_leaves_its_report_and_so_does_a_merge() {
    let desk = Desk::new();
    let sweep = "sweep --data data --quiet --seeds 4-5 --grid hidden=5,[6,4],7 \
                 --grid learning-rate=0.01,1e30 --grid epochs=2";
    desk.succeed(&format!("{sweep} --sweep-dir whole"));
    let page = desk.read("whole/report.html");
    assert_stands_alone(&page);
    let [strips, coordinates] = charts(&page)[..] else { panic!("{page}") };
    // Half of the runs came to no network.
    assert_eq!(count(strips, "<circle"), 6);
    // The best, and others by their accuracy.
    let colours = ["D55E00", "B9C9D8", "8DB0CF", "5B94C2", "2E7BB5", "005696"];
    let lines = colours.map(|colour| count(coordinates, &format!("stroke=\"#{colour}\"")));
    assert_eq!((lines[0], lines.iter().sum()), (1, 3), "{coordinates}");
    for said in [
        "12 of 12",
        "<th scope=\"col\">learning-rate</th>",
        "5, [6,4], 7",
        "0 + 2 failed",
        "6 runs came to no network",
        "hidden = [",
    ] {
        assert!(page.contains(said), "{said}");
    }
    for shard in 1..=2 {
        desk.succeed(&format!("{sweep} --shard {shard}/2 --sweep-dir part-{shard}"));
        let part = desk.read(&format!("part-{shard}/report.html"));
        assert!(part.contains("The sweep is not complete: 6 of 12 runs are done."), "{part}");
    }
    desk.succeed("sweep merge part-1 part-2 --sweep-dir merged --quiet");
    assert!(desk.read("merged/report.html").contains("12 of 12"));
    desk.succeed("sweep show whole --html again.html --quiet");
    assert_eq!(desk.read("again.html"), page);
}

#[test]
fn a_hundred_seeds_of_one_configuration_have_a_box() {
    let accuracy = |_, seed| Some(0.97 + (seed * 37 % 100) as f64 * 1e-4);
    let settings = [("epochs", texts([5]))];
    let made = Made { folder: "seeds", settings: &settings, seeds: 100, done: 100, accuracy };
    let page = made.page();
    assert_stands_alone(&page);
    let [strips] = charts(&page)[..] else { panic!("nothing varies: {page}") };
    assert_eq!(count(strips, "<circle"), 100);
    assert!(page.contains("whiskers") && page.contains("of 100 runs"), "{page}");
}

#[test]
fn the_best_of_many_configurations_are_drawn() {
    let accuracy = |configuration, seed| {
        (configuration % 50 != 7).then_some(0.9 + configuration as f64 * 1e-4 + seed as f64 * 1e-5)
    };
    let rates = texts((0..100).map(|step| 1e-4 * 1.05_f64.powi(step)));
    let settings = [("learning-rate", rates.clone()), ("augment", texts([true, false]))];
    let made = Made { folder: "many", settings: &settings, seeds: 1, done: 200, accuracy };
    let page = made.page();
    assert_stands_alone(&page);
    let [strips, coordinates] = charts(&page)[..] else { panic!("{page}") };
    assert_eq!(count(strips, "<circle"), 40);
    assert!(page.contains("156 more configurations are not drawn"), "{page}");
    // What was tried, configurations, and runs that came to no network.
    assert_eq!(count(&page, "<th scope=\"row\">"), 4 + 200 + 4, "{page}");
    assert!(coordinates.contains("196 lines") && coordinates.contains("no. 200"), "{coordinates}");

    let accuracy = |configuration, seed| Some(0.9 + (configuration + seed) as f64 * 1e-5);
    let hidden = texts((0..10).map(|hidden| 16 + 40 * hidden));
    let settings = [("learning-rate", rates), ("hidden", hidden)];
    let made = Made { folder: "more", settings: &settings, seeds: 10, done: 10_000, accuracy };
    let page = made.page();
    assert_stands_alone(&page);
    assert!(page.len() < 2_000_000, "{}", page.len());
    assert_eq!(count(charts(&page)[0], "<circle"), 40 * 10);
}

#[test]
fn without_networks_there_are_no_charts() {
    let settings = [("hidden", texts([5, 6]))];
    let failed =
        Made { folder: "failed", settings: &settings, seeds: 12, done: 24, accuracy: |_, _| None };
    let page = failed.page();
    assert_stands_alone(&page);
    assert_eq!(charts(&page).len(), 0);
    assert!(!page.contains("<td>best</td>"), "{page}");
    for said in [
        "No run came to a network.",
        "highest test accuracy",
        "24 runs came to no network",
        "epoch 1 is NaN",
    ] {
        assert!(page.contains(said), "{said}");
    }
    let page = Made { folder: "new", done: 0, ..failed }.page();
    assert_stands_alone(&page);
    assert_eq!(charts(&page).len(), 0);
    assert!(page.contains("0 of 24 runs are done"), "{page}");
}

#[test]
fn what_was_stopped_stands_apart() {
    let desk = Desk::new();
    desk.succeed(
        "sweep --data data --quiet --sweep-dir halved --seeds 0-1 --folds 2 --halving=2 \
         --grid hidden=2,5,[6,4],9 --grid epochs=4",
    );
    let page = desk.read("halved/report.html");
    assert_stands_alone(&page);
    let [strips, coordinates] = charts(&page)[..] else { panic!("{page}") };
    // One configuration is complete, one was stopped at rung 2, two at rung 1.
    let dots = ["0.6", "0.24"].map(|opacity| {
        let dot = format!("opacity=\"{opacity}\" fill=\"#0072B2\"");
        strips.lines().filter(|line| line.contains("<circle") && line.contains(&dot)).count()
    });
    assert_eq!(dots, [4, 12], "{strips}");
    let [second, first] = [2, 1].map(|rung| strips.find(&format!("stopped at rung {rung}:")));
    assert!(second.is_some() && second < first, "{strips}");
    let lines = ["1\" stroke=\"#D55E00", "0.35\" stroke=\"#808080"]
        .map(|style| count(coordinates, &format!("<polyline fill=\"none\" opacity=\"{style}\"")));
    assert_eq!(lines, [1, 3], "{coordinates}");
    for said in ["rung", "complete", "held-out accuracy"] {
        assert!(coordinates.contains(&format!("\n{said}\n")), "{said}: {coordinates}");
    }
    assert!(strips.contains("\nheld-out accuracy\n"), "{strips}");
    assert_eq!(count(&page, "<tr class=\"stopped\">"), 3);
    for said in [
        "best mean held-out accuracy",
        "held-out % mean",
        "rung 1: of 4 configurations 2 were stopped; rung 2: of 2 configurations 1 was stopped.",
        "take the intervals and p for too small",
        "2, each held out once by each seed",
        "at each rung one of 2 configurations goes on",
        "<td>best</td>",
    ] {
        assert!(page.contains(said), "{said}");
    }

    // As killed after the first rung: of what was stopped, none is the best.
    let results = desk.read("halved/results.csv");
    let first: String = results.split_inclusive('\n').take(1 + 8).collect();
    fs::write(desk.path("halved/results.csv"), first).unwrap();
    desk.succeed("sweep show halved --html cut.html --quiet");
    let page = desk.read("cut.html");
    assert_stands_alone(&page);
    assert!(page.contains("after all its epochs yet: none is called the best"), "{page}");
    assert!(!page.contains("<td>best</td>"), "{page}");
    assert_eq!(count(&charts(&page).concat(), "#D55E00"), 0, "{page}");
    let summary = desk.succeed("sweep show halved --json");
    assert_eq!(count(&summary, "\"p_value\":null") + count(&summary, "\"p_value\": null"), 2);
}

#[test]
fn accuracies_that_do_not_differ_make_charts_too() {
    let settings = [("hidden", texts([5, 6])), ("epochs", texts([5]))];
    let all: [fn(usize, usize) -> Option<f64>; 3] =
        [|_, _| Some(1.0), |_, _| Some(0.0), |_, _| Some(0.5)];
    for accuracy in all {
        let made = Made { folder: "same", settings: &settings, seeds: 3, done: 6, accuracy };
        let page = made.page();
        assert_stands_alone(&page);
        assert_eq!(charts(&page).len(), 2);
    }
}

/// A mean of the few runs that did not fail is no mean of the configuration.
#[test]
fn a_configuration_of_which_runs_failed_is_not_the_best_where_another_has_none() {
    let desk = Desk::new();
    let settings = [("hidden", texts([5, 6, 7]))];
    // The first one fails nine times of ten, and the third one always.
    let accuracy = |configuration, seed| match configuration {
        0 => (seed == 3).then_some(0.99),
        1 => Some(0.9 + seed as f64 * 1e-3),
        _ => None,
    };
    Made { folder: "failing", settings: &settings, seeds: 10, done: 30, accuracy }.write(&desk);
    let summary = desk.succeed("sweep show failing --json");
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let rows = summary["configurations"].as_array().unwrap();
    let order: Vec<_> = rows.iter().map(|row| row["configuration"].as_u64().unwrap()).collect();
    assert_eq!(order, [2, 1, 3]);
    let accuracy = |configuration, seed| match (configuration, seed) {
        (0, 9) => None,
        (configuration, seed) => Some(0.9 - configuration as f64 * 0.1 + seed as f64 * 1e-3),
    };
    Made { folder: "higher", settings: &settings, seeds: 10, done: 30, accuracy }.write(&desk);
    let summary = desk.succeed("sweep show higher --json");
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let rows = summary["configurations"].as_array().unwrap();
    let told: Vec<_> = rows.iter().map(|row| (&row["configuration"], &row["is_worse"])).collect();
    let (null, yes) = (serde_json::Value::Null, true.into());
    assert_eq!(told, [(&2.into(), &null), (&3.into(), &yes), (&1.into(), &null)]);
    assert!(desk.succeed("sweep show higher").contains("9 + 1 failed"));
}

/// Equal numbers, of which sums are not what their count times one of them is.
#[test]
fn what_does_not_vary_is_not_called_significant() {
    let desk = Desk::new();
    let settings = [("hidden", texts([5, 6]))];
    let made = Made {
        folder: "even",
        settings: &settings,
        seeds: 7,
        done: 14,
        accuracy: |_, _| Some(0.9741),
    };
    made.write(&desk);
    let text = desk.succeed("sweep show even");
    assert_eq!(count(&text, "97.410 ± 0.000"), 2, "{text}");
    assert!(!text.contains("worse"), "{text}");
}

#[test]
fn what_a_plan_says_is_text_and_nothing_else() {
    let hostile = texts(["<script>alert(1)</script>.toml", "\"a\" & 'b', <i>c"]);
    let settings = [("model", hostile)];
    let accuracy = |configuration, _| Some(0.5 + configuration as f64 * 0.1);
    let made = Made { folder: "hostile", settings: &settings, seeds: 1, done: 2, accuracy };
    let page = made.page();
    assert_stands_alone(&page);
    assert!(!page.contains("<i>"), "{page}");
    assert!(page.contains("&#60;script&#62;") && page.contains("&lt;script&gt;"), "{page}");
}

#[test]
fn a_report_replaces_nothing_but_a_page() {
    let desk = Desk::new();
    let settings = [("hidden", texts([5, 6]))];
    Made { folder: "made", settings: &settings, seeds: 1, done: 2, accuracy: |_, _| Some(0.5) }
        .write(&desk);
    let results = desk.read("made/results.csv");
    let ended = desk.run("sweep show made --html made/results.csv");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("is no web page"), "{ended:?}");
    assert_eq!(ended.stdout, "", "{ended:?}");
    assert_eq!(desk.read("made/results.csv"), results);
    assert_eq!(desk.run("sweep show made --html made").code, Some(1));
    assert_eq!(desk.run("sweep show made --html -").code, Some(2));
    assert_eq!(desk.names("made"), ["plan.toml", "results.csv"]);
}
