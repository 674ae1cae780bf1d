import { sql } from 'kysely';
import type { Db } from '../src/db/database.ts';
import { claim, enqueue, finish } from '../src/db/jobs.ts';
import { withDatabase } from './database.ts';
import { compareRates, type Measurement } from './measurement.ts';

const JOBS = 1_000;
const OWNER = 'bench';

/** Jobs a second through claim and finish, beside the two bare updates by primary key that any such queue needs. */
export async function jobs(): Promise<Measurement[]> {
  return withDatabase(async (db) => {
    await fill(db);
    const floor = await perSecond(async (id) => {
      await sql`update job set attempts = attempts + 1 where id = ${id}`.execute(db);
      await sql`update job set last_error = null where id = ${id}`.execute(db);
    });
    const value = await perSecond(async () => {
      const [job] = await claim(db, { owner: OWNER, now: new Date(), limit: 1, leaseMs: 15_000 });
      if (job === undefined) throw new Error('no job was left');
      await finish(db, { id: job.id, owner: OWNER });
    });
    return [compareRates({ name: 'job, claimed and finished', floor, value, unit: 'jobs/s', target: 3 })];
  });
}

async function fill(db: Db): Promise<void> {
  const runAt = new Date();
  const payload = { text: 'x'.repeat(300) };
  await enqueue(
    db,
    Array.from({ length: JOBS }, (_, index) => ({ kind: 'bench', payload, runAt, lane: `lane:${index}` })),
  );
}

async function perSecond(one: (id: number) => Promise<void>): Promise<number> {
  const started = performance.now();
  for (let id = 1; id <= JOBS; id += 1) await one(id);
  return (JOBS / (performance.now() - started)) * 1000;
}
