import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  inputIn,
  isFixed,
  type RehearsalScene,
  scored,
  startRehearsalScene,
  versionIn,
} from '../../../test/harness/rehearsal-scene.ts';
import type { Job } from '../../db/jobs.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { takeRehearsals } from '../../mitigation/rehearsal-store.ts';
import { askCandidates, REHEARSE } from './plan-rehearsals.ts';
import { rehearse, settleLostRehearsals } from './rehearse.ts';

let scene: RehearsalScene;
beforeAll(async () => {
  scene = await startRehearsalScene();
});
afterAll(() => scene.close());
beforeEach(() => scene.reset());

describe('a rehearsal', () => {
  test('an-answer-that-errs-counts-as-failing-and-is-said', async () => {
    await scene.recorded(6);
    scene.model.answerWith(async (request) => {
      const input = inputIn(request);
      if (input === 'failing 2') return { status: 500 };
      if (input === 'good 3') return { status: 200, body: { nothing: true } };
      return scored(isFixed(request));
    });
    const id = await scene.opened();
    await scene.work();
    expect((await scene.found(id))['backup']).toBe(
      'v13 fixes 5 of 6, breaks 1 of 6; 2 got no answer; about $0.20.',
    );
  });

  test('an-endpoint-that-never-answers-is-given-up-after-a-few-and-named', async () => {
    await scene.recorded(20);
    scene.model.answerWith(() => ({ status: 401 }));
    const id = await scene.opened();
    scene.configure({ concurrency: 1 });
    await scene.work();
    expect((await scene.found(id))['backup']).toBe('not-rehearsed: no replay was answered: it answered 401');
    expect(scene.model.requests).toHaveLength(10);
  });

  test('too-many-requests-are-sent-once-more', async () => {
    await scene.recorded(1);
    const turned = new Set<string>();
    scene.model.answerWith((request) => {
      const key = `${versionIn(request)} ${inputIn(request)}`;
      if (turned.has(key)) return scored(isFixed(request));
      turned.add(key);
      return { status: 429 };
    });
    const id = await scene.opened();
    await scene.work();
    expect((await scene.found(id))['backup']).toBe('v13 fixes 1 of 1, breaks 0 of 1; about $0.04.');
  });

  test('the-deadline-ends-it-and-says-what-was-left', async () => {
    await scene.recorded(20);
    const held: (() => void)[] = [];
    scene.model.answerWith(async (request) => {
      if (scene.model.requests.length > 10) await new Promise<void>((resolve) => held.push(resolve));
      return scored(isFixed(request));
    });
    scene.configure({ within_seconds: 3, concurrency: 2 });
    const id = await scene.opened();
    await scene.work();
    for (const release of held) release();
    const { backup, current } = await scene.found(id);
    const [, fixed, failing, good, left] =
      /^v13 fixes (\d+) of (\d+), breaks 0 of (\d+); ended early with (\d+) left: the time for it was over/.exec(
        backup ?? '',
      ) ?? [];
    expect(fixed).toBe(failing);
    expect(Number(failing) + Number(good) + Number(left)).toBe(40);
    expect(Number(left)).toBeGreaterThanOrEqual(30);
    expect(current).toBe('not-rehearsed: the time for it was over');
  });

  test.each([
    ['calls', { max_calls: 6 }, 6],
    ['cost', { max_cost_usd: 0.13 }, 6],
  ])(
    'the budget of %s is never passed, whatever is rehearsed and however often it starts',
    async (_, limit, n) => {
      await scene.recorded(20, { costUsd: 0.02 });
      scene.configure({ ...limit, concurrency: 3 });
      const id = await scene.opened();
      let isFirst = true;
      await scene.work(async (job: Job) => {
        await rehearse(scene.bench, job);
        if (!isFirst) return;
        isFirst = false;
        await scene.bench.db.updateTable('rehearsal').set({ status: 'running', settled_at: null }).execute();
        throw new Error('cut short');
      });
      expect(isFirst).toBe(false);
      expect(scene.model.requests).toHaveLength(n);
      const [, fixed, failing, good] =
        /^v13 fixes (\d+) of (\d+), breaks 0 of (\d+); ended early with 34 left/.exec(
          (await scene.found(id))['backup'] ?? '',
        ) ?? [];
      expect(fixed).toBe(failing);
      expect(Number(failing) + Number(good)).toBe(n);
    },
  );

  test('a-run-that-is-cut-short-goes-on-with-what-has-no-verdict-yet', async () => {
    await scene.recorded(10);
    scene.configure({ concurrency: 1 });
    const id = await scene.opened();
    let left = 7;
    const brittle = new Proxy(scene.bench, {
      get: (of, key) => {
        if (key === 'db' && left === 0) throw new Error('killed');
        return Reflect.get(of, key);
      },
    });
    scene.model.answerWith((request) => {
      left = Math.max(0, left - 1);
      return scored(isFixed(request));
    });
    let runs = 0;
    await scene.work((job: Job) => {
      runs += 1;
      return rehearse(runs === 1 ? brittle : scene.bench, job);
    });
    expect(runs).toBe(2);
    expect((await scene.found(id))['backup']).toMatch(/^v13 fixes 10 of 10, breaks 0 of 10;/);
    // One answer had no verdict yet when it was cut short.
    expect(scene.model.requests).toHaveLength(41);
  });

  test('calls-whose-text-is-gone-are-left-out-and-said', async () => {
    await scene.recorded(20);
    const id = await scene.opened();
    const gone = await scene.bench.db.selectFrom('call').select('id').orderBy('id').execute();
    const half = gone.filter((_, index) => index % 2 === 0).map((row) => row.id);
    await scene.bench.db.deleteFrom('call_content').where('call_id', 'in', half).execute();
    await scene.work();
    expect((await scene.found(id))['backup']).toMatch(
      /^v13 fixes 10 of 10, breaks 0 of 10; 10 left out, their texts/,
    );
  });

  test('without-a-failing-call-nothing-is-sent', async () => {
    await scene.recorded(0);
    const id = await scene.opened();
    await scene.work();
    expect((await scene.found(id))['backup']).toContain('no call was recorded that failed');
    expect(scene.model.requests).toEqual([]);
  });

  test.each([
    ['cost', 'cost.request'],
    ['quality', null],
  ] as const)(
    'an incident of %s without an endpoint or a call to judge asks for nothing',
    async (category, rule) => {
      if (category === 'quality') scene.bench.configure({ services: { 'support-bot': {} } });
      await scene.recorded(3);
      await scene.opened({ category, rule });
      const jobs = await scene.bench.db.selectFrom('job').select('kind').execute();
      expect(jobs.map(({ kind }) => kind)).not.toContain(REHEARSE);
    },
  );

  test('a-private-address-is-refused-unless-it-is-allowed', async () => {
    await scene.recorded(2);
    scene.configure({ allow_private: false });
    const id = await scene.opened();
    await scene.work();
    expect((await scene.found(id))['backup']).toContain('its address is not allowed');
    expect(scene.model.requests).toEqual([]);
  });

  test('an-incident-that-is-over-is-not-rehearsed', async () => {
    await scene.recorded(2);
    const id = await scene.opened();
    await scene.bench.db.updateTable('incident').set({ status: 'declined' }).execute();
    await scene.work();
    expect((await scene.found(id))['backup']).toBe('not-rehearsed: the incident is declined');
    expect(scene.model.requests).toEqual([]);
  });

  test('a-job-that-was-given-up-leaves-nothing-that-seems-to-run', async () => {
    await scene.recorded(2);
    const incidentId = await scene.opened();
    const broken = async (job: Job) => {
      await askCandidates(scene.bench, await incidentOf(incidentId), { backup: { prompt: 'v13' } });
      await takeRehearsals(scene.bench.db, incidentId, job.id);
      await scene.bench.db
        .transaction()
        .execute((tx) =>
          settleLostRehearsals(tx, { incidentId, jobId: job.id, now: scene.bench.clock.now() }),
        );
    };
    await scene.work(broken);
    expect((await scene.found(incidentId))['backup']).toBe('not-rehearsed: it failed, and the log says why');
  });
  const incidentOf = async (id: number) => {
    const incident = await findIncident(scene.bench.db, id);
    if (incident === undefined) throw new Error('no incident');
    return incident;
  };
});
