//! A minibatch that is shorter than the one before it leaves nothing of that behind.

mod generated;

use generated::{engine, images};
use mnistry::image::ImageShape;
use mnistry::{Activation, FitOptions, Network, NoObserver, Optimizer, Sequential, Sgd, Split};

const SHAPE: ImageShape = ImageShape { height: 7, width: 6 };

/// A network whose first layers see images: sixteen samples at a time, one a lane.
fn convolutional() -> Network {
    let layers = Sequential::new(SHAPE)
        .conv2d(3, 3, Activation::Sigmoid)
        .average_pool(2)
        .conv2d(4, 2, Activation::Relu)
        .flatten()
        .dense(9, Activation::Relu)
        .dense(4, Activation::Softmax);
    generated::network(layers, 1)
}

fn dense() -> Network {
    let layers = Sequential::new(SHAPE).dense(20, Activation::Relu).dense(4, Activation::Softmax);
    generated::network(layers, 1)
}

/// An epoch of plain descent in order.
fn epoch(threads: usize, network: &mut Network, split: &Split, batch_size: usize) {
    let optimizer = Optimizer::Sgd(Sgd { learning_rate: 0.5, momentum: 0.0 });
    let options =
        FitOptions { epochs: 1, batch_size, optimizer, shuffle: false, ..FitOptions::default() };
    engine(threads).fit(network, split, &options, &mut NoObserver).expect("a sound run");
}

#[test]
fn a_short_last_minibatch_is_a_step_of_its_samples_alone() {
    const BATCH: usize = 32;
    // What is left is less than a sixteen, more than one, or all but one sample.
    for left in [1, 8, 17, 31] {
        let all = images(SHAPE, BATCH + left, 4, left as u64);
        let (first, last) = all.split_at(BATCH).expect("some on both sides");
        for (network, threads) in
            [convolutional(), dense()].iter().flat_map(|n| [(n, 1), (n, 2), (n, 3)])
        {
            let [mut together, mut apart] = [network.clone(), network.clone()];
            epoch(threads, &mut together, &all, BATCH);
            epoch(threads, &mut apart, &first, BATCH);
            assert!(together != apart, "the last samples move nothing");
            epoch(threads, &mut apart, &last, left);
            assert!(together == apart, "{left} samples left, {threads} threads");
        }
    }
}
