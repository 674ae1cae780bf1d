import type { Job } from '../../src/db/jobs.ts';
import { openIncident, type WantedIncident } from '../../src/flow/incident/open-incident.ts';
import { bringLedgerUp } from '../../src/flow/ledger/bring-ledger-up.ts';
import { REHEARSE } from '../../src/flow/mitigate/plan-rehearsals.ts';
import { rehearse } from '../../src/flow/mitigate/rehearse.ts';
import { rehearsalsOf } from '../../src/mitigation/rehearsal-store.ts';
import { describeResult } from '../../src/mitigation/rehearsal-text.ts';
import type { Call } from '../../src/sources/call.ts';
import { saveCalls, saveEvaluations } from '../../src/sources/call-store.ts';
import { call, evaluation } from '../../src/sources/example-calls.ts';
import { type JobBench, startJobBench } from './job-bench.ts';
import { type ModelEndpoint, type ModelRequest, startModelEndpoint } from './model-endpoint.ts';

export const NOON = new Date('2026-03-02T12:00:00Z');
export const REHEARSED = { service: 'support-bot', environment: 'production' };

/** An incident of a service with a rehearsal endpoint at the wire: v14 is served, v13 is the declared backup. */
export interface RehearsalScene {
  bench: JobBench;
  model: ModelEndpoint;
  reset(): Promise<void>;
  /** What differs in `rehearsal`, and beside it. */
  configure(rehearsal?: object, service?: object): void;
  /** So many calls of v14 that failed by their score, and as many good ones: "failing 0", "good 0". */
  recorded(n: number, changes?: Partial<Call>): Promise<void>;
  opened(changes?: Partial<WantedIncident>): Promise<number>;
  work(run?: (job: Job) => Promise<void>): Promise<void>;
  /** By role: the result in words, or the status and why. */
  found(incidentId: number): Promise<Record<string, string>>;
  close(): Promise<void>;
}

const TABLES = [
  ...([
    'rehearsal_replay',
    'rehearsal',
    'rehearsal_call',
    'evidence',
    'milestone',
    'incident_event',
  ] as const),
  ...([
    'clock',
    'page',
    'stakeholder_ask',
    'incident',
    'safety_event',
    'call',
    'job',
    'budget',
    'ledger',
    'prompt_text',
  ] as const),
];
const GOOD = 100;

export async function startRehearsalScene(): Promise<RehearsalScene> {
  const bench = await startJobBench();
  const model = await startModelEndpoint();
  const configure = (changes: object = {}, service: object = {}) => {
    const endpoint = {
      type: 'webhook',
      url: `${model.url}/replay`,
      secret: '${MODEL_TOKEN}',
      allow_private: true,
    };
    const rehearsal = { ...endpoint, backup: { prompt: 'v13' }, ...changes };
    bench.configure({ services: { [REHEARSED.service]: { rehearsal, ...service } } });
  };
  return {
    bench,
    model,
    configure,
    async reset() {
      for (const table of TABLES) await bench.db.deleteFrom(table).execute();
      bench.moveTo(NOON);
      model.requests.length = 0;
      model.answerWith((request) => scored(isFixed(request)));
      configure();
    },
    recorded: (n, changes = {}) => record(bench, n, changes),
    opened: (changes = {}) => open(bench, changes),
    work: (run = (job) => rehearse(bench, job)) => {
      const skip = async () => {};
      const handlerOf = (_: object, kind: string | symbol) => (kind === REHEARSE ? run : skip);
      return bench.work(new Proxy({}, { get: handlerOf }));
    },
    async found(incidentId) {
      const rows = await rehearsalsOf(bench.db, incidentId);
      const said = rows.map(({ role, name, status, result, reason }): [string, string] => [
        role,
        result === null ? `${status}: ${reason}` : describeResult(name, result),
      ]);
      return Object.fromEntries(said);
    },
    async close() {
      await bench.close();
      await model.close();
    },
  };
}

/** An answer with the service's own verdict. */
export const scored = (isRight: boolean) => ({
  status: 200,
  body: { output: 'said', score: isRight ? 1 : 0, cost_usd: 0.02 },
});
export const versionIn = ({ body }: ModelRequest) =>
  (body['prompt'] as unknown as { version: string }).version;
export const inputIn = ({ body }: ModelRequest) => String(body['input']);
/** Version v13 answers everything right, what is served only what was right before. */
export const isFixed = (request: ModelRequest) =>
  versionIn(request) === 'v13' || inputIn(request).startsWith('good');

async function record(bench: JobBench, n: number, changes: Partial<Call>): Promise<void> {
  const made = (number: number, input: string) =>
    call(number, {
      ...{ at: new Date(NOON.getTime() - 600_000 + number), promptName: 'answer', promptVersion: 'v14' },
      ...{ input, output: 'said' },
      ...changes,
    });
  const numbers = Array.from({ length: n }, (_, index) => index);
  await saveCalls(bench.db, [
    ...numbers.map((number) => made(number, `failing ${number}`)),
    ...numbers.map((number) => made(GOOD + number, `good ${number}`)),
  ]);
  await saveEvaluations(bench.db, [
    ...numbers.map((number) => evaluation(number, { value: 0 })),
    ...numbers.map((number) => evaluation(GOOD + number, { value: 1 })),
  ]);
  await bringLedgerUp(bench, REHEARSED, NOON);
}

async function open(bench: JobBench, changes: Partial<WantedIncident>): Promise<number> {
  const wanted: WantedIncident & { now: Date } = {
    ...{ title: 'Answers got worse', category: 'quality', severity: 'sev2', ...REHEARSED, private: false },
    ...{ source: 'person', rule: 'quality.score', symptom: null, declaredBy: 'U1' },
    ...{ startedAt: null, signal: null, passScore: null, origin: 'test', now: NOON, ...changes },
  };
  const flow = { config: bench.config, pager: null };
  const { incident } = await bench.db.transaction().execute((tx) => openIncident(flow, tx, wanted));
  return incident.id;
}
