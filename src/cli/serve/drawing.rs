//! A picture that the page sends, and what a network reads in it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mnistry::data::ClassNames;
use mnistry::image::{Error as ImageError, Picture};
use mnistry::reading::{self, Reader, Reading};
use mnistry::{Engine, Network};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;

use super::refusal::Refusal;
use super::site::Site;
use crate::cli::common::in_a_row;

/// The most bytes of a picture,
const MOST_BYTES: usize = 32 << 20;
/// from so many on it is a large one,
const LARGE: u64 = 1 << 20;
/// and so long may it take to come.
const WITHIN: Duration = Duration::from_secs(30);

/// Of more classes than this the most probable are shown.
const BARS: usize = 10;

/// Which network is asked.
#[derive(Deserialize)]
pub(super) struct Asked {
    model: String,
}

/// What is read in a picture.
#[derive(Serialize)]
pub(super) struct Answer {
    /// All digits in turn.
    text: String,
    digits: Vec<ReadDigit>,
    /// What the network's classes are called, in order.
    class_names: Vec<String>,
    /// Why nothing is read, in a picture without digits.
    problem: Option<String>,
    milliseconds: f64,
}

/// A digit, and what the network says of it.
#[derive(Serialize)]
struct ReadDigit {
    class_name: String,
    probability: f32,
    is_unsure: bool,
    /// The classes, or the most probable of many.
    bars: Vec<Bar>,
    /// What the network sees, as a data URI.
    image: String,
}

#[derive(Serialize)]
struct Bar {
    class_name: String,
    probability: f32,
}

/// `POST /read?model=NAME`, with a picture: what the network reads in it.
pub(super) async fn read(
    State(site): State<Arc<Site>>,
    asked: Result<Query<Asked>, QueryRejection>,
    body: Body,
) -> Result<Json<Answer>, Refusal> {
    let Query(Asked { model }) = asked?;
    let picture = Sent::receive(&site, body).await?;
    let answer = site.work(move |site| {
        let started = Instant::now();
        let network = site.network(&model)?;
        let readings = readings(&site.engine, &network, &picture.bytes);
        let names = network.names_of_classes();
        let (readings, problem) = match readings {
            Ok(readings) => (readings, None),
            Err(reading::Error::Image(error @ ImageError::NoDigit)) => {
                (Vec::new(), Some(error.to_string()))
            }
            Err(error) => return Err(Refusal::unusable(error)),
        };
        let digits = readings.iter().map(|reading| ReadDigit::new(reading, &names));
        let digits = digits.collect::<Result<Vec<_>, _>>()?;
        let read: Vec<_> = digits.iter().map(|digit| &*digit.class_name).collect();
        let text = in_a_row(&read);
        let milliseconds = 1e3 * started.elapsed().as_secs_f64();
        let class_names = (0..names.len()).map(|class| names.name(class).into_owned()).collect();
        Ok(Answer { text, digits, class_names, problem, milliseconds })
    });
    answer.await.map(Json)
}

/// A picture that was sent.
pub(super) struct Sent {
    pub(super) bytes: Bytes,
    /// Its place among the large ones, as long as it is held.
    _place: Option<OwnedSemaphorePermit>,
}

impl Sent {
    /// Waits for the picture in `body`, and before it, if it is large, for others that are.
    pub(super) async fn receive(site: &Site, body: Body) -> Result<Self, Refusal> {
        let too_long = || {
            let why = format!("the picture is cut off, or has more than {} MiB", MOST_BYTES >> 20);
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, why)
        };
        // What says that it is too long is not waited for.
        let hint = body.size_hint();
        if hint.lower() > MOST_BYTES as u64 {
            return Err(too_long());
        }
        let is_large = hint.upper().is_none_or(|bytes| bytes > LARGE);
        let received = async {
            let place = match is_large {
                true => Some(Arc::clone(&site.large).acquire_owned().await),
                false => None,
            };
            let place = place.transpose().map_err(Refusal::failed)?;
            let bytes = to_bytes(body, MOST_BYTES).await.map_err(|_| too_long())?;
            Ok(Self { bytes, _place: place })
        };
        let too_slow =
            |_| Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "the picture took too long to come"));
        tokio::time::timeout(WITHIN, received).await.unwrap_or_else(too_slow)
    }
}

/// What `network` reads in the picture file `bytes`, through the same way as `predict`.
pub(super) fn readings(
    engine: &Engine,
    network: &Network,
    bytes: &[u8],
) -> Result<Vec<Reading>, reading::Error> {
    Reader::new(engine, network).read(&Picture::decode(bytes)?)
}

impl ReadDigit {
    fn new(reading: &Reading, names: &ClassNames) -> Result<Self, Refusal> {
        let Reading { digit, prediction, is_unsure, .. } = reading;
        let png = digit.image.to_png().map_err(Refusal::failed)?;
        let probabilities = &prediction.probabilities;
        let mut classes: Vec<_> = (0..probabilities.len()).collect();
        if classes.len() > BARS {
            classes.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
            classes.truncate(BARS);
        }
        let name = |class| names.name(class).into_owned();
        let bar =
            |class| Bar { class_name: name(class), probability: prediction.probabilities[class] };
        Ok(Self {
            class_name: name(prediction.class),
            probability: prediction.probability(),
            is_unsure: *is_unsure,
            bars: classes.into_iter().map(bar).collect(),
            image: format!("data:image/png;base64,{}", STANDARD.encode(png)),
        })
    }
}
