//! One request through the mesh: the calls that it makes, with their times and outcomes, as bare marks.
//!
//! A mark becomes a span only when somebody wants to see it ([`crate::spans`]): a search walks thousands of requests and
//! shows twenty. Draws come from the dice of the trace in a fixed order, by the same branches, error shares and latencies
//! that the rates are solved from, so that traces and metrics tell the same story.

use crate::attempts::{NETWORK, OWN_ANSWER_MS};
use crate::flow::{Flag, Outcome};
use crate::random::Dice;
use crate::routing::{Branch, End};
use crate::solve::Solved;
use crate::world::{
    Call, Operation, OperationIndex, Place, Protocol, ServiceIndex, WorkloadIndex, World,
};

/// Marks of one trace at most. Far above what the shop makes; a generated mesh could run away.
const MAX_MARKS: usize = 2_000;
/// Share of a server's own work that it does before its first call.
const BEFORE_CALLS: f64 = 0.3;

/// Which side of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The caller's proxy.
    Client,
    /// The callee's proxy.
    Server,
}

/// A span to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark<'a> {
    /// Index of the parent mark.
    pub(crate) parent: Option<usize>,
    pub(crate) side: Side,
    /// Whose proxy reports it.
    pub(crate) owner: WorkloadIndex,
    /// The other end, if anybody is there.
    pub(crate) peer: Option<WorkloadIndex>,
    /// What is asked for.
    pub(crate) operation: OperationIndex,
    /// The Service that is called.
    pub(crate) service: ServiceIndex,
    pub(crate) subset: Option<&'a str>,
    pub(crate) start_ms: f64,
    pub(crate) duration_ms: f64,
    pub(crate) outcome: Outcome,
}

impl Mark<'_> {
    /// Whether [`pilothouse_core::trace::Span::is_error`] will say so of its span.
    pub(crate) fn is_error(&self) -> bool {
        self.outcome.failed()
            || (self.side == Side::Client && self.outcome.code >= 400)
            || self.outcome.flag != Flag::None
    }
}

/// A walked request.
#[derive(Clone, Debug)]
pub(crate) struct Walk<'a> {
    /// The root first, parents before children.
    pub(crate) marks: Vec<Mark<'a>>,
    /// First start to last end, in milliseconds.
    pub(crate) duration_ms: f64,
}

/// Walks the request of an entry operation of the gateway.
pub(crate) fn walk<'a>(
    world: &'a World,
    solved: &'a Solved,
    regime: usize,
    entry: OperationIndex,
    dice: Dice,
) -> Walk<'a> {
    let mut walker = Walker {
        world,
        solved,
        regime,
        dice,
        marks: Vec::with_capacity(32),
    };
    let operation = &world.operations[entry];
    let workloads = &world.apps[operation.app].workloads;
    let position = walker.dice.below(workloads.len());
    if let (Some(gateway), Some(call)) = (workloads.get(position), operation.calls.first()) {
        let caller = Caller {
            workload: *gateway,
            mark: None,
            gateway: true,
        };
        walker.call(call, caller, 0.0);
    }
    let end = |mark: &Mark<'_>| mark.start_ms + mark.duration_ms;
    Walk {
        duration_ms: walker.marks.iter().map(end).fold(0.0, f64::max),
        marks: walker.marks,
    }
}

struct Walker<'a> {
    world: &'a World,
    solved: &'a Solved,
    regime: usize,
    dice: Dice,
    marks: Vec<Mark<'a>>,
}

#[derive(Clone, Copy)]
struct Caller {
    workload: WorkloadIndex,
    /// Its server mark.
    mark: Option<usize>,
    /// A gateway reports one span for a request, however often it tries.
    gateway: bool,
}

/// How a call or a served request ended.
#[derive(Clone, Copy)]
struct Ended {
    outcome: Outcome,
    duration_ms: f64,
}

impl<'a> Walker<'a> {
    fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.dice.normal()).exp()
    }

    /// A call from its caller's proxy, with its tries.
    fn call(&mut self, call: &Call, caller: Caller, start: f64) -> Ended {
        let plan = self.solved.plans.of(call);
        let chosen = self.dice.pick(plan.branches.iter().map(|b| b.share));
        let Some(branch) = chosen.and_then(|index| plan.branches.get(index)) else {
            // No branch at all cannot be; an empty answer is the harmless reading.
            let protocol = self.world.app_of(call.to).protocol;
            return Ended {
                outcome: Outcome::status(protocol, 503, Flag::NoRoute),
                duration_ms: 0.0,
            };
        };
        let blank = Mark {
            parent: caller.mark,
            side: Side::Client,
            owner: caller.workload,
            peer: None,
            operation: call.to,
            service: branch.service,
            subset: branch.subset.as_deref(),
            start_ms: start,
            duration_ms: 0.0,
            outcome: Outcome::ok(self.world.app_of(call.to).protocol),
        };
        let targets = match &branch.end {
            End::Answer(outcome) => {
                let duration_ms = OWN_ANSWER_MS + branch.delay_ms;
                let ended = Ended {
                    outcome: *outcome,
                    duration_ms,
                };
                self.finish(None, blank, ended);
                return ended;
            }
            End::Reach(targets) => targets,
        };
        self.tries(branch, targets, blank, caller, start)
    }

    fn tries(
        &mut self,
        branch: &Branch,
        targets: &[(WorkloadIndex, f64)],
        blank: Mark<'a>,
        caller: Caller,
        start: f64,
    ) -> Ended {
        let deadline = branch
            .timeout_ms
            .map_or(f64::INFINITY, |limit| start + limit);
        let protocol = blank.outcome;
        let late = if protocol.grpc.is_some() {
            Outcome::grpc(14, Flag::Timeout)
        } else {
            Outcome::status(Protocol::Http, 504, Flag::Timeout)
        };
        let mut at = start;
        let mut shared = None;
        let mut left = branch.retries.attempts;
        loop {
            let picked = self.dice.pick(targets.iter().map(|(_, share)| *share));
            let target = picked.and_then(|index| targets.get(index)).map(|(w, _)| *w);
            let mark = Mark {
                start_ms: at,
                peer: target,
                ..blank
            };
            // A gateway keeps one mark for all tries.
            let index = shared.or_else(|| self.open(mark));
            if caller.gateway {
                shared = index;
            }
            let mut ended = self.one_try(&mark, index, at + branch.delay_ms);
            ended.duration_ms += branch.delay_ms;
            let patience = branch
                .retries
                .per_try_timeout_ms
                .map_or(f64::INFINITY, as_ms);
            let limit = patience.min(deadline - at);
            let overdue = ended.duration_ms > limit;
            if overdue {
                ended = Ended {
                    outcome: late,
                    duration_ms: limit.max(0.0),
                };
            }
            let last = left == 0 || at + ended.duration_ms >= deadline;
            let again = !last && branch.retries_on(ended.outcome);
            if !again && !overdue {
                ended.outcome = final_flag(ended.outcome, branch);
            }
            let whole = Ended {
                outcome: ended.outcome,
                duration_ms: at + ended.duration_ms - start,
            };
            self.finish(index, mark, if caller.gateway { whole } else { ended });
            if !again {
                return whole;
            }
            left -= 1;
            let pause = self.dice.between(0.0, as_ms(branch.retries.backoff_ms));
            at += ended.duration_ms + pause;
        }
    }

    /// The way to the callee, its answer, and the way back.
    fn one_try(&mut self, mark: &Mark<'a>, index: Option<usize>, at: f64) -> Ended {
        let network = self.log_normal(NETWORK.0, NETWORK.1);
        let served = match mark.peer {
            Some(target) => self.serve(mark, target, index, at + network / 2.0),
            None => Ended {
                outcome: mark.outcome,
                duration_ms: 0.0,
            },
        };
        Ended {
            outcome: served.outcome,
            duration_ms: served.duration_ms + network,
        }
    }

    /// A request at its server: own work, then calls, then the rest of the work.
    fn serve(
        &mut self,
        call: &Mark<'a>,
        workload: WorkloadIndex,
        parent: Option<usize>,
        start: f64,
    ) -> Ended {
        let world = self.world;
        let operation: &'a Operation = &world.operations[call.operation];
        let app = &world.apps[operation.app];
        let version = &world.workloads[workload];
        let node = world.node(call.operation, world.position(workload));
        let state = self.solved.states[self.regime][node];
        let character = &version.character;

        let server = Mark {
            parent,
            side: Side::Server,
            owner: workload,
            peer: Some(call.owner),
            service: app.service,
            subset: None,
            start_ms: start,
            ..*call
        };
        let mark = (app.place == Place::Mesh)
            .then(|| self.open(server))
            .flatten();
        let own = self.log_normal(
            character.median_ms * operation.effort * state.slowdown,
            character.sigma,
        );
        let mut broken = self.dice.happens(state.errors);
        let missing = self.dice.happens(character.not_found);
        let mut elapsed = own * BEFORE_CALLS;
        for call in &operation.calls {
            if !call.made_by(&version.version) || !self.dice.happens(call.probability) {
                continue;
            }
            let caller = Caller {
                workload,
                mark,
                gateway: false,
            };
            let ended = self.call(call, caller, start + elapsed);
            elapsed += ended.duration_ms;
            let matters = self.dice.happens(call.critical);
            broken |= ended.outcome.failed() && matters;
        }
        elapsed += own * (1.0 - BEFORE_CALLS);
        let outcome = match (broken, app.protocol) {
            (true, Protocol::Grpc) => Outcome::grpc(character.grpc_error, Flag::None),
            (true, protocol) => Outcome::status(protocol, 500, Flag::None),
            (false, Protocol::Http) if missing => Outcome::status(Protocol::Http, 404, Flag::None),
            (false, protocol) => Outcome::ok(protocol),
        };
        let ended = Ended {
            outcome,
            duration_ms: elapsed,
        };
        if mark.is_some() {
            self.finish(mark, server, ended);
        }
        ended
    }

    /// Puts a mark down before what happens below it. TCP leaves no marks.
    fn open(&mut self, mark: Mark<'a>) -> Option<usize> {
        let tcp = self.world.app_of(mark.operation).protocol == Protocol::Tcp;
        if tcp || self.marks.len() >= MAX_MARKS {
            return None;
        }
        self.marks.push(mark);
        Some(self.marks.len() - 1)
    }

    /// Writes the end into an open mark, or puts down a finished one.
    fn finish(&mut self, open: Option<usize>, mark: Mark<'a>, ended: Ended) {
        let open = open.or_else(|| self.open(mark));
        if let Some(mark) = open.and_then(|index| self.marks.get_mut(index)) {
            mark.outcome = ended.outcome;
            mark.duration_ms = ended.duration_ms;
        }
    }
}

/// The flag that the caller's proxy reports for an answer that it passes on.
fn final_flag(outcome: Outcome, branch: &Branch) -> Outcome {
    if branch.delay_ms > 0.0 {
        outcome.flagged(Flag::Delay)
    } else if branch.retries_on(outcome) {
        outcome.flagged(Flag::RetriesExhausted)
    } else {
        outcome
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of a policy are far below 2^53"
)]
const fn as_ms(ms: u64) -> f64 {
    ms as f64
}
