//! The team: a worker a thread, and the buffers that they share.

use std::ops::Range;
use std::sync::Mutex;

use crate::exec::engine::Engine;
use crate::exec::layers::conv2d::{Conv2d, Share};
use crate::exec::layers::dense::Dense;
use crate::exec::layers::dropout::DropPanels;
use crate::exec::layers::images;
use crate::exec::layers::images::{ImageLayer, own_panels};
use crate::exec::layers::loss::Outcome;
use crate::exec::layers::pooling::Pool;
use crate::exec::partition::Partition;
use crate::exec::plan::{Blueprint, ImageLayerKind, ImageLayers, StageKind};
use crate::exec::samples::Samples;
use crate::exec::shares::{share_of, share_of_samples};
use crate::exec::stage::Stage;
use crate::exec::worker::{Plan, Sparse, Worker};
use crate::kernels::sparse::{Columns, Lists};
use crate::model::{Activation, Network};
use crate::simd::{LANES, vectors_for, zeroed};
use crate::sync::{Poison, oversubscribed, turn_buffer};

/// What a team is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Purpose {
    /// The most samples of a minibatch.
    pub(crate) batch: usize,
    /// F32x16 of a weight: itself and its moments.
    pub(crate) slots: usize,
    /// Whether some numbers are dropped.
    pub(crate) training: bool,
    /// Which share of each label is spread over all classes.
    pub(crate) smoothing: f32,
}

impl Engine {
    /// Has every thread run `program` as a rank of a team, in one parallel region, for `purpose`,
    /// with `data` and the weights of `network`. Returns what the workers return, in their order.
    pub(crate) fn as_team<T: Send>(
        &self,
        network: &Network,
        data: &Samples<'_>,
        purpose: Purpose,
        program: impl Fn(Worker) -> T + Sync,
    ) -> Vec<T> {
        let plan = Plan {
            workers: self.threads(),
            oversubscribed: oversubscribed(self.threads()),
            batch: purpose.batch,
            slots: purpose.slots,
            training: purpose.training,
            smoothing: purpose.smoothing,
            isa: self.isa(),
            gemm: self.gemm_backend(),
        };
        let poison = Poison::new();
        let workers = team(network, plan, data, &poison);
        let workers: Vec<_> = workers.into_iter().map(|worker| Mutex::new(Some(worker))).collect();
        let results = self.pool().broadcast(|context| {
            let _guard = poison.guard();
            let mut worker = workers[context.index()].lock().ok()?.take()?;
            worker.start(network);
            Some(program(worker))
        });
        results.into_iter().flatten().collect()
    }
}

impl Worker {
    /// A team of one.
    pub(crate) fn alone(network: &Network, plan: Plan, data: &Samples<'_>) -> Self {
        let mut workers = team(network, Plan { workers: 1, ..plan }, data, &Poison::new());
        let mut worker = workers.swap_remove(0);
        worker.start(network);
        worker
    }
}

/// Makes the workers of a team for `network`, each to be [started](Worker::start).
fn team(network: &Network, plan: Plan, data: &Samples<'_>, poison: &Poison) -> Vec<Worker> {
    let Plan { workers, batch, .. } = plan;
    let architecture = network.architecture();
    let blueprint = Blueprint::new(architecture, plan.training);
    let count = blueprint.stages.len();

    let pixels = architecture.input.pixels();
    let reads_panels =
        data.rows.is_none() && matches!(blueprint.stages[0], StageKind::Dense { .. });
    let panels = if reads_panels { vectors_for(pixels) } else { 0 };
    let own_pixels = |rank: usize| {
        let own = share_of_samples(batch, rank, workers);
        (0..panels).map(move |panel| panel * batch + own.start..panel * batch + own.end).collect()
    };
    let pixel_seats = turn_buffer(panels * batch, (0..workers).map(own_pixels).collect(), poison);
    let barrier_buffer = turn_buffer(0, vec![Vec::new(); workers], poison);
    let mut made: Vec<_> = pixel_seats
        .into_iter()
        .zip(barrier_buffer)
        .enumerate()
        .map(|(rank, (pixel_seat, barrier_buffer))| Worker {
            plan,
            rank,
            stages: Vec::with_capacity(count),
            indices: Vec::with_capacity(batch),
            sparse: data.rows.as_ref().map(|rows| Sparse {
                lists: Lists::new(rows, batch),
                // Nobody learns who only reads.
                columns: Columns::new(if plan.slots > 1 { batch } else { 0 }, pixels),
            }),
            pixels: pixel_seat,
            image: vec![0.0; if reads_panels { pixels } else { 0 }],
            outputs: Vec::with_capacity(count),
            gradients: Vec::with_capacity(count),
            logits: zeroed(vectors_for(architecture.classes()) * LANES),
            barrier_buffer,
        })
        .collect();

    let mut inputs = pixels;
    for (index, kind) in blueprint.stages.iter().enumerate() {
        let last = index + 1 == count;
        let units = kind.units(inputs);
        // The rank who has a sample's logits shall have all of them. And where workers take turns
        // at the cores, there are no caches of their own to keep columns in, but each walks all
        // images for what columns it has.
        let by_samples = last || plan.oversubscribed && vectors_for(units) < workers;
        let division = Partition::new(inputs, units, batch, workers, by_samples);
        let division = match (kind, made[0].stages.last().map(Stage::division)) {
            (StageKind::Dropout(_), Some(below)) => *below,
            (_, Some(below)) => division.above(below),
            (_, None) if data.rows.is_some() => division.of_sparse_images(),
            (_, None) => division,
        };
        let lanes = division.column_blocks() * batch;
        let own_gradients = |rank: usize| {
            let mut own = division.outputs(rank);
            if last {
                let samples = division.part(rank, batch).samples;
                let outcomes = |samples| lanes + vectors_for(samples) * Outcome::LANES;
                own.push(outcomes(samples.start)..outcomes(samples.end));
            }
            own
        };
        let own_outputs = |rank: usize| match kind {
            StageKind::Images(_) => own_panels(units, batch, &own_sixteens(plan, rank)),
            _ => division.outputs(rank),
        };
        let outcomes = if last { vectors_for(batch) * Outcome::LANES } else { 0 };
        let own = (0..workers).map(own_gradients).collect();
        let gradients = turn_buffer(lanes + outcomes, own, poison);
        let stages = match kind {
            StageKind::Images(layers) => images_of_members(layers, plan, poison)
                .into_iter()
                .map(|images| Stage::Images { images: Box::new(images), division })
                .collect(),
            StageKind::Dense { activation, .. } => {
                let below = made[0].stages.last().map(|stage| *stage.division());
                let is_sparse = below.is_none() && data.rows.is_some();
                dense(division, *activation, (below, is_sparse), plan, poison)
            }
            StageKind::Dropout(dropout) => (0..workers)
                .map(|rank| Stage::Dropout(DropPanels::new(*dropout, division, rank)))
                .collect::<Vec<_>>(),
        };
        for ((worker, stage), gradient) in made.iter_mut().zip(stages).zip(gradients) {
            worker.stages.push(stage);
            worker.gradients.push(gradient);
        }
        if !last {
            let outputs = turn_buffer(lanes, (0..workers).map(own_outputs).collect(), poison);
            made.iter_mut().zip(outputs).for_each(|(worker, seat)| worker.outputs.push(seat));
        }
        inputs = units;
    }
    made
}

/// The workers' parts of a dense layer above one that is divided as `below`, or that reads sparse
/// images.
fn dense(
    division: Partition,
    activation: Activation,
    (below, is_sparse): (Option<Partition>, bool),
    plan: Plan,
    poison: &Poison,
) -> Vec<Stage> {
    let own_weights = |rank: usize| {
        let part = division.part(rank, plan.batch);
        Vec::from([division.weights_range(&part, plan.slots)])
    };
    let own = (0..plan.workers).map(own_weights).collect();
    let weights = turn_buffer(division.weights_length(plan.slots), own, poison);
    let layer = |(rank, weights)| {
        let mut layer = Dense::new(division, rank, activation, plan.slots, weights);
        if let Some(below) = &below {
            layer.plan_backward_input(below);
        } else if is_sparse && plan.slots > 1 {
            layer.plan_sparse_input();
        }
        Stage::Dense(layer)
    };
    weights.into_iter().enumerate().map(layer).collect()
}

/// The sixteens of a minibatch that `rank` takes.
fn own_sixteens(plan: Plan, rank: usize) -> Range<usize> {
    share_of(vectors_for(plan.batch), rank, plan.workers)
}

/// The workers' parts of the layers that see images.
fn images_of_members(layers: &ImageLayers, plan: Plan, poison: &Poison) -> Vec<images::Images> {
    let ImageLayers { kinds, volumes } = layers;
    let workers = 0..plan.workers;
    let mut parts: Vec<Vec<ImageLayer>> = workers.clone().map(|_| Vec::new()).collect();
    // Below the first parameters nobody needs a gradient.
    let mut is_first = true;
    for kind in kinds {
        let layers: Vec<_> = match *kind {
            ImageLayerKind::Conv2d(geometry) => {
                let backward_input = !std::mem::take(&mut is_first);
                let shares = shares(geometry.parameters(), backward_input, plan, poison);
                let layer = |share| Box::new(Conv2d::new(geometry, share));
                shares.map(layer).map(ImageLayer::Conv2d).collect()
            }
            ImageLayerKind::Pool(pooling, windows) => workers
                .clone()
                .map(|rank| own_sixteens(plan, rank).len())
                .map(|sixteens| ImageLayer::Pool(Pool::new(pooling, windows, sixteens)))
                .collect(),
            ImageLayerKind::Dropout(dropout) => {
                workers.clone().map(|_| ImageLayer::Dropout(dropout)).collect()
            }
        };
        parts.iter_mut().zip(layers).for_each(|(part, layer)| part.push(layer));
    }
    let images = |(rank, layers)| {
        images::Images::new(plan.isa, plan.batch, own_sixteens(plan, rank), layers, volumes)
    };
    parts.into_iter().enumerate().map(images).collect()
}

/// The workers' shares of a convolution with so many parameters.
fn shares(
    parameters: usize,
    backward_input: bool,
    plan: Plan,
    poison: &Poison,
) -> impl Iterator<Item = Share> {
    let (count, slots) = (vectors_for(parameters), plan.slots);
    let own = move |rank| share_of(count, rank, plan.workers);
    let own_parameters = |rank| {
        let own: Range<usize> = own(rank);
        std::iter::once(own.start * slots..own.end * slots).collect()
    };
    // Who only reads leaves no gradient.
    let learnt = if slots > 1 { count } else { 0 };
    let own_gradients = |rank| {
        let own = own_sixteens(plan, rank);
        std::iter::once(own.start * learnt..own.end * learnt).collect()
    };
    let workers = 0..plan.workers;
    let all = workers.clone().map(own_parameters).collect();
    let parameters = turn_buffer(count * slots, all, poison);
    let all = workers.map(own_gradients).collect();
    let gradients = turn_buffer(vectors_for(plan.batch) * learnt, all, poison);
    parameters.into_iter().zip(gradients).enumerate().map(move |(rank, (parameters, gradients))| {
        Share {
            slots,
            parameters,
            gradients,
            own: own(rank),
            sixteens: own_sixteens(plan, rank).len(),
            backward_input,
        }
    })
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::*;
    use crate::data::Split;
    use crate::image::{ImageShape, RandomAffine};
    use crate::kernels::gemm::GemmBackend;
    use crate::kernels::optim::Adam;
    use crate::model::{Sequential, Tensor};
    use crate::simd::Isa;

    /// What a team makes of `network` in three steps on all of `split`.
    fn trained(
        network: &Network,
        split: &Split,
        (workers, oversubscribed): (usize, bool),
    ) -> Vec<Tensor> {
        let gemm = GemmBackend::Engine;
        let (batch, isa) = (split.len(), Isa::detect().unwrap());
        let slots = 3;
        let (training, smoothing) = (true, 0.0);
        let plan = Plan { workers, oversubscribed, batch, slots, training, smoothing, isa, gemm };
        let data = Samples::new(split, gemm, network, RandomAffine::default());
        let samples: Vec<u32> = (0..batch as u32).collect();
        let poison = Poison::new();
        let train = |mut worker: Worker| {
            let _guard = poison.guard();
            worker.start(network);
            for step in 1..=3 {
                worker.bring(&data, &samples);
                let rule = (Adam::default().at(step), None);
                let flow = worker.step(&data, &[], rule, |_| ControlFlow::Continue(()));
                assert!(flow.is_continue());
            }
            let mut tensors = network.tensors().to_vec();
            worker.copy_parameters(0, &mut tensors);
            tensors
        };
        let workers = team(network, plan, &data, &poison);
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                workers.into_iter().map(|worker| scope.spawn(|| train(worker))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).next_back().unwrap()
        })
    }

    /// Whether a layer goes by columns, of which some workers have none, or by samples, makes no
    /// difference; nor does it in the layers above.
    #[test]
    fn members_without_columns_change_nothing() {
        let shape = ImageShape { height: 5, width: 7 };
        let pixels: Vec<u8> =
            (0..35 * 40).map(|i| if i % 3 == 0 { (i % 251) as u8 } else { 0 }).collect();
        let labels: Vec<u8> = (0..40).map(|i| i % 4).collect();
        let split = Split::new(shape, pixels.into(), labels.into()).unwrap();
        for hidden in [&[36][..], &[36, 20], &[20, 36], &[20, 20, 100]] {
            let add = |network: Sequential, units: &usize| network.dense(*units, Activation::Relu);
            let layers = hidden.iter().fold(Sequential::new(shape), add);
            let network = Network::new(layers.dense(4, Activation::Softmax), 1).unwrap();
            let alone = trained(&network, &split, (1, false));
            for team in [(2, true), (2, false), (3, true), (3, false), (5, true), (5, false)] {
                assert_eq!(trained(&network, &split, team), alone, "{hidden:?} by {team:?}");
            }
        }
    }
}
