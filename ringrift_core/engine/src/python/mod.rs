//! The PyO3 face, `ringrift_core._engine`.

use pyo3::prelude::*;

/// The native rules engine of RingRift.
#[pymodule]
fn _engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))
}
