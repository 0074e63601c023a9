//! Files and folders of traces.

use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use rayon::prelude::*;

use super::report::{Difference, Report};
use super::text::conform_text;
use crate::error::Error;
use crate::setup::Profile;

/// Replays trace files (`.jsonl`, `.jsonl.gz`), position files and folders of them, on all threads. The result does not
/// depend on the number of threads. A path that does not exist, cannot be read or holds no such file is named in
/// `unreadable`; the others are replayed.
pub fn conform(paths: &[PathBuf], profile: Profile) -> Report {
    let (mut files, mut report) = (Vec::new(), Report::default());
    for path in paths {
        let before = files.len();
        if let Err(error) = collect(path, true, &mut files) {
            report.unreadable.push(error);
        } else if files.len() == before {
            report.unreadable.push(Error::new(path.display().to_string(), "holds no .jsonl or .jsonl.gz file"));
        }
    }
    let reports: Vec<Report> = files.par_iter().map(|file| conform_file(file, profile)).collect();
    reports.into_iter().fold(report, Report::add)
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::new(path.display().to_string(), error.to_string())
}

fn collect(path: &Path, named: bool, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |error| unreadable(path, error);
    if path.is_dir() {
        let entries: Result<Vec<_>, _> = std::fs::read_dir(path).map_err(failed)?.collect();
        let mut entries: Vec<PathBuf> = entries.map_err(failed)?.iter().map(|entry| entry.path()).collect();
        entries.sort();
        return entries.iter().try_for_each(|entry| collect(entry, false, files));
    }
    let name = path.to_string_lossy();
    if name.ends_with(".jsonl") || name.ends_with(".jsonl.gz") || named {
        std::fs::metadata(path).map_err(failed)?;
        files.push(path.to_path_buf());
    }
    Ok(())
}

fn conform_file(path: &Path, profile: Profile) -> Report {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return Report { unreadable: vec![unreadable(path, error)], ..Report::default() },
    };
    let name = path.display().to_string();
    match unpacked(bytes) {
        Ok(text) => conform_text(&name, &text, profile),
        Err(reason) => {
            let difference = Difference::new("the file", "JSON lines, plain or gzip", reason);
            Report::default().of_mismatch(difference.at(&name, 1, "reading"))
        }
    }
}

/// The content of a file as text, unpacked if it is gzip.
fn unpacked(mut bytes: Vec<u8>) -> Result<String, String> {
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut content = Vec::new();
        MultiGzDecoder::new(&bytes[..]).read_to_end(&mut content).map_err(|error| error.to_string())?;
        bytes = content;
    }
    String::from_utf8(bytes).map_err(|error| error.to_string())
}
