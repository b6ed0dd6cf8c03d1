//! `mnistry sweep --halving`: the best configurations go on from where they stand, to what full runs
//! give, whoever does them and however often the sweep is interrupted.
#![cfg(feature = "cli")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use program::Desk;
use program::sweeps::Row;

mod program;

/// Nine configurations, three of them with a learning rate that is too high, by two seeds and two folds,
/// with all that makes a state: moments, a schedule, what is random in each epoch, a validation.
const PLAN: &str = "--data data --quiet --seeds 4-5 --folds 2 --grid hidden=20,[24,16],30 \
                    --grid learning-rate=0.001,0.02,3e38 --grid epochs=9 --grid schedule=cosine \
                    --grid shift=1 --grid validation-split=0.2";

/// The rows of `results`, by run, without the column of the rung at which they were stopped; and those
/// rungs.
fn stopped(results: BTreeSet<Row>) -> (BTreeMap<String, Row>, BTreeMap<String, String>) {
    let mut rungs = BTreeMap::new();
    let rows = results.into_iter().map(|mut row| {
        rungs.insert(row["run"].clone(), row.remove("stopped_at_rung").unwrap());
        (row["run"].clone(), row)
    });
    (rows.collect(), rungs)
}

/// What a sweep by halving leaves, but for the seconds: its results, and its rungs.
fn left(desk: &Desk, folder: &str) -> (BTreeSet<Row>, BTreeSet<Row>) {
    assert!(!desk.path(folder).join("states").exists(), "states are left");
    (desk.results(folder), desk.rows_without_seconds(&format!("{folder}/rungs.csv")))
}

#[test]
fn survivors_are_what_full_runs_give_and_the_others_are_told_apart() {
    let desk = Desk::new();
    desk.succeed(&format!("sweep {PLAN} --sweep-dir full --keep all"));
    let full = desk.results("full");
    let full: BTreeMap<_, _> = full.into_iter().map(|row| (row["run"].clone(), row)).collect();
    desk.succeed(&format!("sweep {PLAN} --halving --sweep-dir one --workers 1 --keep all"));
    let (rows, rungs) = stopped(desk.results("one"));
    assert_eq!(rows.len(), 36);
    let mut counts = BTreeMap::<_, usize>::new();
    for (run, row) in &rows {
        *counts.entry((&*rungs[run], row["epochs_trained"].as_str())).or_default() += 1;
        let model = format!("models/{run}.safetensors");
        if rungs[run].is_empty() {
            assert_eq!(row, &full[run]);
        }
        if row["error"].is_empty() {
            let [one, of_full] =
                ["one", "full"].map(|sweep| desk.bytes(&format!("{sweep}/{model}")));
            assert_eq!(one == of_full, rungs[run].is_empty(), "run {run}");
        }
    }
    // Of nine configurations three diverged, three others went on from rung 1, one from rung 2.
    let expected = [(("", ""), 12), (("", "9"), 4), (("1", "1"), 12), (("2", "3"), 8)];
    assert_eq!(counts, BTreeMap::from(expected));

    // The best went on: of each configuration at a rung, the mean accuracy.
    for (rung, best) in [("1", 3), ("2", 1)] {
        let mut means = BTreeMap::<u32, f64>::new();
        for row in desk.table("one/rungs.csv").iter().filter(|row| row["rung"] == rung) {
            let accuracy: f64 = row["fold_accuracy"].parse().unwrap();
            *means.entry(row["configuration"].parse().unwrap()).or_default() += accuracy / 4.0;
        }
        let mut ranked: Vec<_> = means.into_iter().collect();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        let is_stopped = |configuration: u32| {
            let run = (4 * (configuration - 1) + 1).to_string();
            rungs[&run] == rung
        };
        let went_on: Vec<_> = ranked.iter().map(|&(number, _)| !is_stopped(number)).collect();
        assert!(went_on.iter().enumerate().all(|(place, &on)| on == (place < best)), "{ranked:?}");
    }

    // By others, the same.
    desk.succeed(&format!("sweep {PLAN} --halving=3 --sweep-dir three --workers 3"));
    assert_eq!(left(&desk, "three"), left(&desk, "one"));
    assert_eq!(desk.bytes("three/plan.toml"), desk.bytes("one/plan.toml"));
    let printed = desk.succeed("sweep show one");
    for rung in [1, 2] {
        assert!(printed.contains(&format!("stopped at rung {rung}\n")), "{printed}");
    }
    assert!(printed.contains("  epochs  "), "{printed}");
    assert!(printed.contains("more than chance is not known"), "{printed}");
    let summary = desk.succeed("sweep show one --json");
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let rungs = summary["rungs"].as_array().unwrap();
    let told: Vec<_> =
        rungs.iter().map(|rung| (&rung["configurations"], &rung["stopped"])).collect();
    assert_eq!(told, [(&6.into(), &3.into()), (&3.into(), &2.into())]);
    let configurations = summary["configurations"].as_array().unwrap();
    let at: Vec<_> = configurations.iter().map(|row| row["stopped_at_rung"].as_u64()).collect();
    assert_eq!(at, [None, Some(2), Some(2), Some(1), Some(1), Some(1), None, None, None]);
    // One that was trained for less says nothing of how it compares.
    assert!(configurations.iter().all(|row| row["p_value"].is_null()));
}

#[test]
fn complete_runs_are_compared_with_each_other_alone() {
    let desk = Desk::new();
    let plan = "sweep --data data --seeds 0-3 --grid hidden=2,3,5,9 --grid epochs=2 --halving=2";
    let summary = desk.succeed(&format!("{plan} --json --quiet --keep best"));
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let configurations = summary["configurations"].as_array().unwrap();
    let compared: Vec<_> = configurations.iter().map(|row| row["p_value"].is_number()).collect();
    assert_eq!(compared, [false, true, false, false]);
    // The best of what is complete is kept.
    let rows = desk.table("sweeps/1/results.csv");
    let complete = rows.iter().filter(|row| row["stopped_at_rung"].is_empty());
    let accuracy = |row: &&Row| row["test_accuracy"].parse::<f64>().unwrap();
    let most = complete.clone().map(|row| accuracy(&row)).fold(0.0, f64::max);
    let best = complete.filter(|row| accuracy(row) == most).map(|row| row["run"].parse::<u32>());
    let kept = format!("{}.safetensors", best.map(Result::unwrap).min().unwrap());
    assert_eq!(desk.names("sweeps/1/models"), [kept]);
}

#[test]
fn a_halving_goes_on_from_whatever_is_left_of_it() {
    let desk = Desk::new();
    let sweep = format!("sweep {PLAN} --halving --sweep-dir cut");
    desk.succeed(&sweep);
    let whole = left(&desk, "cut");
    let [results, rungs] =
        ["results.csv", "rungs.csv"].map(|name| desk.read(&format!("cut/{name}")));
    let up_to =
        |text: &str, lines: usize| -> String { text.split_inclusive('\n').take(lines).collect() };
    // As killed after the first rung, within the second one, while runs were being stopped; without
    // the states, which are then made anew.
    for (of_results, of_rungs) in [(1, 1), (13, 25), (20, 30), (25, 37), (30, 37)] {
        fs::write(desk.path("cut/results.csv"), up_to(&results, of_results)).unwrap();
        let half = rungs.lines().nth(of_rungs).map_or("", |line| &line[..line.len() / 2]);
        fs::write(desk.path("cut/rungs.csv"), up_to(&rungs, of_rungs) + half).unwrap();
        desk.succeed(&sweep);
        assert_eq!(left(&desk, "cut"), whole, "after {of_results} results, {of_rungs} at rungs");
    }
}

#[cfg(unix)]
#[test]
fn a_halving_that_is_killed_goes_on_where_it_was() {
    use program::running::Running;
    use rustix::process::Signal;
    use std::time::Duration;

    let desk = Desk::new();
    let sweep = "sweep --data data --seeds 0-5 --grid hidden=3,4,5,6,7,8,9,10,11 --grid epochs=36 \
                 --halving --sweep-dir";
    desk.succeed(&format!("{sweep} whole --quiet --keep all"));
    let files = ["killed/results.csv", "killed/rungs.csv"];
    let read = |name: &str| fs::read_to_string(desk.path(name)).unwrap_or_default();
    let mut before = files.map(|_| String::new());
    for kill in 0..10 {
        let running =
            Running::start(desk.command(&format!("{sweep} killed --workers 2 --keep all")));
        std::thread::sleep(Duration::from_millis(30 + 9 * kill));
        running.send(Signal::KILL);
        running.end();
        for (name, before) in files.iter().zip(&mut before) {
            let now = read(name);
            assert!(now.starts_with(&**before), "what was done is done again");
            let whole = now.rfind('\n').map_or(0, |end| end + 1);
            *before = now[..whole].to_owned();
        }
    }
    desk.succeed(&format!("{sweep} killed --quiet --keep all"));
    assert_eq!(left(&desk, "killed"), left(&desk, "whole"));
    assert_eq!(desk.names("killed"), desk.names("whole"));
    for model in desk.names("whole/models") {
        let [killed, whole] =
            ["killed", "whole"].map(|sweep| desk.bytes(&format!("{sweep}/models/{model}")));
        assert!(killed == whole, "{model}");
    }
}

#[test]
fn rungs_are_printed_and_written_in_plans() {
    let desk = Desk::new();
    let arguments = "--grid hidden=5,6,7,8 --grid epochs=4 --halving=2";
    let printed = desk.succeed(&format!("sweep --data data {arguments} --dry-run"));
    assert!(printed.contains("rung 1: 4 configurations, to 1/4 of their epochs\n"), "{printed}");
    assert!(
        printed.ends_with("rung 3: 1 configuration, to the end of their epochs\n"),
        "{printed}"
    );
    let json = desk.succeed(&format!("sweep --data data {arguments} --dry-run --json"));
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let lengths = ["runs", "rungs"].map(|name| json[name].as_array().map(Vec::len));
    assert_eq!(lengths, [Some(4), Some(3)]);

    let plan = "data = \"data\"\nhalving = 2\n[settings]\nhidden = [5, 6, 7, 8]\nepochs = 4\n";
    fs::write(desk.path("plan.toml"), plan).unwrap();
    desk.succeed("sweep plan.toml --quiet --sweep-dir by-file");
    desk.succeed(&format!("sweep --data data {arguments} --quiet --sweep-dir by-arguments"));
    assert_eq!(desk.bytes("by-file/plan.toml"), desk.bytes("by-arguments/plan.toml"));
    assert_eq!(left(&desk, "by-file"), left(&desk, "by-arguments"));
}

#[test]
fn what_cannot_be_halved_is_refused_and_leaves_nothing() {
    let desk = Desk::new();
    let three = "--grid hidden=5,6,7 --halving";
    for (arguments, said) in [
        (format!("{three} --shard 1/2"), "shard"),
        (format!("{three} --grid validation-split=0.5 --grid patience=1"), "configuration 1"),
        (format!("{three} --grid until-accuracy=0.9"), "configuration 1"),
        (format!("{three} --grid validation-split=0,0.5"), "validation"),
        (format!("{three} --grid epochs=5,2"), "2 epochs"),
        ("--grid hidden=5,6 --halving".into(), "2 configurations"),
    ] {
        for more in ["", "--dry-run"] {
            let ended = desk.run(&format!("sweep --data data {arguments} {more}"));
            assert_eq!(ended.code, Some(1), "{arguments}: {ended:?}");
            assert!(ended.stderr.contains(said), "{arguments}: {ended:?}");
            assert_eq!(ended.stderr.lines().count(), 1, "{arguments}: {ended:?}");
            assert!(!desk.path("sweeps").exists(), "{arguments}");
        }
    }
    assert_eq!(desk.run("sweep --data data --halving=1").code, Some(2));
    desk.succeed(&format!("sweep --data data {three} --quiet"));
    let merged = desk.run("sweep merge sweeps/1 --sweep-dir merged");
    assert_eq!(merged.code, Some(1));
    assert!(merged.stderr.contains("halving") && !desk.path("merged").exists(), "{merged:?}");
}
