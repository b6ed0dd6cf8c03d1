//! The program as many processes that `mpirun` starts, with a real MPI: on one host, and on two that are
//! network namespaces, with TCP between them.
//!
//! `cargo test --features mpi --test mpi -- --ignored --test-threads 1`; those of two hosts need to be
//! run as root, to make them.
#![cfg(all(feature = "mpi", target_os = "linux"))]

mod hosts;
#[path = "../program/mod.rs"]
mod program;

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use hosts::Hosts;
use mnistry::Network;
use mnistry::train::State;
use program::{Desk, Ended};
use rustix::process::{Pid, Signal, kill_process};

/// For how many seconds a rank waits for others here.
const PATIENCE: u64 = 15;

/// How long a job may take to end after one of its ranks is gone: what a rank waits, and what MPI then
/// needs to end the others.
const BOUND: Duration = Duration::from_secs(120);

/// How `mpirun` starts ranks: on this host, or on two.
struct Job<'a> {
    desk: &'a Desk,
    ranks: usize,
    hosts: Option<&'a Hosts>,
}

impl<'a> Job<'a> {
    fn here(desk: &'a Desk, ranks: usize) -> Self {
        Self { desk, ranks, hosts: None }
    }

    fn on(hosts: &'a Hosts, desk: &'a Desk, ranks: usize) -> Self {
        Self { desk, ranks, hosts: Some(hosts) }
    }

    /// The program with `arguments`, as so many ranks, ready to run.
    fn command(&self, arguments: &str) -> Command {
        let program = self.desk.command(arguments);
        let mut command = match self.hosts {
            Some(_) => Hosts::mpirun(),
            None => Command::new("mpirun"),
        };
        command.args(["--oversubscribe", "--bind-to", "none", "-n", &self.ranks.to_string()]);
        if let Some(hosts) = self.hosts {
            command.args(hosts.arguments());
        }
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value).args(["-x", &name.to_string_lossy()]),
                None => command.env_remove(name),
            };
        }
        command.arg(program.get_program()).args(program.get_args());
        command.current_dir(self.desk.path(""));
        command.env("MNISTRY_RANK_TIMEOUT", PATIENCE.to_string());
        command.env("OMPI_ALLOW_RUN_AS_ROOT", "1").env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        command
    }

    fn run(&self, arguments: &str) -> Ended {
        Ended::of(self.command(arguments).output().expect("there is mpirun"))
    }

    fn succeed(&self, arguments: &str) -> String {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{} ranks: {arguments}: {}", self.ranks, ended.stderr);
        ended.stderr
    }

    /// Begins it.
    fn begin(&self, arguments: &str) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("there is mpirun")
    }
}

/// Waits until `condition` holds.
fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let since = Instant::now();
    while !condition() {
        assert!(since.elapsed() < BOUND, "{what}: not within {BOUND:?}");
        sleep(Duration::from_millis(20));
    }
}

/// What a job says at its end, which it must come to.
fn ended(mut job: Child) -> Ended {
    let since = Instant::now();
    while job.try_wait().expect("it is ours").is_none() {
        if since.elapsed() > BOUND {
            let _ = job.kill();
            panic!("the job did not end within {BOUND:?}");
        }
        sleep(Duration::from_millis(20));
    }
    Ended::of(job.wait_with_output().expect("it is ours"))
}

/// The process of rank `rank` of a job of this program in `desk`, as the system has it.
fn process_of(desk: &Desk, rank: usize) -> Option<Pid> {
    let wanted = format!("OMPI_COMM_WORLD_RANK={rank}");
    let folder = desk.path("").canonicalize().ok()?;
    let is_ours = |process: &Path| {
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        let is_rank = environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes());
        is_rank && fs::read_link(process.join("cwd")).is_ok_and(|place| place == folder)
    };
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let numbers = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    let found = numbers.filter(|number: &i32| is_ours(Path::new(&format!("/proc/{number}"))));
    found.last().and_then(Pid::from_raw)
}

/// Trainings, each of which takes another way through the engine.
const TRAININGS: [&str; 6] = [
    "--epochs 2",
    "--epochs 2 --optimizer sgd --learning-rate 0.05 --momentum 0.9 --hidden 300,52 --batch-size 100",
    "--model lenet5 --epochs 1 --batch-size 64",
    "--model lenet5 --epochs 1 --optimizer sgd --learning-rate 0.02 --validation-split 0.1",
    "--model cnn --augment --epochs 1 --train-limit 600 --batch-size 128",
    "--model cnn --augment --epochs 1 --train-limit 600 --optimizer sgd --learning-rate 0.02 --momentum 0.9",
];

/// A desk with digits to train on.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write_digits("digits", 1500, 200);
    desk
}

/// All trainings by `jobs` of so many ranks and threads each: the networks are those of one thread.
fn trains_the_same(jobs: &[(usize, usize)], hosts: Option<&Hosts>) {
    let desk = desk();
    for training in TRAININGS {
        let train = format!("train --data digits --quiet {training}");
        desk.succeed(&format!("{train} --threads 1 --run-dir one"));
        let expected = desk.bytes("one/model.safetensors");
        for &(ranks, threads) in jobs {
            let job = Job { desk: &desk, ranks, hosts };
            job.succeed(&format!("{train} --threads {threads} --run-dir many"));
            let found = desk.bytes("many/model.safetensors");
            assert!(found == expected, "{ranks} ranks of {threads} threads: {training}");
            assert_eq!(desk.json("many/report.json")["threads"], ranks * threads);
            assert_eq!(
                desk.bytes("many/confusion_matrix.csv"),
                desk.bytes("one/confusion_matrix.csv")
            );
        }
    }
}

#[test]
#[ignore = "needs mpirun"]
fn ranks_train_the_network_of_one_thread() {
    trains_the_same(&[(2, 1), (1, 2), (3, 2)], None);
}

#[test]
#[ignore = "needs mpirun, and to be root"]
fn ranks_on_two_hosts_train_the_network_of_one_thread() {
    trains_the_same(&[(2, 1), (4, 1)], Some(&Hosts::new()));
}

/// One rank speaks, and says what to expect.
#[test]
#[ignore = "needs mpirun"]
fn one_rank_speaks_for_all() {
    let desk = desk();
    let job = Job::here(&desk, 3);
    let said = job.run("train --data digits --epochs 1 --run-dir run");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(said.stdout.matches("confusion matrix").count(), 1, "{}", said.stdout);
    assert_eq!(said.stderr.matches("a step takes 3 ranks").count(), 1, "{}", said.stderr);
    assert!(said.stdout.contains("of 3 ranks"), "{}", said.stdout);
    // What is wrong is said once, whoever finds it.
    for (arguments, problem) in [
        ("train --data nowhere", "nowhere"),
        ("train --data digits --hidden 0", "hidden"),
        ("train --data digits --isa avx1024", "avx1024"),
        ("train --resume nowhere", "nowhere"),
        ("train --data digits --learning-rate 1e30 --optimizer sgd --run-dir bad", "learning rate"),
    ] {
        let said = job.run(arguments);
        assert_ne!(said.code, Some(0), "{arguments}");
        let errors = said.stderr.lines().filter(|line| line.starts_with("error:"));
        let errors: Vec<_> = errors.collect();
        assert!(errors.len() == 1 && errors[0].contains(problem), "{arguments}: {}", said.stderr);
    }
    assert_eq!(job.succeed("train --model cnn --data digits --summary --quiet"), "");
}

/// What an interrupted job leaves, another one goes on with, of another size or of one thread.
#[test]
#[ignore = "needs mpirun"]
fn a_training_that_lost_a_rank_is_gone_on_with() {
    goes_on_after_a_loss(None);
}

#[test]
#[ignore = "needs mpirun, and to be root"]
fn a_training_on_two_hosts_that_lost_a_rank_is_gone_on_with() {
    goes_on_after_a_loss(Some(&Hosts::new()));
}

fn goes_on_after_a_loss(hosts: Option<&Hosts>) {
    let desk = desk();
    let train = "train --data digits --quiet --epochs 400 --batch-size 64";
    desk.succeed(&format!("{train} --run-dir whole --threads 1"));
    for (rank, folder) in [(1, "lost-1"), (0, "lost-0")] {
        let job = Job { desk: &desk, ranks: 2, hosts };
        let running = job.begin(&format!("{train} --threads 1 --run-dir {folder}"));
        wait_for("the first epochs", || {
            fs::read_to_string(desk.path(folder).join("history.csv"))
                .is_ok_and(|history| history.lines().count() > 5)
        });
        kill_process(process_of(&desk, rank).expect("the rank runs"), Signal::KILL)
            .expect("it is ours");
        let said = ended(running);
        assert!(said.code != Some(0), "rank {rank}");
        assert!(!desk.path(folder).join("report.json").exists());
        // mpirun says which one it was.
        assert!(said.stderr.contains(&format!("rank {rank}")), "{}", said.stderr);
        let ranks = if rank == 0 { 3 } else { 1 };
        Job { desk: &desk, ranks, hosts: None }
            .succeed(&format!("train --resume {folder} --quiet"));
        let network = |folder: &str| desk.bytes(&format!("{folder}/model.safetensors"));
        assert!(network(folder) == network("whole"), "rank {rank}");
    }
}

/// Ctrl-C, as `mpirun` passes it on: a signal to each rank. The run stops after its step, is kept, and
/// is gone on with.
#[test]
#[ignore = "needs mpirun"]
fn a_training_that_is_asked_to_end_is_kept_as_it_is() {
    let desk = desk();
    let train = "train --data digits --quiet --epochs 400 --batch-size 64 --threads 1";
    desk.succeed(&format!("{train} --run-dir whole"));
    let running = Job::here(&desk, 2).begin(&format!("{train} --run-dir asked"));
    wait_for("the first epochs", || {
        fs::read_to_string(desk.path("asked").join("history.csv"))
            .is_ok_and(|history| history.lines().count() > 5)
    });
    for rank in [1, 0] {
        kill_process(process_of(&desk, rank).expect("the rank runs"), Signal::TERM)
            .expect("it is ours");
    }
    let said = ended(running);
    assert_eq!(said.code, Some(143), "{}", said.stderr);
    assert!(!said.stderr.contains("has not answered"), "{}", said.stderr);
    let state = State::load(desk.path("asked").join("checkpoint.safetensors")).expect("a state");
    let kept = Network::load(desk.path("asked").join("model.safetensors")).expect("a network");
    assert_eq!(*state.network(), kept, "it is kept as it was when it stopped");
    Job::here(&desk, 2).succeed("train --resume asked --quiet");
    assert!(desk.bytes("asked/model.safetensors") == desk.bytes("whole/model.safetensors"));
}

/// A rank that is there and does not answer.
#[test]
#[ignore = "needs mpirun"]
fn a_rank_that_stops_answering_ends_the_job() {
    let desk = desk();
    let running = Job::here(&desk, 2)
        .begin("train --data digits --quiet --epochs 100000 --threads 1 --run-dir run");
    wait_for("the run", || desk.path("run/history.csv").exists());
    sleep(Duration::from_millis(300));
    let stopped = process_of(&desk, 1).expect("the rank runs");
    kill_process(stopped, Signal::STOP).expect("it is ours");
    let said = ended(running);
    let _ = kill_process(stopped, Signal::KILL);
    assert_ne!(said.code, Some(0));
    assert!(said.stderr.contains("has not answered for 15 s"), "{}", said.stderr);
}

/// A machine that cannot be reached any more.
#[test]
#[ignore = "needs mpirun, and to be root"]
fn a_host_that_is_cut_off_ends_the_job() {
    let (desk, hosts) = (desk(), Hosts::new());
    let running = Job::on(&hosts, &desk, 2)
        .begin("train --data digits --quiet --epochs 100000 --threads 1 --run-dir run");
    wait_for("the run", || desk.path("run/history.csv").exists());
    sleep(Duration::from_millis(300));
    hosts.cut_second_off();
    let said = ended(running);
    assert_ne!(said.code, Some(0));
    let folder = desk.path("run");
    assert!(program::is_usable(&folder), "what was trained is kept");
}

/// 48 short runs.
const SWEEP: &str = "sweep --data digits --quiet --seeds 0-11 --grid hidden=20,40 \
                     --grid learning-rate=0.001,0.004 --grid epochs=6";

#[test]
#[ignore = "needs mpirun"]
fn a_sweep_comes_to_the_same_by_any_number_of_ranks() {
    let desk = desk();
    desk.succeed(&format!("{SWEEP} --sweep-dir one --workers 1 --keep all"));
    let whole = desk.results("one");
    assert_eq!(whole.len(), 48);
    // Run 14 is the second of hidden 20 at 0.004.
    desk.succeed(
        "train --data digits --quiet --epochs 6 --hidden 20 --learning-rate 0.004 --seed 1 --run-dir run",
    );
    assert_eq!(desk.bytes("one/models/14.safetensors"), desk.bytes("run/model.safetensors"));

    desk.succeed(&format!("{SWEEP} --sweep-dir two --workers 2"));
    assert_eq!(desk.results("two"), whole);
    for shard in 1..=4 {
        desk.succeed(&format!("{SWEEP} --shard {shard}/4 --sweep-dir part-{shard}"));
    }
    desk.succeed("sweep merge part-1 part-2 part-3 part-4 --sweep-dir merged --quiet");
    assert_eq!(desk.results("merged"), whole);
    for ranks in 1..=3 {
        let folder = format!("ranks-{ranks}");
        Job::here(&desk, ranks).succeed(&format!("{SWEEP} --sweep-dir {folder} --keep all"));
        assert_eq!(desk.results(&folder), whole, "{ranks} ranks");
        for run in [1, 14, 48] {
            let network = |folder: &str| desk.bytes(&format!("{folder}/models/{run}.safetensors"));
            assert!(network(&folder) == network("one"), "{ranks} ranks: run {run}");
        }
    }
}

/// By halving, where runs go from rank to rank.
#[test]
#[ignore = "needs mpirun"]
fn a_sweep_by_halving_comes_to_the_same_by_ranks() {
    let desk = desk();
    let sweep = SWEEP.replace("epochs=6", "epochs=4");
    let sweep = format!("{sweep} --halving=2 --folds 2").replace("0-11", "0-2");
    desk.succeed(&format!("{sweep} --sweep-dir one --workers 1"));
    Job::here(&desk, 3).succeed(&format!("{sweep} --sweep-dir three"));
    assert_eq!(desk.results("three"), desk.results("one"));
}

#[test]
#[ignore = "needs mpirun"]
fn a_sweep_that_loses_ranks_is_gone_on_with() {
    sweeps_on_after_losses(10, None);
}

#[test]
#[ignore = "needs mpirun, and to be root"]
fn a_sweep_on_two_hosts_that_loses_ranks_is_gone_on_with() {
    sweeps_on_after_losses(3, Some(&Hosts::new()));
}

/// Kills a rank, now the first, now another, so many times before the sweep is done.
fn sweeps_on_after_losses(kills: usize, hosts: Option<&Hosts>) {
    let desk = desk();
    // Longer than it takes to kill a rank.
    let sweep = SWEEP.replace("epochs=6", "epochs=20");
    desk.succeed(&format!("{sweep} --sweep-dir one"));
    let command = format!("{sweep} --sweep-dir many --workers 1");
    let job = Job { desk: &desk, ranks: 2, hosts };
    let done = || {
        let results = fs::read_to_string(desk.path("many/results.csv")).unwrap_or_default();
        results.lines().count().saturating_sub(1)
    };
    for kill in 0..kills {
        let before = done();
        let running = job.begin(&command);
        wait_for("a run", || done() > before);
        let rank = kill % 2;
        let process = process_of(&desk, rank).expect("the rank runs");
        kill_process(process, Signal::KILL).expect("it is ours");
        let said = ended(running);
        assert_ne!(said.code, Some(0), "rank {rank}");
        assert!(said.stderr.contains(&format!("rank {rank}")), "{}", said.stderr);
    }
    assert!(done() < 48, "the sweep was done before it was killed so often");
    job.succeed(&command);
    assert_eq!(desk.results("many"), desk.results("one"));
}

/// A rank that is there and does not answer, and one that does not begin.
#[test]
#[ignore = "needs mpirun"]
fn a_sweep_whose_rank_stops_answering_ends_and_is_gone_on_with() {
    let desk = desk();
    desk.succeed(&format!("{SWEEP} --sweep-dir one --workers 1"));
    let command = format!("{SWEEP} --sweep-dir many --workers 1");
    let running = Job::here(&desk, 2).begin(&command);
    wait_for("the first run", || {
        fs::read_to_string(desk.path("many/results.csv")).is_ok_and(|rows| rows.lines().count() > 1)
    });
    let stopped = process_of(&desk, 1).expect("the rank runs");
    kill_process(stopped, Signal::STOP).expect("it is ours");
    let said = ended(running);
    let _ = kill_process(stopped, Signal::KILL);
    assert_ne!(said.code, Some(0));
    assert!(said.stderr.contains("rank 1 has not answered"), "{}", said.stderr);
    Job::here(&desk, 2).succeed(&command);
    assert_eq!(desk.results("many"), desk.results("one"));
}

/// A rank that stops before all have met.
#[test]
#[ignore = "needs mpirun"]
fn a_rank_that_stops_as_mpi_begins_ends_the_job() {
    let desk = desk();
    let running =
        Job::here(&desk, 2).begin("train --data digits --quiet --threads 1 --run-dir run");
    // As early as it is there: while it links its libraries, or MPI begins.
    wait_for("rank 1", || process_of(&desk, 1).is_some());
    let stopped = process_of(&desk, 1).expect("the rank runs");
    kill_process(stopped, Signal::STOP).expect("it is ours");
    let said = ended(running);
    let _ = kill_process(stopped, Signal::KILL);
    assert_ne!(said.code, Some(0));
    assert!(said.stderr.contains("has not "), "{}", said.stderr);
}

/// What is wrong is said once, by whoever finds it first.
#[test]
#[ignore = "needs mpirun"]
fn one_rank_speaks_for_a_sweep() {
    let desk = desk();
    let job = Job::here(&desk, 3);
    for (arguments, problem) in [
        ("sweep --data nowhere", "nowhere"),
        ("sweep --data digits --grid units=3", "units"),
        ("sweep nowhere.toml", "nowhere.toml"),
        ("sweep --data digits --grid hidden=0", "hidden"),
    ] {
        let said = job.run(arguments);
        assert_ne!(said.code, Some(0), "{arguments}");
        let errors: Vec<_> =
            said.stderr.lines().filter(|line| line.starts_with("error:")).collect();
        assert!(errors.len() == 1 && errors[0].contains(problem), "{arguments}: {}", said.stderr);
    }
    let said = job.run("sweep --data digits --seeds 0-2 --grid epochs=1 --dry-run");
    assert_eq!(said.stdout.lines().count(), 3, "{}", said.stdout);
    let said = job.run("sweep --data digits --seeds 0-2 --grid epochs=1 --sweep-dir said");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert_eq!(said.stdout.matches("95 % interval").count(), 1, "{}", said.stdout);
}
