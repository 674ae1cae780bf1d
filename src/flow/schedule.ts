import { subDays } from 'date-fns';
import cron, { type ScheduledTask } from 'node-cron';
import { pruneBudgets } from '../db/budget-store.ts';
import { claimSlot, dropOldSlots } from '../db/cron-slot.ts';
import type { JobRunner } from '../db/job-runner.ts';
import { noteTroubles, type Trouble } from '../db/trouble-store.ts';
import { messageOf } from '../errors.ts';
import { pruneCanaryRuns } from '../sources/canary-store.ts';
import { type CheckCounts, flushCheckCounts, pruneCheckCounts } from '../sources/check-count-store.ts';
import { pruneOld } from '../sources/retention-store.ts';
import type { Flow } from './flow.ts';
import { tickClocks } from './incident/tick-clocks.ts';
import { remindOwners } from './learn/remind-owner.ts';
import { watchImmunity } from './learn/watch-immunity.ts';
import { keepHeads } from './ledger/keep-heads.ts';
import { createTargetWatch } from './ledger/watch-targets.ts';
import { advanceShifts } from './mitigate/advance-shifts.ts';
import { nudgeApprovers } from './mitigate/ask-approvers.ts';
import { proveMitigations } from './mitigate/prove-mitigations.ts';
import { tickLeases } from './mitigate/tick-leases.ts';
import { planLooks } from './page/look-at-pages.ts';
import { tickArchives } from './room/archive-room.ts';
import { refreshHomes } from './room/publish-homes.ts';
import { refreshCards } from './room/refresh-cards.ts';
import { tickStakeholders } from './stakeholders/ask-stakeholders.ts';
import { checkRules } from './watch/check-rules.ts';
import { digestCalls } from './watch/digest-calls.ts';
import { judgeCalls } from './watch/judge-calls.ts';
import { reportTroubles } from './watch/report-troubles.ts';
import { runCanaries } from './watch/run-canaries.ts';

export interface Ticking {
  start(): void;
  /** Runs a tick now and resolves when it is done. */
  now(): Promise<void>;
  stop(): Promise<void>;
}

interface Parts {
  jobs: JobRunner;
  /** Takes up deliveries that were received and not finished. */
  sweepInbox(): Promise<void>;
  /** Takes over what another replica's clock was moved by; nothing moves it outside tests and drills. */
  syncClock(): Promise<void>;
  dataDir: string;
  /** Answers of the check before delivery that are not stored yet. */
  counts: CheckCounts;
}

interface TickParts extends Parts {
  watch: ReturnType<typeof createTargetWatch>;
}

/** node-cron only ticks; which replica runs a slot is settled by the row that is inserted once and kept. */
export function startTicking(flow: Flow, parts: Parts): Ticking {
  const { poll_seconds: pollSeconds } = flow.config;
  const tasks: ScheduledTask[] = [];
  let last: Promise<void> = Promise.resolve();
  let lastSlot = 0;
  const watch = createTargetWatch(flow);

  /** One tick at a time: a later one waits for the one before. */
  const now = () => {
    last = last.then(() => tick(flow, { ...parts, watch }));
    return last;
  };

  const everySecond = async () => {
    const slot = Math.floor(Date.now() / 1000 / pollSeconds);
    if (slot === lastSlot) return;
    lastSlot = slot;
    await step(flow, 'slot', async () => {
      if (await claimSlot(flow.db, `tick/${pollSeconds}/${slot}`)) await now();
    });
  };

  /** Every replica has counts of its own. */
  const flushCounts = () => step(flow, 'checks', () => flushCheckCounts(flow.db, parts.counts));

  return {
    start() {
      tasks.push(cron.schedule('* * * * * *', oneAtATime(everySecond), { name: 'tick' }));
      const sweep = () => step(flow, 'inbox', parts.sweepInbox);
      tasks.push(cron.schedule('*/2 * * * * *', oneAtATime(sweep)));
      tasks.push(cron.schedule('*/5 * * * * *', oneAtATime(flushCounts)));
      tasks.push(cron.schedule('17 3 * * *', () => prune(flow)));
    },
    now,
    async stop() {
      await Promise.all(tasks.map((task) => task.destroy()));
      await last;
      await flushCounts();
    },
  };
}

/** Where even that cannot be stored, the database is away, which `/readyz` says. */
async function tell(flow: Flow, trouble: Trouble): Promise<void> {
  const now = flow.clock.now();
  try {
    await flow.db.transaction().execute(async (tx) => {
      await reportTroubles(flow, tx, { fresh: await noteTroubles(tx, [trouble], now), over: [], now });
    });
  } catch (thrown) {
    flow.log.error({ error: messageOf(thrown) }, 'a trouble could not be noted');
  }
}

/** Leaves a time out while the work of an earlier one goes on, as it will when a source is slow. */
function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let isBusy = false;
  return async () => {
    if (isBusy) return;
    isBusy = true;
    try {
      await work();
    } finally {
      isBusy = false;
    }
  };
}

async function tick(flow: Flow, { jobs, dataDir, syncClock, watch }: TickParts): Promise<void> {
  await step(flow, 'clock', syncClock);
  // Beside all else: a target that hangs holds up no rule.
  const looking = step(flow, 'targets', () => watch.look());
  await step(flow, 'calls', async () => {
    await digestCalls(flow, flow.clock.now());
  });
  await step(flow, 'judge', () => judgeCalls(flow));
  await step(flow, 'canaries', () => runCanaries(flow));
  await step(flow, 'rules', () => checkRules(flow));
  await step(flow, 'shifts', () => advanceShifts(flow));
  await step(flow, 'proofs', () => proveMitigations(flow));
  await step(flow, 'clocks', () => tickClocks(flow));
  await step(flow, 'pages', () => planLooks(flow));
  await step(flow, 'cards', () => refreshCards(flow));
  await step(flow, 'stakeholders', () => tickStakeholders(flow));
  await step(flow, 'approvals', () => nudgeApprovers(flow));
  await step(flow, 'leases', () => tickLeases(flow));
  await step(flow, 'post-mortems', () => remindOwners(flow));
  await step(flow, 'archives', () => tickArchives(flow));
  await step(flow, 'homes', () => refreshHomes(flow));
  await looking;
  await step(flow, 'immunity', () => watchImmunity(flow));
  await step(flow, 'chain heads', () => keepHeads(flow, dataDir));
  jobs.wake();
}

/** What policy says need not be kept; every replica may do it. */
async function prune(flow: Flow): Promise<void> {
  const now = flow.clock.now();
  const { retention } = flow.config;
  await step(flow, 'old slots', () => dropOldSlots(flow.db));
  await step(flow, 'old calls', async () => {
    flow.log.info(
      await pruneOld(flow.db, { now, retention }),
      'dropped what is older than the policy keeps it',
    );
  });
  await step(flow, 'old canary runs', () => pruneCanaryRuns(flow.db, subDays(now, retention.calls_days)));
  await step(flow, 'old budgets', () => pruneBudgets(flow.db, subDays(now, 1)));
  await step(flow, 'old check counts', () => pruneCheckCounts(flow.db, subDays(now, retention.calls_days)));
}

/** A step that fails is reported and does not stop the others. */
async function step(flow: Flow, name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    const problem = `a part of every tick (${name}) failed: ${messageOf(thrown)}`;
    flow.log.error({ step: name, error: messageOf(thrown) }, 'a step of the tick failed');
    await tell(flow, { key: `tick:${name}`, problem });
  }
}
