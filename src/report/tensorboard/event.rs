//! What an event file tells, as protocol buffers: the parts of TensorFlow's `Event` and `Summary`
//! that scalars and images need.

use prost::Message;

/// Something that happened in a run.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Event {
    /// When, in seconds since 1970.
    #[prost(double, tag = "1")]
    pub(super) wall_time: f64,
    /// After which step or epoch.
    #[prost(int64, tag = "2")]
    pub(super) step: i64,
    /// The format of the file, in its first event alone.
    #[prost(string, optional, tag = "3")]
    pub(super) file_version: Option<String>,
    /// What there is to be shown.
    #[prost(message, optional, tag = "5")]
    pub(super) summary: Option<Summary>,
}

/// What there is to be shown of an event.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Summary {
    #[prost(message, repeated, tag = "1")]
    pub(super) values: Vec<Value>,
}

/// A number or a picture, and its name.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    number: Option<f32>,
    #[prost(message, optional, tag = "4")]
    image: Option<Image>,
}

/// A picture.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Image {
    #[prost(int32, tag = "1")]
    pub(super) height: i32,
    #[prost(int32, tag = "2")]
    pub(super) width: i32,
    /// How many numbers a pixel has.
    #[prost(int32, tag = "3")]
    pub(super) colours: i32,
    #[prost(bytes = "vec", tag = "4")]
    pub(super) png: Vec<u8>,
}

impl Value {
    /// A number.
    pub(super) fn scalar(tag: &str, number: f64) -> Self {
        Self { tag: tag.into(), number: Some(number as f32), image: None }
    }

    /// A picture.
    pub(super) fn image(tag: &str, image: Image) -> Self {
        Self { tag: tag.into(), number: None, image: Some(image) }
    }
}
