//! What a component of another language holds of its surroundings: the two streams that go into the trace, and things to wait for.
//!
//! The functions on them are in `wasi`.

#![expect(
    unreachable_pub,
    reason = "the generated bindings export the types of resources, and are private themselves"
)]

use tokio::time::Instant;

/// Where a stream's text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStream {
    Stdout,
    Stderr,
}

/// When a wait ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pollable {
    Ready,
    At(Instant),
    /// Later than any clock goes; the call's deadline comes first.
    Never,
}

/// Nobody gives a component a stream to read from.
#[derive(Debug)]
pub enum InputStream {}

/// No stream here fails.
#[derive(Debug)]
pub enum StreamFailure {}

/// The start of a line, until its end comes.
#[derive(Debug, Default)]
pub(crate) struct LineBuffer(Vec<u8>);

/// A line without end is cut here.
const LINE_MAX_BYTES: usize = 2_000;

impl LineBuffer {
    /// Takes text and hands on each line that has ended with it, without its end. Bytes that are not UTF-8 are replaced.
    pub(crate) fn write(&mut self, bytes: &[u8], mut emit: impl FnMut(&str)) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            for piece in part.chunks(LINE_MAX_BYTES) {
                self.0.extend_from_slice(piece);
                if self.0.ends_with(b"\n") || self.0.len() >= LINE_MAX_BYTES {
                    self.end(&mut emit);
                }
            }
        }
    }

    /// Hands on what has no end yet.
    pub(crate) fn end(&mut self, mut emit: impl FnMut(&str)) {
        let line = String::from_utf8_lossy(&self.0);
        let line = line.trim_end();
        if !line.is_empty() {
            emit(line);
        }
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_and_a_line_without_end_is_cut() {
        let (mut buffer, mut lines) = (LineBuffer::default(), Vec::new());
        for text in ["Trace", "back:\n  in x\n\nend", "less"] {
            buffer.write(text.as_bytes(), |line| lines.push(line.to_owned()));
        }
        assert_eq!(lines, ["Traceback:", "  in x"]);
        buffer.end(|line| lines.push(line.to_owned()));
        assert_eq!(lines.pop().unwrap(), "endless");
        let mut cut = 0;
        buffer.write(&[b'x'; 5_000], |line| cut += line.len());
        assert_eq!(cut, 4_000);
        buffer.write(b"\xff\n", |line| assert!(line.ends_with('\u{fffd}')));
    }
}
