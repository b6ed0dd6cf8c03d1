//! A model of Keras as an architecture.

use serde::Deserialize;
use serde_json::{Value, json};

use super::note::{Note, Notes};
use super::settings::Settings;
use super::{SCALE, chain};
use crate::image::ImageShape;
use crate::interchange::Problem;
use crate::interchange::keras::{KerasProblem, LayerProblem};
use crate::model::{Activation, Architecture, Layer, Sequential};

/// What `config.json` says.
#[derive(Deserialize)]
pub(in super::super) struct Model {
    #[serde(flatten)]
    class: Class,
    config: Value,
}

/// Of what class something is.
#[derive(Deserialize)]
struct Class {
    class_name: String,
    module: Option<String>,
    registered_name: Option<String>,
}

impl Class {
    /// What Keras calls it; nothing where it is not one of Keras's own, which another may be named as.
    fn name(&self) -> Option<&str> {
        let is_own = match &self.module {
            Some(module) => module == "keras" || module.starts_with("keras."),
            // Of the program that saved it, Keras says no module.
            None => self.registered_name.is_none(),
        };
        let is_registered_as =
            self.registered_name.as_ref().is_none_or(|it| *it == self.class_name);
        (is_own && is_registered_as).then_some(&self.class_name)
    }

    /// What its maker calls it.
    fn full_name(&self) -> String {
        let name = &self.class_name;
        match (self.name(), &self.registered_name, &self.module) {
            (Some(own), ..) => own.to_owned(),
            (None, Some(registered), _) if registered != name => registered.clone(),
            (None, _, Some(module)) => format!("{module}.{name}"),
            (None, _, None) => format!("{name} that is not Keras's own"),
        }
    }
}

/// What makes a `Sequential` or a `Functional` model.
#[derive(Deserialize)]
pub(super) struct Chain {
    pub(super) layers: Vec<LayerRecord>,
    build_input_shape: Option<Vec<Option<u64>>>,
    /// The names of what a functional model puts out, and numbers.
    pub(super) output_layers: Option<Value>,
}

/// A layer.
#[derive(Deserialize)]
pub(super) struct LayerRecord {
    #[serde(flatten)]
    class: Class,
    config: Settings,
    /// In a functional model, each time that it is used.
    pub(super) inbound_nodes: Option<Vec<Value>>,
}

impl LayerRecord {
    /// What the model calls it.
    pub(super) fn name(&self) -> &str {
        self.config.get("name").and_then(Value::as_str).unwrap_or(&self.class.class_name)
    }
}

/// The architecture that `model` describes, and how what it leaves open was understood.
///
/// # Errors
/// When it is no chain of layers, or has one that is not ours.
pub(in super::super) fn read(model: Model) -> Result<(Architecture, Vec<Note>), Problem> {
    let is_functional = match model.class.name() {
        Some("Sequential") => false,
        Some("Functional") => true,
        _ => return Err(KerasProblem::Model(model.class.full_name()).into()),
    };
    let chain: Chain = serde_json::from_value(model.config)
        .map_err(|said| KerasProblem::Json { member: "config.json", said })?;
    if is_functional {
        chain::check(&chain)?;
    }
    let mut reading = Reading::default();
    if let Some(shape) = &chain.build_input_shape {
        reading.begin(shape)?;
    }
    for (number, layer) in chain.layers.iter().enumerate() {
        let refused = |problem| KerasProblem::Layer { name: layer.name().into(), problem };
        let unknown = || refused(LayerProblem::Unknown(layer.class.full_name()));
        match layer.class.name().ok_or_else(unknown)? {
            "InputLayer" if number == 0 => {
                layer.config.check_input().map_err(refused)?;
                reading.input(&layer.config)?;
                if !reading.is_whole {
                    let notes = &mut reading.notes;
                    layer.config.note("InputLayer", layer.name(), notes).map_err(refused)?;
                }
            }
            "InputLayer" => return Err(refused(LayerProblem::SecondInput).into()),
            class => {
                reading.layer(class, &layer.config).map_err(refused)?;
                layer.config.check_known(class).map_err(refused)?;
                layer.config.note(class, layer.name(), &mut reading.notes).map_err(refused)?;
            }
        }
    }
    reading.end()
}

/// In what form numbers go from one layer of Keras to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Form {
    /// Height × width.
    #[default]
    Plane,
    /// Height × width × channels.
    Image {
        /// Numbers a position.
        channels: usize,
    },
    /// A row of numbers.
    Row,
}

/// A model of which some layers have been read.
#[derive(Default)]
struct Reading {
    /// What the model reads, once that is known: numbers a sample, and how they come.
    input: Option<(usize, Form)>,
    /// The images that these are, once that is known.
    image: Option<ImageShape>,
    is_scaled: bool,
    /// Whether the pixels are whole numbers.
    is_whole: bool,
    form: Form,
    layers: Vec<Layer>,
    /// What layers have otherwise.
    notes: Notes,
}

impl Reading {
    /// Reads an `InputLayer`.
    fn input(&mut self, settings: &Settings) -> Result<(), KerasProblem> {
        let dtype = settings.get("dtype").and_then(Value::as_str).unwrap_or_default();
        self.is_whole = dtype.contains("int");
        let shape = settings.get("batch_shape").ok_or(KerasProblem::NoInput)?;
        let shape: Vec<Option<u64>> =
            serde_json::from_value(shape.clone()).map_err(|_| KerasProblem::NoInput)?;
        self.begin(&shape)
    }

    /// Takes note of the shape of what the model reads, of which the first side is the samples.
    fn begin(&mut self, shape: &[Option<u64>]) -> Result<(), KerasProblem> {
        let sides = shape.get(1..).unwrap_or_default().iter().copied();
        let sides: Vec<u64> = sides.collect::<Option<_>>().ok_or(KerasProblem::NoInput)?;
        let side = |side: u64| usize::try_from(side).unwrap_or(usize::MAX);
        let (pixels, form) = match sides[..] {
            [height, width] => (self.see(side(height), side(width)), Form::Plane),
            [height, width, 1] => {
                (self.see(side(height), side(width)), Form::Image { channels: 1 })
            }
            [pixels] => (side(pixels), Form::Row),
            _ => return Err(KerasProblem::Input(sides)),
        };
        // What is said twice is said the same.
        if self.input.is_some_and(|input| input != (pixels, form)) {
            return Err(KerasProblem::Input(sides));
        }
        self.input = Some((pixels, form));
        self.form = form;
        Ok(())
    }

    /// Takes note that the images are of such a shape; how many pixels that is.
    fn see(&mut self, height: usize, width: usize) -> usize {
        self.image = Some(ImageShape { height, width });
        height.saturating_mul(width)
    }

    /// Reads a layer of `class`.
    fn layer(&mut self, class: &str, settings: &Settings) -> Result<(), LayerProblem> {
        let sums = "a number of one or more";
        match class {
            "Rescaling" => self.rescale(settings)?,
            "Reshape" => self.reshape(settings)?,
            "Activation" => {
                let activation = settings.activation()?;
                self.activate(activation)?;
            }
            "ReLU" => {
                let (none, zero) = (Value::Null, json!(0));
                settings.check([("negative_slope", zero.clone()), ("threshold", zero)])?;
                settings.check([("max_value", none)])?;
                self.activate(Activation::Relu)?;
            }
            "Softmax" => {
                settings.check([("axis", json!(-1))])?;
                self.activate(Activation::Softmax)?;
            }
            "Flatten" => {
                settings.check_common()?;
                self.form = Form::Row;
                self.layers.push(Layer::Flatten);
            }
            "Dropout" => {
                settings.check([("noise_shape", Value::Null)])?;
                let rate: f64 = settings.require("rate", "a share below 1")?;
                self.layers.push(Layer::Dropout { rate: rate as f32 });
            }
            "Dense" => {
                settings.check_common()?;
                if self.form != Form::Row {
                    return Err(LayerProblem::NotFlattened);
                }
                let (units, activation) =
                    (settings.require("units", sums)?, settings.activation()?);
                self.layers.push(Layer::Dense { units, activation });
            }
            "Conv2D" => {
                settings.check_common()?;
                self.check_channels()?;
                let filters = settings.require("filters", sums)?;
                self.form = Form::Image { channels: filters };
                self.layers.push(Layer::Conv2d {
                    filters,
                    kernel: settings.window("kernel_size")?,
                    stride: settings.window("strides")?,
                    padding: settings.require("padding", "valid or same")?,
                    activation: settings.activation()?,
                });
            }
            "MaxPooling2D" | "AveragePooling2D" => {
                settings.check_common()?;
                settings.check([("padding", json!("valid"))])?;
                self.check_channels()?;
                let size = settings.window("pool_size")?;
                let stride = settings.optional("strides", "height and width")?;
                let stride = stride.filter(|stride| *stride != size);
                self.layers.push(match class {
                    "MaxPooling2D" => Layer::MaxPool { size, stride },
                    _ => Layer::AveragePool { size, stride },
                });
            }
            class => return Err(LayerProblem::Unknown(class.into())),
        }
        Ok(())
    }

    /// Reads a scaling of the pixels.
    fn rescale(&mut self, settings: &Settings) -> Result<(), LayerProblem> {
        if self.is_scaled || !self.layers.is_empty() {
            return Err(LayerProblem::Rescaling);
        }
        settings.check([("offset", json!(0))])?;
        let scale: f64 = settings.require("scale", "1/255")?;
        // In `f32`, as the model computes.
        if scale as f32 != SCALE as f32 {
            let (found, read) = (scale.to_string(), "1/255".into());
            return Err(LayerProblem::Setting { name: "scale", found, read });
        }
        self.is_scaled = true;
        Ok(())
    }

    /// Reads another view of the same numbers.
    fn reshape(&mut self, settings: &Settings) -> Result<(), LayerProblem> {
        let shape = settings.get("target_shape").unwrap_or(&Value::Null);
        let refused = || LayerProblem::Reshape(shape.to_string());
        let sides: Vec<i64> = serde_json::from_value(shape.clone()).map_err(|_| refused())?;
        let pixels = self.input.map_or(0, |(pixels, _)| pixels);
        let side = |side: i64| usize::try_from(side).map_err(|_| refused());
        match sides[..] {
            [numbers] => {
                let is_pixels = self.layers.is_empty() && side(numbers) != Ok(pixels);
                if numbers != -1 && is_pixels {
                    return Err(refused());
                }
                // Ours reads a single channel row by row as it is.
                if let Form::Image { channels: 2.. } = self.form {
                    self.layers.push(Layer::Flatten);
                }
                self.form = Form::Row;
            }
            [height, width] | [height, width, 1] if self.layers.is_empty() => {
                let shape = ImageShape { height: side(height)?, width: side(width)? };
                let is_other = self.image.is_some_and(|image| image != shape);
                if is_other || shape.height.checked_mul(shape.width) != Some(pixels) {
                    return Err(refused());
                }
                self.image = Some(shape);
                let is_plane = sides.len() == 2;
                self.form = if is_plane { Form::Plane } else { Form::Image { channels: 1 } };
            }
            _ => return Err(refused()),
        }
        Ok(())
    }

    /// Reads what is applied to the sums of the layer before.
    fn activate(&mut self, applied: Activation) -> Result<(), LayerProblem> {
        match self.layers.last_mut() {
            _ if applied == Activation::Linear => Ok(()),
            Some(Layer::Dense { activation, .. } | Layer::Conv2d { activation, .. })
                if *activation == Activation::Linear =>
            {
                *activation = applied;
                Ok(())
            }
            _ => {
                let name = serde_json::to_value(applied).unwrap_or_default();
                Err(LayerProblem::Activation(name.as_str().unwrap_or_default().into()))
            }
        }
    }

    fn check_channels(&self) -> Result<(), LayerProblem> {
        match self.form {
            Form::Image { .. } => Ok(()),
            Form::Plane | Form::Row => Err(LayerProblem::NoChannels),
        }
    }

    /// The architecture of the layers that were read, and how what they leave open was understood.
    fn end(self) -> Result<(Architecture, Vec<Note>), Problem> {
        let (pixels, _) = self.input.ok_or(KerasProblem::NoInput)?;
        let mut notes = Vec::new();
        match (self.is_scaled, self.is_whole) {
            (true, _) => {}
            (false, true) => return Err(KerasProblem::NotScaled.into()),
            (false, false) => notes.push(Note::PixelsFromZeroToOne),
        }
        let input = match self.image {
            Some(image) => image,
            None => {
                let side = pixels.isqrt();
                if side.checked_mul(side) != Some(pixels) {
                    return Err(KerasProblem::Input(vec![pixels as u64]).into());
                }
                let square = ImageShape { height: side, width: side };
                notes.push(Note::SquareImages(square));
                square
            }
        };
        notes.extend(self.notes.into_list());
        let layers = self.layers;
        Ok((Architecture::new(Sequential { input, layers })?, notes))
    }
}
