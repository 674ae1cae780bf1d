import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type JobBench, startJobBench } from '../../../test/harness/job-bench.ts';
import { type ModelEndpoint, startModelEndpoint } from '../../../test/harness/model-endpoint.ts';
import { parseConfigFile } from '../../config/config-file.ts';
import { enqueue } from '../../db/jobs.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { proposeCases } from '../../postmortem/eval-case.ts';
import { savePostmortem } from '../../postmortem/postmortem-store.ts';
import { openIncident } from '../incident/open-incident.ts';
import { noChat } from '../mitigate/no-chat.ts';
import { exportDocument } from './export-document.ts';
import { EXPORT, exportJobs } from './export-jobs.ts';
import { runExport } from './run-exports.ts';

const CONTRACTS = join(
  dirname(createRequire(import.meta.url).resolve('langfuse-cli/package.json')),
  'dist/contracts',
);
const read = (name: string) => JSON.parse(readFileSync(join(CONTRACTS, `${name}.json`), 'utf8'));

interface Operation {
  method: string;
  path: string;
  requestBody?: { fields: { name: string; required: boolean }[] };
}

/** What of a body Langfuse's published contract has no field for, or misses. */
function misfits(path: string, body: object): string[] {
  const { operations } = read(read('catalog').versions.at(-1).version) as { operations: Operation[] };
  const found = operations.find((one) => one.method === 'POST' && one.path === path);
  const fields = found?.requestBody?.fields ?? [];
  const names = new Set(fields.map(({ name }) => name));
  const missing = fields.filter(({ name, required }) => required && !(name in body)).map(({ name }) => name);
  return [...Object.keys(body).filter((name) => !names.has(name)), ...missing];
}

describe('exports', () => {
  let bench: JobBench;
  let langfuse: ModelEndpoint;
  const items = new Map<string, object>();
  let opened = 0;
  const flow = () => Object.assign(bench, { installation: 'inst', chat: noChat(), documentsDir: '/nowhere' });

  beforeAll(async () => {
    bench = await startJobBench();
    langfuse = await startModelEndpoint();
    const keys = { public_key: '${MODEL_TOKEN}', secret_key: '${MODEL_TOKEN}' };
    bench.configure({ exports: { langfuse: { url: langfuse.url, ...keys } } });
  });
  afterAll(async () => {
    await bench.close();
    await langfuse.close();
  });
  beforeEach(() => {
    items.clear();
    langfuse.requests.length = 0;
    langfuse.answerWith(({ path, body }) => {
      const wrong = misfits(path, body);
      if (wrong.length > 0) return { status: 400, body: { wrong } };
      if (path.endsWith('/dataset-items')) items.set(String(body['id']), body);
      return { status: 200, body: {} };
    });
  });

  async function written(isPrivate: boolean, category: 'quality' | 'safety' = 'quality'): Promise<number> {
    const now = bench.clock.now();
    const wanted = {
      ...{ title: 'Wrong', category, severity: 'sev3' as const, service: 'support-bot' },
      ...{ environment: 'production', private: isPrivate, source: 'person' as const, rule: null },
      ...{ symptom: null, declaredBy: 'U1', startedAt: null, signal: null, passScore: null },
      ...{ origin: `test ${opened++}`, now },
    };
    const { incident } = await bench.db
      .transaction()
      .execute((tx) => openIncident({ config: bench.config, pager: null }, tx, wanted));
    const cases = ['a', 'b'].flatMap((input, index) =>
      proposeCases({
        incidentId: `INC-${incident.id}`,
        bad: [{ callId: `${index + 1}`, input, output: 'no' }],
        good: [{ callId: '9', input, output: 'yes' }],
      }),
    );
    const kept = { incidentId: incident.id, markdown: '# It', missing: [], cases, at: now };
    await bench.db.transaction().execute((tx) => savePostmortem(tx, kept));
    return incident.id;
  }

  async function exported(id: number): Promise<number> {
    const incident = await findIncident(bench.db, id);
    if (incident === undefined) throw new Error('no incident');
    const jobs = exportJobs(flow(), incident, bench.clock.now());
    await bench.db.deleteFrom('job').execute();
    await enqueue(bench.db, jobs);
    await bench.work({ [EXPORT]: (job) => runExport(flow(), job) });
    return jobs.length;
  }

  it('keep each case once as an item of a Langfuse dataset, however often, and say so', async () => {
    const id = await written(false);
    expect(await exported(id)).toBe(1);
    await exported(id);
    expect([...items.keys()]).toEqual([`inst-INC-${id}-1`, `inst-INC-${id}-2`]);
    expect(items.get(`inst-INC-${id}-1`)).toMatchObject({
      ...{ datasetName: 'llm-incident', input: { input: 'a' }, expectedOutput: 'yes', status: 'ACTIVE' },
      metadata: { incident: `INC-${id}`, proven: true, assertions: [{ type: 'contains', value: 'yes' }, {}] },
    });
    const basic = Buffer.from('model-token:model-token').toString('base64');
    expect(langfuse.requests[0]).toMatchObject({
      path: '/api/public/v2/datasets',
      headers: { authorization: `Basic ${basic}` },
    });
    const said = await bench.db
      .selectFrom('incident_event')
      .select('text')
      .where('kind', '=', 'exported')
      .execute();
    expect(said[0]?.text).toBe('Exported: 2 eval cases in the Langfuse dataset llm-incident.');
  });

  const stateOf = (id: number) =>
    bench.db.selectFrom('incident_export').selectAll().where('incident_id', '=', id).executeTakeFirst();
  const toldOf = async (id: number) => {
    const rows = await bench.db.selectFrom('job').select('payload').where('kind', '=', 'notice').execute();
    return rows.filter(({ payload }) => payload['incidentId'] === id).map(({ payload }) => payload['text']);
  };

  it('tell the room once that one fails for long, and once that it works again', async () => {
    const id = await written(false);
    let failing = 4;
    langfuse.answerWith(() => {
      failing -= 1;
      return failing >= 0 ? { status: 503 } : { status: 200, body: {} };
    });
    await bench.db.deleteFrom('job').execute();
    const job = {
      ...{ id: 0, kind: EXPORT, lane: null, last_error: null, created_at: new Date() },
      payload: { incidentId: id, exporter: 'langfuse' },
    };
    for (const attempts of [1, 2, 3, 4]) {
      const failed = runExport(flow(), { ...job, attempts });
      await expect(failed).rejects.toMatchObject({ retryable: true });
      expect(await toldOf(id)).toHaveLength(attempts < 3 ? 0 : 1);
    }
    expect((await toldOf(id))[0]).toBe(
      'Not exported (langfuse): langfuse answered 503. It is tried again; nothing waits for it.',
    );
    expect(await stateOf(id)).toMatchObject({ problem: 'langfuse answered 503', exported_at: null });
    await runExport(flow(), { ...job, attempts: 5 });
    await runExport(flow(), { ...job, attempts: 1 });
    expect((await toldOf(id)).slice(1)).toEqual([
      expect.stringMatching(/^Exporting works again \(langfuse\)\. Exported: 2 eval cases in the Langfuse/),
    ]);
    expect(await stateOf(id)).toMatchObject({ problem: null, told_at: null, failing_since: null });
  });

  it('try what is refused every hour for a day, and say so at once; a rate limit as long as it says', async () => {
    const id = await written(false);
    const job = {
      ...{ id: 0, kind: EXPORT, lane: null, last_error: null, attempts: 1, created_at: new Date() },
      payload: { incidentId: id, exporter: 'langfuse' },
    };
    langfuse.answerWith(() => ({ status: 429, headers: { 'retry-after': '7' } }));
    await expect(runExport(flow(), job)).rejects.toMatchObject({ retryable: true, retryAfterMs: 7000 });
    expect(await toldOf(id)).toEqual([]);
    for (const status of [401, 422]) {
      langfuse.answerWith(() => ({ status }));
      await expect(runExport(flow(), job)).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
    }
    expect(await toldOf(id)).toEqual([
      'Not exported (langfuse): langfuse answered 401: check its credentials in the config. It is tried again every hour for a day, and at `postmortem`; nothing waits for it.',
    ]);
    const old = { ...job, created_at: new Date(Date.now() - 25 * 3_600_000) };
    await expect(runExport(flow(), old)).rejects.toMatchObject({ retryable: false });
  });

  it('hold no call of a safety incident, and of a private one nothing unless that is wanted', async () => {
    const id = await written(true, 'safety');
    const incident = await findIncident(bench.db, id);
    if (incident === undefined) throw new Error('no incident');
    const document = await exportDocument(flow(), incident, '![leak](files/F1-leak.png)');
    expect(document.cases).toEqual([]);
    expect(document.files).toEqual([
      { name: 'postmortem.md', text: '(The picture is kept with the incident.)' },
    ]);
    const github = { repository: 'acme/prompts', token: '${MODEL_TOKEN}', issues: true };
    const taking = (change: object) => {
      const config = parseConfigFile(JSON.stringify({ exports: { github: { ...github, ...change } } }), {
        MODEL_TOKEN: 'token',
      });
      const { now } = bench.clock;
      return exportJobs({ config, installation: 'inst' }, incident, now()).map(({ lane }) => lane);
    };
    expect(taking({})).toEqual([]);
    expect(taking({ private: true })).toEqual([`export:github-issues:${id}`, `export:github:${id}`]);
    expect(taking({ private: true, issues: false })).toEqual([`export:github:${id}`]);
  });

  it('leave what is private where it is', async () => {
    expect(await exported(await written(true))).toBe(0);
    expect(langfuse.requests).toEqual([]);
  });
});
