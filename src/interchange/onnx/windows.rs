//! Windows of nodes that slide over images.

use super::NodeProblem;
use super::channels::Image;
use super::graph::Node;
use crate::kernels::conv::Steps;
use crate::model::{Padding, Window};

/// A window, and how far it moves.
#[derive(Clone, Copy)]
pub(super) struct Sliding {
    pub(super) window: Window,
    pub(super) stride: Window,
}

impl Sliding {
    /// What it leaves of `image`, with as many channels.
    pub(super) fn leave(
        self,
        image: Image,
        channels: usize,
        padding: Padding,
    ) -> Result<Image, NodeProblem> {
        let [rows, columns] = self.steps(image, padding).ok_or(NodeProblem::Window)?;
        Ok(Image { height: rows.count, width: columns.count, channels })
    }

    /// Its positions along rows and columns.
    fn steps(self, image: Image, padding: Padding) -> Option<[Steps; 2]> {
        let Self { window, stride } = self;
        if [window.height, window.width, stride.height, stride.width].contains(&0) {
            return None;
        }
        let rows = Steps::new(image.height, window.height, stride.height, padding)?;
        Some([rows, Steps::new(image.width, window.width, stride.width, padding)?])
    }

    /// How far its first and last positions lie outside an `image` that is padded as Keras does.
    fn pads(self, image: Image) -> Option<[usize; 4]> {
        let [rows, columns] = self.steps(image, Padding::Same)?;
        Some([rows.before, columns.before, rows.after, columns.after])
    }
}

/// A window of that height and width.
pub(super) fn rectangle(height: usize, width: usize) -> Window {
    Window { height, width }
}

/// The two sizes `name` of `node`, if they are said.
pub(super) fn window(node: Node<'_>, name: &str) -> Result<Option<Window>, NodeProblem> {
    let Some(sizes) = node.ints(name) else { return Ok(None) };
    let refused = || NodeProblem::Value {
        attribute: format!("{name} {sizes:?}"),
        expected: "two sizes, of rows and of columns",
    };
    let [height, width] = *sizes else { return Err(refused()) };
    match (usize::try_from(height), usize::try_from(width)) {
        (Ok(height), Ok(width)) => Ok(Some(rectangle(height, width))),
        _ => Err(refused()),
    }
}

/// What `node` adds around an `image` that it slides over.
///
/// # Errors
/// When it is neither nothing nor as much as Keras adds, is said in two ways that differ, or the taps of
/// its window are apart.
pub(super) fn padding(
    node: Node<'_>,
    slides: Sliding,
    image: Image,
) -> Result<Padding, NodeProblem> {
    if let Some(dilations) = node.ints("dilations").filter(|sizes| sizes.iter().any(|&by| by != 1))
    {
        let attribute = format!("dilations {dilations:?}");
        return Err(NodeProblem::Value { attribute, expected: "neighbours in its window" });
    }
    let same = slides.pads(image).ok_or(NodeProblem::Window)?;
    let none = [0; 4];
    let pads = node.ints("pads").unwrap_or(&[0; 4]);
    let are = |sizes: [usize; 4]| pads.iter().copied().eq(sizes.map(|pad| pad as i64));
    let auto_pad = node.word("auto_pad").unwrap_or(b"NOTSET");
    let text = String::from_utf8_lossy(auto_pad);
    let added = match auto_pad {
        b"NOTSET" if are(none) => none,
        b"NOTSET" if are(same) => same,
        b"NOTSET" => return Err(NodeProblem::Padding { pads: pads.to_vec() }),
        b"VALID" => none,
        b"SAME_UPPER" => same,
        // As many zeros on both sides are the same in either way.
        b"SAME_LOWER" if same[..2] == same[2..] => same,
        _ => {
            return Err(NodeProblem::Value {
                attribute: format!("auto_pad {}", text.escape_debug()),
                expected: "zeros shared between both sides, the last one more",
            });
        }
    };
    // Where both differ, it is not said which of them counts.
    if !are(added) && pads.iter().any(|&pad| pad != 0) {
        return Err(NodeProblem::TwoPaddings { auto_pad: text.into(), pads: pads.to_vec() });
    }
    Ok(if added == none { Padding::Valid } else { Padding::Same })
}

/// Refuses a `node` that adds anything around an `image` that it pools: no pooling here does.
pub(super) fn expect_no_padding(
    node: Node<'_>,
    slides: Sliding,
    image: Image,
) -> Result<(), NodeProblem> {
    let padded =
        |attribute| Err(NodeProblem::Value { attribute, expected: "none around what it pools" });
    match padding(node, slides, image) {
        Ok(Padding::Valid) => Ok(()),
        Ok(Padding::Same) => padded("pads".into()),
        Err(NodeProblem::Padding { pads }) => padded(format!("pads {pads:?}")),
        Err(problem) => Err(problem),
    }
}
