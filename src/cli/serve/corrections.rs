//! What a person says that a digit was: it is kept as the network saw it, in a folder of pictures.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use mnistry::data::save_labelled;
use serde::{Deserialize, Serialize};

use super::drawing::{Sent, readings};
use super::refusal::Refusal;
use super::site::Site;

/// Which digit of the picture was what.
#[derive(Deserialize)]
pub(super) struct Correction {
    /// The network that read it.
    model: String,
    /// Its number among the digits read, from 0.
    digit: usize,
    /// What the class is called that it is of.
    label: String,
}

/// Where it was saved.
#[derive(Serialize)]
pub(super) struct Saved {
    file: PathBuf,
    /// The folder that `train --data` reads.
    folder: PathBuf,
}

/// `POST /corrections?model=NAME&digit=N&label=CLASS`, with the picture that was read: saves that
/// digit of it.
pub(super) async fn save(
    State(site): State<Arc<Site>>,
    correction: Result<Query<Correction>, QueryRejection>,
    body: Body,
) -> Result<Json<Saved>, Refusal> {
    let Query(Correction { model, digit, label }) = correction?;
    let picture = Sent::receive(&site, body).await?;
    let saved = site.work(move |site| {
        let network = site.network(&model)?;
        let names = network.names_of_classes();
        if !(0..names.len()).any(|class| names.name(class) == label) {
            return Err(Refusal::unusable(format!("the network has no class {label}")));
        }
        let readings =
            readings(&site.engine, &network, &picture.bytes).map_err(Refusal::unusable)?;
        let image = readings.get(digit).map(|reading| &reading.digit.image);
        let image = image.ok_or_else(|| Refusal::unusable("the picture has no such digit"))?;
        let folder = site.corrections.clone();
        let file = save_labelled(&folder, &label, image).map_err(Refusal::failed)?;
        Ok(Saved { file, folder })
    });
    saved.await.map(Json)
}
