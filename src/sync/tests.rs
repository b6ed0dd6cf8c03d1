//! Turns, barriers and what panics, with real threads.

use super::{Span, TeamSync, TurnBuffer, barrier, partly_told_turn_buffer, turn_buffer};
use crate::ranks::in_process::on_each_rank;
use crate::simd::F32x16;

/// Workers add one to a vector of their own and read everyone's, many times.
#[test]
fn everyone_reads_what_everyone_wrote() {
    for workers in [1, 2, 3, 8] {
        let own = (0..workers).map(|rank| std::iter::once(rank..rank + 1).collect()).collect();
        let sync = TeamSync::new(workers);
        let buffers = turn_buffer(workers, own, &sync);
        std::thread::scope(|scope| {
            for (rank, mut buffer) in buffers.into_iter().enumerate() {
                let guard = sync.guard();
                scope.spawn(move || {
                    let _guard = guard;
                    for turn in 1..=200 {
                        buffer.write().vectors(rank..rank + 1)[0].0[0] += 1.0;
                        assert!(buffer.read().iter().all(|vector| vector.0[0] == turn as f32));
                    }
                });
            }
        });
    }
}

/// As above, but each worker is done reading before it adds, and looks at its own vector then.
#[test]
fn who_releases_early_still_sees_its_own() {
    let own = (0..3).map(|rank| std::iter::once(rank..rank + 1).collect()).collect();
    let sync = TeamSync::new(3);
    let buffers = turn_buffer(3, own, &sync);
    std::thread::scope(|scope| {
        for (rank, mut buffer) in buffers.into_iter().enumerate() {
            let guard = sync.guard();
            scope.spawn(move || {
                let _guard = guard;
                for turn in 0..200 {
                    assert!(buffer.read().iter().all(|vector| vector.0[0] == turn as f32));
                    buffer.release();
                    assert_eq!(buffer.own(rank..rank + 1)[0].0[0], turn as f32);
                    buffer.write().at(rank).0[0] += 1.0;
                }
            });
        }
    });
}

#[test]
#[should_panic(expected = "does not read what it has released")]
fn nobody_reads_after_a_release() {
    let mut buffers = turn_buffer(1, vec![vec![]; 2], &TeamSync::new(2));
    buffers[0].release();
    buffers[0].read();
}

#[test]
#[should_panic(expected = "its own vectors only")]
fn nobody_writes_what_is_not_theirs() {
    let mut buffers =
        turn_buffer(2, [0..1, 1..2].map(|own| Vec::from([own])).into(), &TeamSync::new(2));
    let mut second = buffers.pop().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| drop(buffers[0].write()));
        second.write().vectors(0..1);
    });
}

#[test]
#[should_panic(expected = "its own vectors only")]
fn nobody_sees_without_a_turn_what_is_not_theirs() {
    let buffers =
        turn_buffer(2, [0..1, 1..2].map(|own| Vec::from([own])).into(), &TeamSync::new(2));
    buffers[1].own(0..1);
}

#[test]
#[should_panic(expected = "two workers own the same vectors")]
fn ranges_do_not_overlap() {
    turn_buffer(4, [0..2, 1..3].map(|own| Vec::from([own])).into(), &TeamSync::new(2));
}

#[test]
#[should_panic(expected = "another worker has panicked")]
fn a_panic_ends_the_others_wait() {
    let sync = TeamSync::new(2);
    let mut buffers = turn_buffer(0, vec![Vec::new(); 2], &sync);
    sync.poison();
    buffers[0].write();
}

#[test]
fn nobody_passes_a_barrier_before_all_have_come() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let came = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for mut barrier in barrier(3, &TeamSync::new(3)) {
            let came = &came;
            scope.spawn(move || {
                for round in 1..=100 {
                    came.fetch_add(1, Ordering::Relaxed);
                    barrier.wait();
                    assert!(came.load(Ordering::Relaxed) >= 3 * round);
                }
            });
        }
    });
}

/// Workers of several ranks read what all have written; of what is not told, once they ask for it.
#[test]
fn ranks_exchange_what_is_read() {
    // Rank 0 has two workers, rank 1 one.
    let seen = on_each_rank(2, |ranks| {
        let sync = TeamSync::across(Span::new(ranks, vec![2, 1], true));
        let own = |worker: usize| std::iter::once(2 * worker..2 * worker + 2).collect();
        let told = |worker: usize| std::iter::once(2 * worker..2 * worker + 1).collect();
        let mut buffers = partly_told_turn_buffer(6, (0..3).map(own).collect(), told, &sync);
        buffers.truncate(sync.own_workers().end);
        let workers = buffers.into_iter().enumerate().skip(sync.own_workers().start);
        std::thread::scope(|scope| {
            let works: Vec<_> = workers
                .map(|(worker, mut buffer)| {
                    scope.spawn(move || {
                        let numbers = |buffer: &TurnBuffer| -> Vec<f32> {
                            buffer.read().iter().map(|vector| vector.0[0]).collect()
                        };
                        let mut seen = Vec::new();
                        for turn in 1..=2 {
                            let mut writer = buffer.write();
                            let value = (10 * turn + worker) as f32;
                            writer.vectors(2 * worker..2 * worker + 2).fill(F32x16([value; 16]));
                            drop(writer);
                            seen.push(numbers(&buffer));
                            if turn == 2 {
                                buffer.bring_all();
                                seen.push(numbers(&buffer));
                            }
                        }
                        seen
                    })
                })
                .collect();
            works.into_iter().map(|work| work.join().expect("it works")).collect::<Vec<_>>()
        })
    });
    let of_first = [
        vec![10.0, 10.0, 11.0, 11.0, 12.0, 0.0],
        vec![20.0, 20.0, 21.0, 21.0, 22.0, 0.0],
        vec![20.0, 20.0, 21.0, 21.0, 22.0, 22.0],
    ];
    let of_second = [
        vec![10.0, 0.0, 11.0, 0.0, 12.0, 12.0],
        vec![20.0, 0.0, 21.0, 0.0, 22.0, 22.0],
        vec![20.0, 20.0, 21.0, 21.0, 22.0, 22.0],
    ];
    assert_eq!(seen, [vec![of_first.to_vec(), of_first.to_vec()], vec![of_second.to_vec()]]);
}
