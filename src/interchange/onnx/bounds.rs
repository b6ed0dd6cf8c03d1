//! How much a file may hold beside its weights.
//!
//! A message of two bytes becomes a record of some hundred in memory. So before a file is decoded, the
//! bytes that are no numbers of tensors are counted.

use super::OnnxProblem;

/// The most bytes beside the numbers of tensors.
const MOST: usize = 1 << 20;

/// The fields that matter, by their messages.
const MODEL_GRAPH: u64 = 7;
const GRAPH_INITIALIZER: u64 = 5;
const TENSOR_FLOAT_DATA: u64 = 4;
const TENSOR_RAW_DATA: u64 = 9;

/// Checks that the ONNX file `bytes` has little beside the numbers of tensors.
///
/// # Errors
/// When it has more, or is not made of messages.
pub(super) fn check(bytes: &[u8]) -> Result<(), OnnxProblem> {
    let mut beside = 0;
    for_each_field(bytes, &mut beside, &mut |field, message, beside| {
        let is_graph = field == MODEL_GRAPH;
        let Some(graph) = message.filter(|_| is_graph) else { return Ok(false) };
        for_each_field(graph, beside, &mut |field, message, beside| {
            let is_tensor = field == GRAPH_INITIALIZER;
            let Some(tensor) = message.filter(|_| is_tensor) else { return Ok(false) };
            for_each_field(tensor, beside, &mut |field, message, _| {
                let is_data = [TENSOR_FLOAT_DATA, TENSOR_RAW_DATA].contains(&field);
                Ok(is_data && message.is_some())
            })?;
            Ok(true)
        })?;
        Ok(true)
    })
}

/// What is asked of a field: its number, its bytes if it has some of its own, and the count; whether
/// what is in it was counted, or need not be.
type Visit<'v> = &'v mut dyn FnMut(u64, Option<&[u8]>, &mut usize) -> Result<bool, OnnxProblem>;

/// Goes through the fields of the message `bytes`, and adds to `beside` what they take that `visit` does
/// not see to.
fn for_each_field(
    mut bytes: &[u8],
    beside: &mut usize,
    visit: Visit<'_>,
) -> Result<(), OnnxProblem> {
    while !bytes.is_empty() {
        let len = bytes.len();
        let key = varint(&mut bytes)?;
        let message = match key & 7 {
            0 => varint(&mut bytes).map(|_| None)?,
            1 => take(&mut bytes, 8).map(|_| None)?,
            2 => {
                let len = usize::try_from(varint(&mut bytes)?).unwrap_or(usize::MAX);
                Some(take(&mut bytes, len)?)
            }
            5 => take(&mut bytes, 4).map(|_| None)?,
            _ => return Err(OnnxProblem::Malformed),
        };
        let whole = len - bytes.len();
        let content = message.map_or(0, <[u8]>::len);
        let is_seen_to = visit(key >> 3, message, beside)?;
        *beside += if is_seen_to { whole - content } else { whole };
        if *beside > MOST {
            return Err(OnnxProblem::TooMuchBeside { most: MOST });
        }
    }
    Ok(())
}

/// The number of seven bits a byte at the start of `bytes`, which begin after it from then on.
fn varint(bytes: &mut &[u8]) -> Result<u64, OnnxProblem> {
    let mut number = 0;
    for place in 0..10 {
        let [byte] = *take(bytes, 1)? else { return Err(OnnxProblem::Malformed) };
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Ok(number);
        }
    }
    Err(OnnxProblem::Malformed)
}

/// The first `len` of `bytes`, which begin after them from then on.
fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Result<&'a [u8], OnnxProblem> {
    let (taken, rest) = bytes.split_at_checked(len).ok_or(OnnxProblem::Malformed)?;
    *bytes = rest;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;
    use crate::interchange::onnx::messages::{GraphProto, ModelProto, NodeProto, TensorProto};

    fn file(nodes: usize, numbers: usize) -> Vec<u8> {
        let tensor = TensorProto { raw_data: Some(vec![0; numbers]), ..TensorProto::default() };
        let node = vec![NodeProto::default(); nodes];
        let graph = GraphProto { node, initializer: vec![tensor], ..GraphProto::default() };
        ModelProto { graph: Some(graph), ..ModelProto::default() }.encode_to_vec()
    }

    #[test]
    fn weights_are_not_counted_and_all_else_is() {
        assert!(check(&file(1000, 4 * MOST)).is_ok());
        assert!(matches!(check(&file(MOST / 2, 0)), Err(OnnxProblem::TooMuchBeside { .. })));
        let mut cut = file(3, 100);
        cut.pop();
        assert!(matches!(check(&cut), Err(OnnxProblem::Malformed)));
    }
}
