//! Views of plain matrices.

/// A matrix to be read: `rows` × `columns` numbers, element (i, j) at
/// `i · row_stride + j · column_stride`.
#[derive(Clone, Copy, Debug)]
pub struct MatrixRef<'a> {
    pub(super) values: &'a [f32],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
}

impl<'a> MatrixRef<'a> {
    /// A row-major matrix whose rows begin `row_stride` numbers apart.
    ///
    /// # Panics
    /// When rows overlap or `values` is too short.
    #[must_use]
    pub fn new(values: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        let values = &values[..checked_length(values.len(), rows, columns, row_stride)];
        Self { values, rows, columns, row_stride, column_stride: 1 }
    }

    /// The same without its first `count` rows.
    pub(super) fn skip_rows(self, count: usize) -> Self {
        let values = self.values.get(count * self.row_stride..).unwrap_or(&[]);
        Self { values, rows: self.rows - count, ..self }
    }

    /// The transposed matrix: columns × rows.
    #[must_use]
    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// A row-major matrix to be written.
#[derive(Debug)]
pub struct MatrixMut<'a> {
    pub(super) values: &'a mut [f32],
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) row_stride: usize,
}

impl<'a> MatrixMut<'a> {
    /// A row-major matrix whose rows begin `row_stride` numbers apart.
    ///
    /// # Panics
    /// When rows overlap or `values` is too short.
    #[must_use]
    pub fn new(values: &'a mut [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        let length = checked_length(values.len(), rows, columns, row_stride);
        Self { values: &mut values[..length], rows, columns, row_stride }
    }

    /// Panics where this is not the shape of `a` · `b`, or there is no such product.
    pub(super) fn check_shapes(&self, a: MatrixRef<'_>, b: MatrixRef<'_>) {
        assert_eq!(a.columns, b.rows, "A has not as many columns as B has rows");
        assert_eq!((a.rows, b.columns), (self.rows, self.columns), "C has not the shape of A · B");
    }
}

/// How many of `length` numbers a matrix takes up.
fn checked_length(length: usize, rows: usize, columns: usize, row_stride: usize) -> usize {
    assert!(
        row_stride >= columns,
        "rows of {columns} numbers do not fit a row stride of {row_stride}"
    );
    let needed = if rows == 0 {
        Some(0)
    } else {
        row_stride.checked_mul(rows - 1).and_then(|n| n.checked_add(columns))
    };
    needed
        .filter(|&needed| needed <= length)
        .unwrap_or_else(|| panic!("{rows} × {columns} numbers do not fit the slice"))
}
