//! What has changed, counted. A response is valid for as long as the generation of what it shows is the one
//! that was current before its query, so nothing is searched for and removed when something changes.

use uuid::Uuid;

/// What a response shows, or what a write has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Nothing that anonymous clients read.
    Nothing,
    /// One resource and what belongs to it: a post with its comments and likes.
    Resource(Uuid),
    Everything,
}

/// How much had changed before a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation(pub(super) u64);

/// How many counters the resources share. Two that share one are invalidated together, which does no harm.
const COUNTERS: usize = 4096;

pub(super) struct Generations {
    anything: u64,
    everything: u64,
    /// Count changes of single resources, by the end of the id, which is random.
    resources: Vec<u64>,
}

impl Generations {
    pub(super) fn new() -> Self {
        Self { anything: 0, everything: 0, resources: vec![0; COUNTERS] }
    }

    /// To be read before a query.
    pub(super) fn current(&self) -> Generation {
        Generation(self.anything)
    }

    /// Changes whenever what a response of this scope shows has changed.
    pub(super) fn of(&self, scope: Scope) -> Generation {
        Generation(match scope {
            Scope::Nothing => 0,
            Scope::Resource(id) => self.everything + self.resources[counter(id)],
            Scope::Everything => self.anything,
        })
    }

    pub(super) fn advance(&mut self, scope: Scope) {
        self.anything += 1;
        match scope {
            Scope::Nothing => {}
            Scope::Resource(id) => self.resources[counter(id)] += 1,
            Scope::Everything => self.everything += 1,
        }
    }
}

fn counter(id: Uuid) -> usize {
    id.as_u128() as usize % COUNTERS
}
