//! The dense layer, z = x · w + b: one member's part of it, forward beside backward.
//!
//! Activations x, y and gradients dz stand in panels: group g of sixteen columns of sample i at
//! `g · batch + i`. Weights stand in the blocks of the [`Division`], each row w of a block followed
//! by its moments: `[w | m | v]`, side by side, so that the three do not alias in the cache. The
//! bias is the last row.

use crate::exec::input::{Input, Transposed};
use crate::exec::partition::{Division, Part, Places};
use crate::kernels::gemm::{Area, Axis, Epilogue, Left, Products, Right};
use crate::kernels::optim::Rule;
use crate::kernels::sparse;
use crate::kernels::sparse::{NARROW, Narrow, narrow_lanes};
use crate::model::Activation;
use crate::simd::{Kernel, Simd};
use crate::simd::{LANES, Lanes, as_numbers, as_numbers_mut, zeroed};
use crate::sync::{Reader, Seat, Writer};

/// One member's dense layer.
pub(crate) struct Dense {
    pub(crate) division: Division,
    pub(crate) member: usize,
    pub(crate) activation: Activation,
    /// Lanes of a weight: itself and its moments.
    pub(crate) cells: usize,
    /// Weights and moments, in the blocks of the division.
    pub(crate) weights: Seat,
    /// The weights that a group of inputs needs, transposed: units × groups of inputs.
    transposed: Vec<Lanes>,
    /// Room for the gradient from images without their zeros.
    room: Vec<Lanes>,
    /// The gradient of the weights of a narrow group.
    narrow_gradients: Vec<Lanes>,
}

impl Dense {
    /// The layer of `member`, whose `weights` are yet to be set.
    pub(crate) fn new(
        division: Division,
        member: usize,
        activation: Activation,
        cells: usize,
        weights: Seat,
    ) -> Self {
        let [transposed, room, narrow_gradients] = [const { Vec::new() }; 3];
        Self { division, member, activation, cells, weights, transposed, room, narrow_gradients }
    }

    /// Makes room for [`BackwardInput`] into inputs divided as `below`.
    pub(crate) fn plan_backward_input(&mut self, below: &Division) {
        let width = below.part(self.member, below.batch).groups.len();
        self.transposed = zeroed(self.division.units * width);
    }

    /// Makes room for [`Update`] from images without their zeros.
    pub(crate) fn plan_sparse_input(&mut self) {
        let Division { batch, .. } = self.division;
        self.room = zeroed(sparse::gradient_room(batch));
        if self.division.has_narrow(&self.division.part(self.member, batch)) {
            self.narrow_gradients = zeroed(narrow_lanes(self.division.rows()));
        }
    }

    /// Lets others update their weights as soon as they want to, where this member has no need of
    /// any but its own on the way back to a layer divided as `below`, or to none. To be called
    /// between forward and backward of a step.
    pub(crate) fn release_weights(&mut self, below: Option<&Division>) {
        if below.is_none_or(|below| self.division.owns_rows(below)) {
            self.weights.release();
        }
    }

    /// Sets the member's own part of the weights from `kernel` (inputs × units) and `bias`.
    pub(crate) fn set(&mut self, kernel: &[f32], bias: &[f32]) {
        let Self { division, member, cells, weights, .. } = self;
        let mut writer = weights.write();
        let part = division.part(*member, 0);
        let own = division.block_rows(&part, *cells);
        let first = own.start * LANES;
        let state = as_numbers_mut(writer.lanes(own));
        for group in part.groups {
            let Places { first: at, row: stride, .. } = division.places(group, *cells);
            for row in part.rows.clone() {
                let values =
                    if row < division.inputs { &kernel[row * division.units..] } else { bias };
                let values = &values[..division.units];
                let columns = &values[group * LANES..values.len().min((group + 1) * LANES)];
                state[at + row * stride - first..][..columns.len()].copy_from_slice(columns);
            }
        }
    }

    /// Copies the lanes `cell` of all weights (0: the weight itself) to `kernel` and `bias`.
    pub(crate) fn get(&self, cell: usize, kernel: &mut [f32], bias: &mut [f32]) {
        let weights = self.weights.read();
        let state = weights.as_numbers();
        let units = self.division.units;
        for group in 0..self.division.groups() {
            let places = self.division.places(group, self.cells);
            let rows = kernel.chunks_exact_mut(units).chain(std::iter::once(&mut *bias));
            for (row, values) in rows.enumerate() {
                let columns = &mut values[group * LANES..units.min((group + 1) * LANES)];
                let at = places.first + row * places.row + cell * places.cell;
                columns.copy_from_slice(&state[at..][..columns.len()]);
            }
        }
    }
}

/// y = activation(x · w + b), the member's part; the activation is left out for `logits`.
pub(crate) struct Forward<'a, 'w> {
    pub(crate) layer: &'a mut Dense,
    pub(crate) products: Products,
    pub(crate) input: &'a Input<'a>,
    pub(crate) logits: bool,
    pub(crate) output: &'a mut Writer<'w>,
}

impl Kernel for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { layer, products, input, logits, output } = self;
        let Dense { division, weights, cells, member, activation, .. } = layer;
        let part = division.part(*member, input.samples());
        let (full, width) = (division.width(&part), division.width(&part) * *cells);
        let everyones;
        let block = if division.is_by_columns() {
            weights.own(division.block_rows(&part, *cells))
        } else {
            everyones = weights.read();
            &everyones[division.block_start(&part, *cells)..]
        };
        let weights = Right::of_lanes(block, width, 1);
        let (rows, narrow) = block.split_at(division.rows() * width);
        let narrow = division.has_narrow(&part).then(|| Narrow(as_numbers(narrow).as_chunks().0));
        let area = Area { rows: part.samples, groups: 0..part.groups.len() };
        let mut epilogue = Activate {
            bias: &rows[division.inputs * width..][..full],
            narrow_bias: narrow.map(|Narrow(rows)| &rows[division.inputs]),
            activation: if logits { Activation::Linear } else { *activation },
            output,
            first_group: part.groups.start,
            batch: division.batch,
        };
        match input {
            Input::Sparse(images) => {
                sparse::forward(s, images, &weights, narrow, area, &mut epilogue);
            }
            Input::Dense(panels) => {
                let values = panels.lanes.as_numbers();
                let x = Left { values, rows: SAMPLES, depth: columns(division.batch) };
                products.multiply(s, &x, &weights, division.inputs, area, &mut epilogue);
            }
        }
    }
}

/// The axis of samples of a panel.
const SAMPLES: Axis = Axis::even(LANES);

/// The axis of columns across panels.
const fn columns(batch: usize) -> Axis {
    Axis { stride: 1, panel: LANES, panel_stride: batch * LANES }
}

/// From the bias to the activation.
struct Activate<'a, 'w> {
    bias: &'a [Lanes],
    /// That of a narrow group, which comes after those.
    narrow_bias: Option<&'a [f32; NARROW]>,
    activation: Activation,
    output: &'a mut Writer<'w>,
    first_group: usize,
    batch: usize,
}

impl<S: Simd> Epilogue<S> for Activate<'_, '_> {
    #[inline(always)]
    fn start(&self, s: S, _sample: usize, group: usize) -> S::F32 {
        match self.narrow_bias {
            Some(bias) if group == self.bias.len() => s.load_four(bias),
            _ => s.load(&self.bias[group]),
        }
    }

    #[inline(always)]
    fn finish<const N: usize>(&mut self, s: S, sample: usize, group: usize, sums: [S::F32; N]) {
        for (group, z) in (self.first_group + group..).zip(sums) {
            let y = self.activation.forward(s, z);
            s.store(y, self.output.at(group * self.batch + sample));
        }
    }
}

/// dz of the layer below: (dz · wᵀ) · activation′(y), the member's part of it.
pub(crate) struct BackwardInput<'a, 'w> {
    pub(crate) layer: &'a mut Dense,
    pub(crate) products: Products,
    pub(crate) samples: usize,
    /// The gradient of this layer's sums.
    pub(crate) gradient: &'a Reader<'a>,
    /// The layer below, its outputs, and where its gradient goes.
    pub(crate) below: Below<'a, 'w>,
}

/// What backward needs of the layer below.
pub(crate) struct Below<'a, 'w> {
    pub(crate) division: Division,
    pub(crate) activation: Activation,
    pub(crate) output: &'a Reader<'a>,
    pub(crate) gradient: &'a mut Writer<'w>,
}

impl Kernel for BackwardInput<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { layer, products, samples, gradient, below } = self;
        let Dense { division, weights, transposed, cells, member, .. } = layer;
        let part = below.division.part(*member, samples);
        if part.groups.is_empty() || part.samples.is_empty() {
            return;
        }
        let width = part.groups.len();
        if division.owns_rows(&below.division) {
            let own = division.block_rows(&division.part(*member, samples), *cells);
            let state = (weights.own(own.clone()), own.start);
            transpose(s, division, state, *cells, &part, transposed);
        } else {
            transpose(s, division, (&weights.read(), 0), *cells, &part, transposed);
        }
        let dz =
            Left { values: gradient.as_numbers(), rows: SAMPLES, depth: columns(division.batch) };
        let right = Right::of_lanes(transposed, width, 1);
        let mut epilogue = Deactivate {
            activation: below.activation,
            output: below.output,
            gradient: below.gradient,
            first_group: part.groups.start,
            batch: division.batch,
        };
        let area = Area { rows: part.samples, groups: 0..width };
        products.multiply(s, &dz, &right, division.units, area, &mut epilogue);
    }
}

/// Lays the rows of weights that the groups of inputs of `part` have out as units × groups. `state`
/// begins at the lane `first` of all weights.
#[inline(always)]
fn transpose<S: Simd>(
    s: S,
    division: &Division,
    (state, first): (&[Lanes], usize),
    cells: usize,
    part: &Part,
    transposed: &mut [Lanes],
) {
    let width = part.groups.len();
    for (column, input_group) in part.groups.clone().enumerate() {
        let inputs = input_group * LANES..division.inputs.min((input_group + 1) * LANES);
        for (group, units) in transposed.chunks_mut(width * LANES).enumerate() {
            let mut square = [s.zero(); LANES];
            let places = division.places(group, cells);
            debug_assert!(places.row.is_multiple_of(LANES), "a narrow layer has none below");
            for (weights, row) in square.iter_mut().zip(inputs.clone()) {
                *weights = s.load(&state[(places.first + row * places.row) / LANES - first]);
            }
            for (unit, weights) in units.chunks_exact_mut(width).zip(s.transpose(square)) {
                s.store(weights, &mut unit[column]);
            }
        }
    }
}

/// From zero through the activation's derivative.
struct Deactivate<'a, 'w> {
    activation: Activation,
    output: &'a Reader<'a>,
    gradient: &'a mut Writer<'w>,
    first_group: usize,
    batch: usize,
}

impl<S: Simd> Epilogue<S> for Deactivate<'_, '_> {
    #[inline(always)]
    fn start(&self, s: S, _sample: usize, _group: usize) -> S::F32 {
        s.zero()
    }

    #[inline(always)]
    fn finish<const N: usize>(&mut self, s: S, sample: usize, group: usize, sums: [S::F32; N]) {
        for (group, dy) in (self.first_group + group..).zip(sums) {
            let at = group * self.batch + sample;
            let y = s.load(&self.output[at]);
            let dz = self.activation.backward(s, y, dy);
            s.store(dz, self.gradient.at(at));
        }
    }
}

/// dw = xᵀ · dz and db = Σ dz, which `rule` turns into new weights while they are at hand: the
/// member's part.
pub(crate) struct Update<'a, R> {
    pub(crate) layer: &'a mut Dense,
    pub(crate) products: Products,
    pub(crate) input: &'a Transposed<'a>,
    /// The gradient of this layer's sums, of the member's own groups of units from the first on.
    pub(crate) gradient: &'a [Lanes],
    pub(crate) rule: R,
}

impl<R: Rule> Kernel for Update<'_, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { layer, products, input, gradient, rule } = self;
        let Dense { division, weights, room, narrow_gradients, cells, member, .. } = layer;
        let (batch, samples) = (division.batch, input.samples());
        let part = division.part(*member, samples);
        let mut writer = weights.write();
        if part.groups.is_empty() {
            return;
        }
        let width = division.width(&part);
        let dz = Right::of_lanes(gradient, 1, batch);
        let state = writer.lanes(division.block_rows(&part, *cells));
        let (state, narrow_state) = state.split_at_mut(part.rows.len() * width * *cells);
        let narrow = division.has_narrow(&part).then_some(&mut narrow_gradients[..]);
        let mut epilogue = Learn { state, width, first_row: part.rows.start, narrow, rule };
        let rows = part.rows.start.min(division.inputs)..part.rows.end.min(division.inputs);
        let area = Area { rows, groups: 0..part.groups.len() };
        match input {
            Transposed::Sparse(images) => {
                let area = (area, epilogue.narrow.is_some());
                sparse::gradient(s, images, &dz, area, room, &mut epilogue);
            }
            Transposed::Dense(panels) => {
                let values = panels.lanes.as_numbers();
                let x = Left { values, rows: columns(batch), depth: SAMPLES };
                products.multiply(s, &x, &dz, samples, area, &mut epilogue);
            }
        }
        if part.rows.contains(&division.inputs) {
            for group in 0..part.groups.len() {
                let samples = &gradient[group * batch..][..samples];
                let sum = samples.iter().fold(s.zero(), |sum, dz| s.add(sum, s.load(dz)));
                epilogue.finish(s, division.inputs, group, [sum]);
            }
        }
        if let Some(gradients) = epilogue.narrow {
            let width = gradients.len();
            for (index, gradient) in gradients.iter().enumerate() {
                rule.update(s, [s.load(gradient)], narrow_state, width, index);
            }
        }
    }
}

/// From zero to the optimiser; for a narrow group, to a list of gradients.
struct Learn<'a, R> {
    state: &'a mut [Lanes],
    /// Whole groups of a row.
    width: usize,
    first_row: usize,
    /// Where the gradients of a narrow group go, which comes after those: laid out as its weights.
    narrow: Option<&'a mut [Lanes]>,
    rule: R,
}

impl<S: Simd, R: Rule> Epilogue<S> for Learn<'_, R> {
    #[inline(always)]
    fn start(&self, s: S, _row: usize, _group: usize) -> S::F32 {
        s.zero()
    }

    #[inline(always)]
    fn finish<const N: usize>(&mut self, s: S, row: usize, group: usize, sums: [S::F32; N]) {
        let width = self.width;
        if let (true, Some(gradients), [sum]) = (group == width, &mut self.narrow, &sums[..]) {
            // The other lanes stand where the next rows' will, which come later.
            let (room, _) = as_numbers_mut(gradients)[row * NARROW..].as_chunks_mut();
            s.store_unaligned(*sum, &mut room[0]);
            return;
        }
        let start = (row - self.first_row) * width * R::CELLS;
        let row = &mut self.state[start..start + width * R::CELLS];
        self.rule.update(s, sums, row, width, group);
    }
}
