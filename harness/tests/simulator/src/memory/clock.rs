//! Vector clocks: what comes before what. An agent is a warp, the matrix unit of a warpgroup, or a barrier on whose
//! phases asynchronous copies complete.

/// Of each agent, the time up to which its accesses come before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clock(Vec<u32>);

impl Clock {
    /// Time of an agent, 0 where nothing of it is known.
    pub fn at(&self, agent: usize) -> u32 {
        self.0.get(agent).copied().unwrap_or(0)
    }

    /// Sets an agent's time where it is later.
    pub fn raise(&mut self, agent: usize, time: u32) {
        if self.0.len() <= agent {
            self.0.resize(agent + 1, 0);
        }
        self.0[agent] = self.0[agent].max(time);
    }

    /// What either knows.
    pub fn join(&mut self, other: &Self) {
        for (agent, time) in other.0.iter().enumerate() {
            self.raise(agent, *time);
        }
    }

    /// What both know.
    pub fn meet(&mut self, other: &Self) {
        for (agent, time) in self.0.iter_mut().enumerate() {
            *time = (*time).min(other.at(agent));
        }
    }
}

/// What a warp may rely on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// What comes before.
    pub order: Clock,
    /// Of that, what a fence has shown to the asynchronous proxy: PTX ISA 8, proxies.
    pub fenced: Clock,
}

impl Known {
    /// What either knows.
    pub fn join(&mut self, other: &Self) {
        self.order.join(&other.order);
        self.fenced.join(&other.fenced);
    }

    /// What both know.
    pub fn meet(&mut self, other: &Self) {
        self.order.meet(&other.order);
        self.fenced.meet(&other.fenced);
    }
}
