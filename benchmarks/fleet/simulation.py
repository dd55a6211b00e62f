"""A plan and a seed in; what happened to everybody who came out.

Rules of this file:

1. Only here is simpy. A session costs one event for its begin and one for its end, and more only
   where it is refused, lost or moved.
2. A refused session comes again after a backoff until its patience ends. A lost stream speaks on;
   its client keeps the audio, comes again until `keeps_s` is used up, and ends when it would have
   ended, once it has caught up.
3. A draining replica's streams move by themselves within `spread_s`, or stay until they end; at the
   deadline the rest is cut, which is a loss that is noticed at once.
4. Equal plans and seeds give equal outcomes.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import numpy as np
import simpy

from benchmarks.fleet.demand import Session, arrivals, standing
from benchmarks.fleet.fleet import Fleet, Phase, Replica, Stream
from benchmarks.fleet.outcome import Outcome
from benchmarks.fleet.placement import POLICIES
from benchmarks.fleet.plan import Plan
from benchmarks.fleet.scaling import Seen

Process = Generator[simpy.Event, Any, None]

_DEATHS_EVERY_S = 10.0
_TRIES_AT_START = 64


def simulate(plan: Plan, seed: int) -> Outcome:
    """Runs a plan from its beginning to its end."""
    return _Simulation(plan, seed).run()


class _Simulation:
    def __init__(self, plan: Plan, seed: int) -> None:
        self._plan = plan
        self._random = random.Random(seed)
        self._numpy = np.random.default_rng(seed)
        self._deaths = random.Random(seed + 1)
        make = POLICIES[plan.placement]
        balancers = [make(self._random, plan.slots) for _ in range(plan.balancers)]
        self._fleet = Fleet(plan.model, plan.admission, balancers)
        self._env = simpy.Environment(plan.begins_s)
        self._outcome = Outcome()
        self._keys = 0
        self._waiting = 0
        self._wanted: deque[tuple[float, int]] = deque()
        self._surge = 0

    def run(self) -> Outcome:
        plan, env = self._plan, self._env
        self._open_standing()
        env.process(self._arrive())
        env.process(self._scale())
        if plan.faults.lives_s is not None:
            env.process(self._die())
        for outage in plan.faults.outages:
            self._after(outage.at_s - env.now, partial(self._lose_share, outage.share))
        for rollout in plan.faults.rollouts:
            env.process(self._roll_out(rollout.at_s, rollout.at_once))
        env.run(until=plan.begins_s + plan.lasts_s)
        self._fleet.close(env.now)
        outcome = self._outcome
        outcome.open, outcome.waiting = self._fleet.open_streams, self._waiting
        outcome.totals = self._fleet.totals
        return outcome

    def _after(self, wait_s: float, then: Callable[[], None]) -> None:
        timeout = self._env.timeout(max(0.0, wait_s))
        assert timeout.callbacks is not None
        timeout.callbacks.append(lambda _: then())

    # Sessions

    def _open_standing(self) -> None:
        plan, now_s = self._plan, self._env.now
        there = standing(plan.demand, now_s, self._numpy) if plan.starts_full else []
        for _ in range(plan.scaling.wanted(Seen(now_s, len(there), plan.slots))):
            self._fleet.ready(self._fleet.start(now_s))
        for session in there:
            stream = self._stream(session)
            if self._fleet.place(stream, now_s, self._any_balancer(), _TRIES_AT_START):
                self._outcome.arrived += 1
                self._let_in(stream)

    def _arrive(self) -> Process:
        plan, env = self._plan, self._env
        ends_s = plan.begins_s + plan.lasts_s
        for session in arrivals(plan.demand, plan.begins_s, ends_s, self._numpy):
            yield env.timeout(max(0.0, session.begins_s - env.now))
            self._outcome.arrived += 1
            self._waiting += 1
            self._try(self._stream(session))

    def _stream(self, session: Session) -> Stream:
        self._keys += 1
        return Stream(self._keys, session.lasts_s, session.speech, self._env.now)

    def _any_balancer(self) -> int:
        return int(self._random.random() * self._plan.balancers) if self._plan.balancers > 1 else 0

    def _try(self, stream: Stream) -> None:
        now_s, outcome = self._env.now, self._outcome
        outcome.attempts[int(now_s)] += 1
        replica = self._fleet.place(stream, now_s, self._any_balancer(), self._plan.edge_tries)
        if replica is None:
            self._refuse(stream)
            return
        self._waiting -= 1
        outcome.most_streams = max(outcome.most_streams, self._fleet.open_streams)
        if stream.lost:
            self._resume(stream, replica)
        else:
            self._let_in(stream)

    def _refuse(self, stream: Stream) -> None:
        now_s, outcome, clients = self._env.now, self._outcome, self._plan.clients
        outcome.refusals += 1
        if not stream.lost and not stream.tries:
            outcome.refused_at_first += 1
        told_s = clients.told_s(lost=stream.lost)
        wait_s = clients.backoff.wait_s(stream.tries, told_s, self._random.random())
        stream.tries += 1
        patience_s = clients.keeps_s if stream.lost else clients.patience_s
        if now_s + wait_s - stream.waits_since_s <= patience_s:
            self._after(wait_s, partial(self._try, stream))
            return
        self._waiting -= 1
        if stream.lost:
            outcome.lost += 1
        else:
            outcome.gave_up += 1

    def _let_in(self, stream: Stream) -> None:
        stream.tries = 0
        stream.ends_s = self._env.now + stream.lasts_s
        self._after(stream.lasts_s, partial(self._end, stream))

    def _end(self, stream: Stream) -> None:
        """Ends one that is open; one that is lost ends when it has come back."""
        replica = stream.replica
        if replica is None:
            return
        self._fleet.leave(stream, self._env.now)
        self._outcome.finished += 1
        self._remove_if_drained(replica)

    # Losses

    def _lose(self, replica: Replica, *, silent: bool) -> None:
        """A replica ends at once."""
        env, clients = self._env, self._plan.clients
        for stream in self._fleet.remove(replica, env.now):
            stream.lost, stream.waits_since_s, stream.tries = True, env.now, 0
            self._waiting += 1
            wait_s = clients.backoff.wait_s(0, 0.0, self._random.random())
            if silent:
                soonest_s, latest_s = clients.notices_s
                wait_s += soonest_s + (latest_s - soonest_s) * self._random.random()
            self._after(wait_s, partial(self._try, stream))

    def _resume(self, stream: Stream, replica: Replica) -> None:
        now_s, outcome, clients = self._env.now, self._outcome, self._plan.clients
        away_s = now_s - stream.waits_since_s
        stream.lost, stream.tries = False, 0
        if away_s > clients.keeps_s:
            # Its client has dropped audio: what was said in between is missing.
            self._fleet.leave(stream, now_s)
            outcome.lost += 1
            return
        backlog_s = away_s + clients.checkpoint_every_s * self._random.random()
        catch_up_s = self._fleet.catch_up_s(replica, backlog_s, stream.speech, now_s)
        outcome.lost_s.append(away_s + catch_up_s)
        outcome.lost_speech.append(stream.speech)
        assert stream.ends_s is not None
        if stream.ends_s <= now_s:
            self._after(catch_up_s, partial(self._end, stream))

    def _die(self) -> Process:
        lives_s = self._plan.faults.lives_s
        assert lives_s is not None
        while True:
            yield self._env.timeout(_DEATHS_EVERY_S)
            chance = _DEATHS_EVERY_S / lives_s
            for replica in list(self._fleet.replicas.values()):
                if replica.phase is Phase.READY and self._deaths.random() < chance:
                    silent = self._deaths.random() < self._plan.clients.silent_share
                    self._lose_and_replace(replica, silent=silent)

    def _lose_share(self, share: float) -> None:
        """A part of all replicas is gone at one moment."""
        ready = [each for each in self._fleet.replicas.values() if each.phase is Phase.READY]
        for replica in self._deaths.sample(ready, round(share * len(ready))):
            silent = self._deaths.random() < self._plan.clients.silent_share
            self._lose_and_replace(replica, silent=silent)

    def _lose_and_replace(self, replica: Replica, *, silent: bool) -> None:
        self._outcome.deaths += 1
        self._lose(replica, silent=silent)
        self._start()

    # Replicas

    def _start(self) -> None:
        replica = self._fleet.start(self._env.now)

        def ready() -> None:
            if replica.phase is Phase.STARTING:
                self._fleet.ready(replica)

        self._after(self._plan.starts_in_s, ready)

    def _scale(self) -> Process:
        plan, env, fleet = self._plan, self._env, self._fleet
        while True:
            load = sum(each.load for each in fleet.replicas.values())
            seen = Seen(env.now, fleet.open_streams, plan.slots, load)
            wanted = plan.scaling.wanted(seen)
            self._wanted.append((env.now, wanted))
            while self._wanted[0][0] < env.now - plan.scales_down_after_s:
                self._wanted.popleft()
            ready = [each for each in fleet.replicas.values() if each.phase is Phase.READY]
            have = len(ready) + fleet.count(Phase.STARTING)
            self._outcome.most_replicas = max(self._outcome.most_replicas, len(fleet.replicas))
            for _ in range(wanted + self._surge - have):
                self._start()
            surplus = have - self._surge - max(count for _, count in self._wanted)
            for replica in heapq.nsmallest(surplus, ready, key=lambda each: len(each.streams)):
                self._drain(replica)
            yield env.timeout(plan.scales_every_s)

    def _drain(self, replica: Replica) -> None:
        drains = self._plan.drains
        self._fleet.drain(replica)
        if drains.moves:
            for stream in replica.streams:
                wait_s = drains.spread_s * self._random.random()
                self._after(wait_s, partial(self._move, stream, replica, 0))
        self._remove_if_drained(replica)
        self._after(drains.deadline_s, partial(self._cut, replica))

    def _move(self, stream: Stream, replica: Replica, tries: int) -> None:
        """It opens a new socket first, so nothing is lost unless no place is found in time."""
        if stream.replica is not replica:
            return
        now_s, outcome, clients = self._env.now, self._outcome, self._plan.clients
        outcome.attempts[int(now_s)] += 1
        if self._fleet.place(stream, now_s, self._any_balancer(), self._plan.edge_tries):
            outcome.moved += 1
            self._remove_if_drained(replica)
            return
        outcome.refusals += 1
        told_s = clients.told_s(lost=True)
        wait_s = clients.backoff.wait_s(tries, told_s, self._random.random())
        self._after(wait_s, partial(self._move, stream, replica, tries + 1))

    def _remove_if_drained(self, replica: Replica) -> None:
        if replica.phase is Phase.DRAINING and not replica.streams:
            self._fleet.remove(replica, self._env.now)

    def _cut(self, replica: Replica) -> None:
        if replica.phase is Phase.DRAINING:
            self._lose(replica, silent=False)

    def _roll_out(self, at_s: float, at_once: float) -> Process:
        """Replaces all replicas, some at a time; new ones are ready before old ones drain."""
        plan, env = self._plan, self._env
        yield env.timeout(max(0.0, at_s - env.now))
        old = [each for each in self._fleet.replicas.values() if each.phase is Phase.READY]
        size = max(1, round(at_once * len(old)))
        for begin in range(0, len(old), size):
            batch = [each for each in old[begin : begin + size] if each.phase is Phase.READY]
            self._surge = len(batch)
            for _ in batch:
                self._start()
            yield env.timeout(plan.starts_in_s)
            self._surge = 0
            for replica in batch:
                if replica.phase is Phase.READY:
                    self._drain(replica)
            yield env.timeout(plan.drains.spread_s if plan.drains.moves else 0.0)
