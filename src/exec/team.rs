//! The team: a worker a thread, of one rank or of several, and the buffers that they share.

use std::sync::Mutex;

use super::engine::Engine;
use super::input::Minibatch;
use super::layers::loss::LossHead;
use super::link::Link;
use super::plan::Plan;
use super::samples::Samples;
use super::stage::Stage;
use super::worker::Worker;
use crate::model::Network;
use crate::sync::{Span, TeamSync, barrier};

impl Engine {
    /// Has as many threads as `plan` says run `program` as workers of a team, in one parallel region,
    /// for `network` and `data`; each is yet to [load its parameters](Worker::load_parameters). Where the
    /// team is to `span` several ranks, those on this one do. Returns what they return, in their order.
    ///
    /// # Panics
    /// When there are fewer threads: the workers would wait for ever.
    pub(crate) fn as_team<T: Send>(
        &self,
        plan: Plan,
        span: Option<&Span>,
        network: &Network,
        data: &Samples<'_>,
        program: impl Fn(Worker) -> T + Sync,
    ) -> Vec<T> {
        let sync = match span {
            None => TeamSync::new(plan.workers),
            Some(span) => TeamSync::across(span.clone()),
        };
        let own = sync.own_workers();
        assert!(own.len() <= self.threads(), "every worker has a thread");
        let mut workers = team(plan, network, data, &sync);
        // Those of other ranks work there.
        workers.truncate(own.end);
        let workers = workers.into_iter().skip(own.start);
        let workers: Vec<_> = workers.map(|worker| Mutex::new(Some(worker))).collect();
        let results = self.pool().broadcast(|context| {
            let _guard = sync.guard();
            let worker = workers.get(context.index())?.lock().ok()?.take()?;
            Some(program(worker))
        });
        results.into_iter().flatten().collect()
    }
}

impl Worker {
    /// A team of one.
    pub(crate) fn alone(plan: Plan, network: &Network, data: &Samples<'_>) -> Self {
        let mut worker = team(plan.alone(), network, data, &TeamSync::new(1)).swap_remove(0);
        worker.load_parameters(0, network.tensors());
        worker
    }
}

/// Makes the workers of a team for `network`, each yet to
/// [load its parameters](Worker::load_parameters).
fn team(plan: Plan, network: &Network, data: &Samples<'_>, sync: &TeamSync) -> Vec<Worker> {
    let stages = plan.stages(network.architecture(), data.is_sparse);
    let (first, last) = (&stages[0], &stages[stages.len() - 1]);
    let minibatches = Minibatch::allocate(first, &plan, data, sync);
    let heads = LossHead::allocate(last, &plan, sync);
    let barriers = barrier(plan.workers, sync);
    let parts = minibatches.into_iter().zip(heads).zip(barriers).enumerate();
    let mut workers: Vec<_> = parts
        .map(|(rank, ((minibatch, head), barrier))| {
            let (stages, links) = (Vec::new(), Vec::new());
            let sync = sync.clone();
            Worker { plan, rank, minibatch, stages, links, head, barrier, sync }
        })
        .collect();
    for (index, stage) in stages.iter().enumerate() {
        let parts = Stage::allocate(stage, &plan, sync);
        workers.iter_mut().zip(parts).for_each(|(worker, part)| worker.stages.push(part));
        // The head stands in for what follows the last.
        if index + 1 < stages.len() {
            let links = Link::allocate(stage, &plan, sync);
            workers.iter_mut().zip(links).for_each(|(worker, link)| worker.links.push(link));
        }
    }
    workers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Split;
    use crate::exec::plan::images_each;
    use crate::image::{ImageShape, RandomAffine};
    use crate::kernels::gemm::GemmBackend;
    use crate::kernels::optim::Adam;
    use crate::model::{Activation, Sequential, Tensor};
    use crate::simd::Isa;

    /// What a team makes of `network` in three steps on all of `split`.
    fn trained(
        network: &Network,
        split: &Split,
        isa: Isa,
        (workers, oversubscribed): (usize, bool),
    ) -> Vec<Tensor> {
        let gemm = GemmBackend::Engine;
        let batch = split.len();
        let slots = 3;
        let (drops, smoothing) = (true, 0.0);
        let spans_ranks = false;
        let plan = Plan {
            workers,
            oversubscribed,
            spans_ranks,
            batch,
            slots,
            drops,
            smoothing,
            isa,
            gemm,
        };
        let augmentation = RandomAffine::default();
        let data = Samples::new(split, network.architecture(), gemm, augmentation);
        let samples: Vec<u32> = (0..batch as u32).collect();
        let sync = TeamSync::new(workers);
        let train = |mut worker: Worker| {
            let _guard = sync.guard();
            worker.load_parameters(0, network.tensors());
            // The second minibatch is a short one.
            for (step, count) in (1..).zip([batch, batch / 2 + 3, batch]) {
                worker.load(&data, &samples[..count]);
                worker.forward_step(&data, None);
                worker.backward_step(&data, None, &[], Adam::default().at(step));
            }
            let mut tensors = network.tensors().to_vec();
            worker.copy_parameters(0, &mut tensors);
            tensors
        };
        let workers = team(plan, network, &data, &sync);
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                workers.into_iter().map(|worker| scope.spawn(|| train(worker))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).next_back().unwrap()
        })
    }

    /// Whether a layer goes by columns, of which some workers have none, or by samples, makes no
    /// difference; nor does it in the layers above.
    #[test]
    fn workers_without_columns_change_nothing() {
        check(
            Isa::detect().unwrap(),
            40,
            &[(2, true), (2, false), (3, true), (3, false), (5, true), (5, false)],
        );
    }

    /// Nor does it where there are enough images to divide a layer that leaves out their zeros by samples.
    #[test]
    fn workers_that_share_images_change_nothing() {
        for isa in Isa::available() {
            let samples = 4 * images_each(isa) + 5;
            check(isa, samples, &[(2, false), (3, false), (3, true), (4, false)]);
        }
    }

    /// Networks of several widths, in minibatches of `samples`, by `teams`.
    fn check(isa: Isa, samples: usize, teams: &[(usize, bool)]) {
        let shape = ImageShape { height: 14, width: 15 };
        let pixels: Vec<u8> = (0..shape.pixels() * samples)
            .map(|i| if i % 3 == 0 { (i % 251) as u8 } else { 0 })
            .collect();
        let labels: Vec<u8> = (0..samples).map(|i| (i % 4) as u8).collect();
        let split = Split::new(shape, pixels.into(), labels.into()).unwrap();
        for hidden in [&[36][..], &[36, 20], &[20, 36], &[20, 20, 100]] {
            let add = |network: Sequential, units: &usize| network.dense(*units, Activation::Relu);
            let layers = hidden.iter().fold(Sequential::new(shape), add);
            let network = Network::new(layers.dense(4, Activation::Softmax), 1).unwrap();
            let alone = trained(&network, &split, isa, (1, false));
            for &team in teams {
                assert_eq!(
                    trained(&network, &split, isa, team),
                    alone,
                    "{hidden:?} by {team:?}, {isa:?}"
                );
            }
        }
    }
}
