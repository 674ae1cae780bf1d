import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type JobBench, startJobBench } from '../../../test/harness/job-bench.ts';
import { type ModelEndpoint, startModelEndpoint } from '../../../test/harness/model-endpoint.ts';
import { enqueue } from '../../db/jobs.ts';
import { findIncident } from '../../incident/incident-store.ts';
import { proposeCases } from '../../postmortem/eval-case.ts';
import { savePostmortem } from '../../postmortem/postmortem-store.ts';
import { openIncident } from '../incident/open-incident.ts';
import { EXPORT, exportJobs, runExport } from './run-exports.ts';

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
  const flow = () => Object.assign(bench, { installation: 'inst' });

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

  async function written(isPrivate: boolean): Promise<number> {
    const now = bench.clock.now();
    const wanted = {
      ...{ title: 'Wrong', category: 'quality' as const, severity: 'sev3' as const, service: 'support-bot' },
      ...{ environment: 'production', private: isPrivate, source: 'person' as const, rule: null },
      ...{ symptom: null, declaredBy: 'U1', startedAt: null, signal: null, passScore: null },
      ...{ origin: `test ${isPrivate}`, now },
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

  it('leave what is private where it is', async () => {
    expect(await exported(await written(true))).toBe(0);
    expect(langfuse.requests).toEqual([]);
  });
});
