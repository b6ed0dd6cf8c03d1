//! The team: a worker a thread, and the buffers that they share.

use std::ops::Range;
use std::sync::Mutex;

use super::samples::Samples;
use super::worker::{Images, Plan, Worker};
use crate::buffers::{Poison, groups, share, share_of, zeroed};
use crate::engine::Engine;
use crate::nn::dense::Dense;
use crate::nn::division::Division;
use crate::nn::{Layer, Network};
use crate::sparse::{Columns, SparseRows, Window};

impl Engine {
    /// Has every thread run `program` as a member of a team, in one parallel region, for
    /// minibatches of up to `batch` samples of `data`; each weight has `cells` lanes, of which the
    /// first is set from `network`. Returns what the members return, in their order.
    pub(super) fn as_team<T: Send>(
        &self,
        network: &Network,
        data: &Samples<'_>,
        (batch, cells): (usize, usize),
        program: impl Fn(Worker) -> T + Sync,
    ) -> Vec<T> {
        let plan = Plan {
            members: self.threads(),
            batch,
            window: window(data, batch),
            cells,
            isa: self.isa(),
            products: self.products(),
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
    pub(super) fn alone(network: &Network, plan: Plan, data: &Samples<'_>) -> Self {
        let mut workers = team(network, Plan { members: 1, ..plan }, data, &Poison::new());
        let mut worker = workers.swap_remove(0);
        worker.start(network);
        worker
    }
}

/// How many samples to bring together at a time, a multiple of `batch`: so many that waiting for
/// memory and for each other is spread over many steps, so few that they stay in a cache.
fn window(data: &Samples<'_>, batch: usize) -> usize {
    const SAMPLES: usize = 256;
    const PIXELS: usize = 1 << 22;
    let longest = data.rows.as_ref().map_or(1, SparseRows::longest);
    let samples = SAMPLES.min(PIXELS / longest.max(1));
    (samples / batch).max(1) * batch
}

/// Makes the members of a team for `network`, each to be [started](Worker::start).
fn team(network: &Network, plan: Plan, data: &Samples<'_>, poison: &Poison) -> Vec<Worker> {
    let Plan { members, batch, window, .. } = plan;
    let architecture = network.architecture();
    let pixels = architecture.input.pixels();
    let count = architecture.layers.len();
    let mut inputs = pixels;
    let divisions: Vec<_> = architecture
        .layers
        .iter()
        .enumerate()
        .map(|(index, layer)| {
            let Layer::Dense { units, activation } = *layer;
            let division = Division::new(inputs, units, batch, members, index + 1 == count);
            inputs = units;
            (division, activation)
        })
        .collect();

    let panels = if data.rows.is_none() { groups(pixels) } else { 0 };
    let own_pixels = |member: usize| {
        let own = share_of(batch, member, members);
        (0..panels).map(move |panel| panel * batch + own.start..panel * batch + own.end).collect()
    };
    let pixel_seats = share(panels * batch, (0..members).map(own_pixels).collect(), poison);
    let meeting = share(0, vec![Vec::new(); members], poison);
    let mut workers: Vec<_> = pixel_seats
        .into_iter()
        .zip(meeting)
        .enumerate()
        .map(|(member, (pixel_seat, meeting))| Worker {
            plan,
            member,
            layers: Vec::with_capacity(count),
            indices: Vec::with_capacity(window),
            images: data.rows.as_ref().map(|rows| Images {
                window: Window::new(rows, window),
                columns: Columns::new(batch, pixels),
            }),
            pixels: pixel_seat,
            outputs: Vec::with_capacity(count),
            gradients: Vec::with_capacity(count),
            logits: zeroed(groups(architecture.classes())),
            meeting,
        })
        .collect();

    for (index, (division, activation)) in divisions.iter().enumerate() {
        let last = index + 1 == count;
        let own_weights = |member: usize| {
            let part = division.part(member, batch);
            Vec::from([division.block_rows(&part, plan.cells)])
        };
        let own_gradients = |member: usize| {
            let mut own = division.outputs(member);
            if last {
                let outcomes = division.groups() * batch;
                let samples = share_of(batch, member, members);
                own.push(outcomes + samples.start..outcomes + samples.end);
            }
            own
        };
        let lanes = division.groups() * batch;
        let everyone = |own: &dyn Fn(usize) -> Vec<Range<usize>>| (0..members).map(own).collect();
        let weights = share(division.weights_length(plan.cells), everyone(&own_weights), poison);
        let outputs = share(lanes, everyone(&|member| division.outputs(member)), poison);
        let gradients =
            share(lanes + if last { batch } else { 0 }, everyone(&own_gradients), poison);
        for (((worker, weights), output), gradient) in
            workers.iter_mut().zip(weights).zip(outputs).zip(gradients)
        {
            let mut layer = Dense::new(*division, worker.member, *activation, plan.cells, weights);
            if let Some((below, _)) = index.checked_sub(1).map(|below| &divisions[below]) {
                layer.plan_backward_input(below);
            } else if data.rows.is_some() {
                layer.plan_sparse_input();
            }
            worker.layers.push(layer);
            worker.gradients.push(gradient);
            if !last {
                worker.outputs.push(output);
            }
        }
    }
    workers
}
