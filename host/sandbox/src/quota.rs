//! What several cells may use together: all cells of one tenant, or all of one connector.
//!
//! What one cell may use is in [`crate::limits`]; a cell keeps to both.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::stop::Stop;

/// The figures of a [`Quota`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuotaLimits {
    /// Cells that exist at once. A call that needs one more waits for its turn, as long as a call may take.
    pub cells_max: u32,
    /// Linear memory of all of them, in bytes.
    pub memory_max_bytes: usize,
}

impl Default for QuotaLimits {
    /// 32 cells, 1 GiB.
    fn default() -> Self {
        Self {
            cells_max: 32,
            memory_max_bytes: 1 << 30,
        }
    }
}

/// A share of the machine that cells take from. Cheap to clone; clones are the same share.
#[derive(Clone, Debug)]
pub struct Quota(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: Box<str>,
    limits: QuotaLimits,
    cells: Arc<Semaphore>,
    memory_bytes: AtomicUsize,
}

impl Quota {
    /// A share by that name, which stands in errors: `tenant 4711`, `connector pipedrive`.
    pub fn new(name: &str, limits: QuotaLimits) -> Self {
        let cells = Arc::new(Semaphore::new(limits.cells_max as usize));
        Self(Arc::new(Inner {
            name: name.into(),
            limits,
            cells,
            memory_bytes: AtomicUsize::new(0),
        }))
    }

    /// Bytes of linear memory that its cells have now.
    pub fn memory_bytes(&self) -> usize {
        self.0.memory_bytes.load(Ordering::Relaxed)
    }

    /// Waits until one more cell may exist.
    pub(crate) async fn enter(&self) -> Share {
        let permit = self.0.cells.clone().acquire_owned().await;
        Share {
            quota: self.clone(),
            memory_bytes: 0,
            _permit: permit.expect("the semaphore is never closed"),
        }
    }

    /// Why a cell that waited too long for its turn was not made.
    pub(crate) fn full(&self) -> Stop {
        Stop::Cells {
            quota: self.0.name.clone().into(),
            max: self.0.limits.cells_max,
        }
    }
}

/// What one cell has of a quota; given back when dropped.
#[derive(Debug)]
pub(crate) struct Share {
    quota: Quota,
    memory_bytes: usize,
    _permit: OwnedSemaphorePermit,
}

impl Share {
    /// Takes more memory, or says that the share has no more.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Stop> {
        let Inner {
            name,
            limits,
            memory_bytes,
            ..
        } = &*self.quota.0;
        let fits = |taken: usize| {
            taken
                .checked_add(bytes)
                .filter(|sum| *sum <= limits.memory_max_bytes)
        };
        match memory_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits) {
            Ok(_) => {
                self.memory_bytes += bytes;
                Ok(())
            }
            Err(taken) => Err(Stop::Quota {
                quota: name.clone().into(),
                wanted_bytes: taken.saturating_add(bytes),
                max_bytes: limits.memory_max_bytes,
            }),
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.quota
            .0
            .memory_bytes
            .fetch_sub(self.memory_bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn cells_of_one_share_have_one_memory_and_give_it_back() {
        let limits = QuotaLimits {
            cells_max: 2,
            memory_max_bytes: 100,
        };
        let quota = Quota::new("tenant 1", limits);
        let (mut first, mut second) = (quota.enter().await, quota.enter().await);
        first.grow(60).unwrap();
        let refused = Stop::Quota {
            quota: "tenant 1".into(),
            wanted_bytes: 120,
            max_bytes: 100,
        };
        assert_eq!(second.grow(60), Err(refused));
        assert_eq!(quota.memory_bytes(), 60);
        drop(first);
        assert_eq!(quota.memory_bytes(), 0);
        second.grow(100).unwrap();
    }

    #[tokio::test]
    async fn a_cell_too_many_waits_until_one_is_gone() {
        let limits = QuotaLimits {
            cells_max: 1,
            ..QuotaLimits::default()
        };
        let quota = Quota::new("tenant 1", limits);
        let first = quota.enter().await;
        let mut second = Box::pin(quota.enter());
        let waits = std::future::poll_fn(|context| {
            std::task::Poll::Ready(second.as_mut().poll(context).is_pending())
        });
        assert!(waits.await);
        drop(first);
        drop(second.await);
    }
}
