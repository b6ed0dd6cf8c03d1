//! The `mnistry` program.
use mnistry::*;
fn main() {
    let rd = |n: &str, o| std::fs::read(format!("/tmp/mn/{n}")).unwrap()[o..].to_vec();
    let shape = data::ImageShape { height: 28, width: 28 };
    let train = Split::new(
        shape,
        rd("train-images-idx3-ubyte", 16).into(),
        rd("train-labels-idx1-ubyte", 8).into(),
    )
    .unwrap();
    let test = Split::new(
        shape,
        rd("t10k-images-idx3-ubyte", 16).into(),
        rd("t10k-labels-idx1-ubyte", 8).into(),
    )
    .unwrap();
    let engine = Engine::new(EngineOptions::default()).unwrap();
    let t = std::time::Instant::now();
    if false {};
    let mut net = Network::new(
        Sequential::new(shape).dense(100, Activation::Relu).dense(10, Activation::Sigmoid),
        0,
    )
    .unwrap();
    let h = engine.fit(&mut net, &train, &FitOptions::default(), &mut Silent).unwrap();
    println!("{h:?} {:?}", t.elapsed());
    let e = engine.evaluate(&net, &test).unwrap();
    println!("{} {} {:?}", e.loss, e.accuracy(), e.confusion);
    println!("{:?}", engine.predict(&net, test.image(0)).unwrap());
    net.save("/tmp/m.safetensors").unwrap();
    assert_eq!(Network::load("/tmp/m.safetensors").unwrap(), net);
    for name in ["short", "seed"] {
        let dir = format!("/work/shared/golden/{name}");
        let arch =
            Sequential::new(shape).dense(100, Activation::Relu).dense(10, Activation::Sigmoid);
        let mut net =
            Network::with_tensors_of(format!("{dir}/init.safetensors"), arch.clone()).unwrap();
        let end = Network::with_tensors_of(format!("{dir}/final.safetensors"), arch).unwrap();
        struct O(usize);
        impl train::Observer for O {
            fn step(&mut self, p: &train::Progress) -> train::Flow {
                self.0 += 1;
                if self.0 < 4 {
                    println!("{}", p.loss)
                }
                train::Flow::Continue
            }
        }
        let limit = if name == "short" { 3210 } else { 60000 };
        let epochs = if name == "short" { 1 } else { 2 };
        let h = engine
            .fit(
                &mut net,
                &train.take(limit).unwrap(),
                &FitOptions { epochs, shuffle: false, ..Default::default() },
                &mut O(0),
            )
            .unwrap();
        println!("{h:?} {}", engine.evaluate(&net, &test).unwrap().accuracy());
        for (a, b) in net.tensors().iter().zip(end.tensors()) {
            let d: f32 = a.values.iter().zip(&b.values).map(|(a, b)| (a - b) * (a - b)).sum();
            let n: f32 = b.values.iter().map(|b| b * b).sum();
            println!("{} {}", a.name, (d / n).sqrt());
        }
    }
}
