//! The folder of a sweep: what is gone on with there, and what is refused, as its results would be of two
//! kinds.
#![cfg(feature = "cli")]

use std::fs;

use program::Desk;

mod program;

/// Four runs of a network that a file describes.
const SWEEP: &str = "sweep --data data --seeds 0-1 --grid model=net.toml --grid learning-rate=0.01,0.02 \
                     --grid epochs=1";

/// A desk with a description of a network of so many hidden units.
fn desk(units: usize) -> Desk {
    let desk = Desk::new();
    write_network(&desk, units);
    desk
}

fn write_network(desk: &Desk, units: usize) {
    let layers = format!(
        "[[layers]]\ntype = \"flatten\"\n[[layers]]\ntype = \"dense\"\nunits = {units}\n\
         activation = \"relu\"\n[[layers]]\ntype = \"dense\"\nunits = 3\nactivation = \"softmax\"\n"
    );
    fs::write(desk.path("net.toml"), layers).unwrap();
}

/// Leaves the first `runs` results of the sweep in `folder`, as killed then.
fn cut(desk: &Desk, folder: &str, runs: usize) {
    let results = desk.read(&format!("{folder}/results.csv"));
    let kept: String = results.split_inclusive('\n').take(1 + runs).collect();
    fs::write(desk.path(folder).join("results.csv"), kept).unwrap();
}

/// What is said where `arguments` are refused, on one line.
#[track_caller]
fn refused(desk: &Desk, arguments: &str) -> String {
    let ended = desk.run(arguments);
    assert_eq!(ended.code, Some(1), "{arguments}: {ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{arguments}: {ended:?}");
    ended.stderr
}

/// What is said on the way where `arguments` succeed.
#[track_caller]
fn said(desk: &Desk, arguments: &str) -> String {
    let ended = desk.run(arguments);
    assert_eq!(ended.code, Some(0), "{arguments}: {ended:?}");
    ended.stderr
}

#[test]
fn what_a_sweep_was_begun_with_it_is_gone_on_with() {
    let desk = desk(5);
    let sweep = format!("{SWEEP} --sweep-dir one");
    desk.succeed(&sweep);
    let whole = desk.results("one");
    cut(&desk, "one", 2);
    let before = desk.read("one/results.csv");
    write_network(&desk, 6);
    assert!(refused(&desk, &sweep).contains("when net.toml was another file"));
    write_network(&desk, 5);
    let gemm = refused(&desk, &format!("{sweep} --gemm matrixmultiply"));
    assert!(gemm.contains("with --gemm engine, and this is matrixmultiply"), "{gemm}");
    let origin = desk.read("one/origin.toml");
    let version = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
    for (now, then, problem) in [
        (version.as_str(), "version = \"0.0.7\"", "by version 0.0.7"),
        ("fused = true", "fused = false", "without fused multiply-add"),
        ("fused = true", "fused = 7", "origin.toml"),
    ] {
        // The bits of a machine without it are others anyway.
        if origin.contains(now) {
            fs::write(desk.path("one/origin.toml"), origin.replace(now, then)).unwrap();
            let found = refused(&desk, &sweep);
            assert!(found.contains(problem), "{found}");
        }
    }
    fs::remove_file(desk.path("one/origin.toml")).unwrap();
    assert!(refused(&desk, &sweep).contains("does not say how its sweep was begun"));
    fs::write(desk.path("one/origin.toml"), origin).unwrap();
    assert_eq!(desk.read("one/results.csv"), before, "what is refused changes nothing");
    desk.succeed(&sweep);
    assert_eq!(desk.results("one"), whole);
}

#[test]
fn first_weights_from_a_file_are_those_that_it_was_begun_with() {
    let desk = Desk::new();
    for (run, seed) in [("a", 1), ("b", 2)] {
        desk.succeed(&format!(
            "train --data data --quiet --hidden 5 --epochs 1 --seed {seed} --run-dir {run}"
        ));
    }
    fs::copy(desk.path("a/model.safetensors"), desk.path("init.st")).unwrap();
    let sweep = "sweep --data data --quiet --seeds 0-3 --grid hidden=5 --grid init=init.st \
                 --grid epochs=1 --sweep-dir one";
    desk.succeed(sweep);
    cut(&desk, "one", 1);
    fs::copy(desk.path("b/model.safetensors"), desk.path("init.st")).unwrap();
    assert!(refused(&desk, sweep).contains("when init.st was another file"));
    fs::write(desk.path("init.st"), "nothing").unwrap();
    assert!(refused(&desk, sweep).contains("init.st"));
}

#[test]
fn shards_of_two_kinds_are_not_merged() {
    let desk = desk(5);
    desk.succeed(&format!("{SWEEP} --shard 1/2 --sweep-dir part-1"));
    write_network(&desk, 6);
    desk.succeed(&format!("{SWEEP} --shard 2/2 --sweep-dir part-2"));
    let found = refused(&desk, "sweep merge part-1 part-2 --sweep-dir whole");
    assert!(found.contains("part-2") && found.contains("net.toml"), "{found}");
    assert!(!desk.path("whole").exists());
}

#[test]
fn a_sweep_whose_report_failed_is_not_done_again() {
    let desk = desk(5);
    desk.succeed(SWEEP);
    let results = desk.read("sweeps/1/results.csv");
    // As killed before its report, or after that and before it was noted.
    for report in [false, true] {
        let origin = desk.read("sweeps/1/origin.toml");
        fs::write(
            desk.path("sweeps/1/origin.toml"),
            origin.replace("ended = [\"1/1\"]", "ended = []"),
        )
        .unwrap();
        if !report {
            fs::remove_file(desk.path("sweeps/1/report.html")).unwrap();
        }
        let again = said(&desk, SWEEP);
        assert!(again.contains("0 runs"), "{again}");
        assert_eq!(desk.names("sweeps"), ["1"]);
        assert_eq!(desk.read("sweeps/1/results.csv"), results);
        assert!(desk.path("sweeps/1/report.html").exists());
        assert_eq!(desk.read("sweeps/1/origin.toml"), origin);
    }
    desk.succeed(SWEEP);
    assert_eq!(desk.names("sweeps"), ["1", "2"]);
}

#[test]
fn a_shard_goes_on_in_its_own_folder() {
    let desk = desk(5);
    desk.succeed(&format!("{SWEEP} --shard 1/2"));
    desk.succeed(&format!("{SWEEP} --shard 2/2"));
    assert_eq!(desk.names("sweeps"), ["1", "2"]);
    let [first, second] = ["sweeps/1", "sweeps/2"].map(|folder| desk.results(folder));
    cut(&desk, "sweeps/1", 1);
    desk.succeed(&format!("{SWEEP} --shard 1/2"));
    assert_eq!((desk.results("sweeps/1"), desk.results("sweeps/2")), (first, second));
    assert_eq!(desk.names("sweeps"), ["1", "2"]);
    // Nor does the whole go on in a part's.
    desk.succeed(SWEEP);
    assert_eq!(desk.names("sweeps"), ["1", "2", "3"]);
    // Where it is named, a folder takes one after the other.
    for shard in 1..=2 {
        desk.succeed(&format!("{SWEEP} --shard {shard}/2 --sweep-dir both"));
    }
    assert_eq!(desk.results("both"), desk.results("sweeps/3"));
}

#[test]
fn data_may_lie_elsewhere() {
    let desk = desk(5);
    desk.write_data("moved", 3);
    for (shard, data) in [(1, "data"), (2, "moved")] {
        let sweep = SWEEP.replace("--data data", &format!("--data {data}"));
        desk.succeed(&format!("{sweep} --shard {shard}/2 --sweep-dir part-{shard}"));
    }
    desk.succeed("sweep merge part-1 part-2 --sweep-dir whole");
    let whole = desk.results("whole");
    assert_eq!(whole.len(), 4);
    cut(&desk, "whole", 3);
    desk.succeed(&SWEEP.replace("--data data", "--data moved --sweep-dir whole"));
    assert_eq!(desk.results("whole"), whole);
    desk.write_data("other", 3);
    let images = desk.path("other").join("train-images-idx3-ubyte");
    let mut bytes = fs::read(&images).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(images, bytes).unwrap();
    let other = SWEEP.replace("--data data", "--data other --sweep-dir whole");
    assert!(refused(&desk, &other).contains("other data"));
}

#[test]
fn what_is_passed_over_is_told() {
    let desk = desk(5);
    desk.succeed(SWEEP);
    let results = desk.read("sweeps/1/results.csv");
    fs::write(desk.path("sweeps/1/results.csv"), results.replace("\n1,1,0", "\n1,1,7")).unwrap();
    let damaged = said(&desk, SWEEP);
    assert!(damaged.contains("not gone on with: sweeps/1/results.csv"), "{damaged}");
    assert_eq!(desk.names("sweeps"), ["1", "2"]);
    // Not where it was another sweep.
    let other = said(&desk, "sweep --data data --grid epochs=1");
    assert!(!other.contains("not gone on with"), "{other}");
    cut(&desk, "sweeps/2", 1);
    write_network(&desk, 6);
    let changed = said(&desk, SWEEP);
    assert!(changed.contains("not gone on with: sweeps/2"), "{changed}");
    assert_eq!(desk.results("sweeps/4").len(), 4);
}

#[cfg(unix)]
#[test]
fn beside_a_sweep_that_is_at_work_another_one_is_told_of_it() {
    use program::running::Running;
    use rustix::process::Signal;

    let desk = Desk::new();
    let sweep = "sweep --data data --grid hidden=500 --grid epochs=10000 --workers 1";
    let first = Running::start(desk.command(sweep)).until("1 run ");
    let second = Running::start(desk.command(sweep)).until("not gone on with: sweeps/1: another");
    for running in [first, second] {
        running.send(Signal::TERM);
        assert_eq!(running.end().code, Some(143));
    }
    assert_eq!(desk.names("sweeps"), ["1", "2"]);
}

#[test]
fn the_best_network_alone_is_kept_however_the_sweep_came_together() {
    let desk = Desk::new();
    let sweep = "sweep --data data --seeds 0-5 --grid hidden=4 --grid epochs=2";
    desk.succeed(&format!("{sweep} --keep all --sweep-dir all"));
    desk.succeed(&format!("{sweep} --keep best --sweep-dir best"));
    let names = desk.names("best/models");
    assert_eq!(names.len(), 1);

    // As killed after the row of the best one, before the network of another one was removed; and
    // before the row of a run whose network was there.
    let other = desk.names("all/models").into_iter().find(|name| *name != names[0]).unwrap();
    let copy = |name: &str, as_name: &str| {
        let [from, to] = [format!("all/models/{name}"), format!("best/models/{as_name}")];
        fs::copy(desk.path(&from), desk.path(&to)).unwrap();
    };
    copy(&other, &other);
    let goes_on = said(&desk, &format!("{sweep} --keep best --sweep-dir best"));
    assert!(!goes_on.contains("not kept"), "{goes_on}");
    assert_eq!(desk.names("best/models"), names);

    // What all were kept of stays.
    desk.succeed(&format!("{sweep} --keep best --sweep-dir all"));
    assert_eq!(desk.names("all/models").len(), 6);

    for shard in 1..=3 {
        let part = format!("--keep best --shard {shard}/3 --sweep-dir part-{shard}");
        desk.succeed(&format!("{sweep} {part}"));
        assert_eq!(desk.names(&format!("part-{shard}/models")).len(), 1);
    }
    desk.succeed("sweep merge part-1 part-2 part-3 --sweep-dir whole");
    assert_eq!(desk.names("whole/models"), names);

    // A folder that has the best of some takes that of all.
    desk.succeed("sweep merge part-2 part-3 part-1 --sweep-dir part-2");
    assert_eq!(desk.names("part-2/models"), names);

    desk.succeed(&format!("{sweep} --sweep-dir none"));
    let late = said(&desk, &format!("{sweep} --keep best --sweep-dir none"));
    assert!(late.contains("the network was not kept, as it was not asked for then"), "{late}");
}

#[test]
fn a_merge_writes_to_no_folder_of_a_shard() {
    let desk = desk(5);
    for shard in 1..=2 {
        desk.succeed(&format!("{SWEEP} --shard {shard}/3"));
    }
    let parts = ["sweeps/1", "sweeps/2"].map(|folder| desk.results(folder));
    let merged = desk.run("sweep merge sweeps/1 sweeps/2");
    assert_eq!(merged.code, Some(1), "{merged:?}");
    assert_eq!(desk.names("sweeps"), ["1", "2", "3"]);
    assert_eq!(["sweeps/1", "sweeps/2"].map(|folder| desk.results(folder)), parts);
    assert_eq!(desk.results("sweeps/3").len(), 3);
    assert!(merged.stderr.contains("1 of 4 runs are in none of them: 3\n"), "{merged:?}");
    assert!(merged.stdout.contains("3 of 4 runs are done"), "{merged:?}");
    // What is missing is done there.
    desk.succeed(SWEEP);
    assert_eq!(desk.names("sweeps"), ["1", "2", "3"]);
    assert_eq!(desk.results("sweeps/3").len(), 4);
}

#[test]
fn a_network_that_is_not_that_of_its_run_is_not_merged() {
    let desk = Desk::new();
    let sweep = "sweep --data data --quiet --seeds 0-1 --grid hidden=4 --grid epochs=1 --keep all";
    desk.succeed(&format!("{sweep} --sweep-dir one"));
    fs::copy(desk.path("one/models/1.safetensors"), desk.path("one/models/2.safetensors")).unwrap();
    let found = refused(&desk, "sweep merge one --sweep-dir whole");
    assert!(found.contains("one/models/2.safetensors") && found.contains("run 2"), "{found}");
    assert!(!desk.path("whole").exists());
}

#[test]
fn a_run_and_a_sweep_do_not_share_a_folder() {
    let desk = desk(5);
    desk.succeed(&format!("{SWEEP} --sweep-dir sweep"));
    // As killed before its report.
    cut(&desk, "sweep", 1);
    fs::remove_file(desk.path("sweep/report.html")).unwrap();
    let names = desk.names("sweep");
    let train = "train --data data --quiet --hidden 5 --epochs 1";
    assert!(refused(&desk, &format!("{train} --run-dir sweep")).contains("holds a sweep"));
    assert_eq!(desk.names("sweep"), names);
    desk.succeed(&format!("{train} --run-dir run"));
    assert!(refused(&desk, &format!("{SWEEP} --sweep-dir run")).contains("holds files"));
}

/// A terminal takes no orders from what somebody else tried.
#[test]
fn what_a_plan_says_gives_the_terminal_no_orders() {
    let desk = Desk::new();
    fs::create_dir(desk.path("foreign")).unwrap();
    let plan =
        "seeds = \"0\"\n[settings]\nmodel = [\"a\\u001b]0;b\\u0007.toml\", \"c\\nd.toml\"]\n";
    fs::write(desk.path("foreign/plan.toml"), plan).unwrap();
    let header = "run,configuration,seed,model,epochs_trained,loss,accuracy,validation_loss,\
                  validation_accuracy,test_loss,test_accuracy,seconds,model_sha256,error\n";
    let rows = ["\"a\u{1b}]0;b\u{7}.toml\"", "\"c\nd.toml\""];
    let rows =
        [1, 2].map(|run| format!("{run},{run},0,{},5,0.1,0.9,,,0.2,0.9,1,abc,\n", rows[run - 1]));
    fs::write(desk.path("foreign/results.csv"), header.to_owned() + &rows.concat()).unwrap();
    let shown = desk.succeed("sweep show foreign");
    assert!(shown.contains("a\\u{1b}]0;b\\u{7}.toml") && shown.contains("c\\nd.toml"), "{shown:?}");
    let is_order = |c: char| c.is_control() && c != '\n';
    assert!(!shown.contains(is_order), "{shown:?}");
    fs::write(desk.path("named.toml"), "[settings]\n\"a\\nb\\u001b\" = 1\n").unwrap();
    fs::write(desk.path("valued.toml"), plan).unwrap();
    fs::write(desk.path("wrong.toml"), "[settings]\nhidden = \"a\\nb\\u001b\"\n").unwrap();
    for plan in ["named.toml", "valued.toml", "wrong.toml"] {
        let said = refused(&desk, &format!("sweep {plan} --data data"));
        assert!(!said.contains(is_order), "{said:?}");
    }
}

#[test]
fn what_is_meant_is_said_where_it_is_nearly_right() {
    let desk = Desk::new();
    let ended = desk.run("sweep --data data --grid hidden=2,3,4,5 --halving 4");
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--halving=4"), "{ended:?}");
    let names = refused(&desk, "sweep --data data --grid hiden=2");
    assert!(names.contains("hidden, ") && !names.contains("seed"), "{names}");
}
