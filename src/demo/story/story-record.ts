import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { type Db, openDatabase } from '../../db/database.ts';
import { verifyChain } from '../../mitigation/audit.ts';
import { wholeTrail } from '../../mitigation/audit-store.ts';
import { expectThat, type Scene } from './story-scene.ts';

const MILESTONES = ['started', 'detected', 'declared', 'acknowledged', 'contained', 'mitigated', 'resolved'];

/** Stops the bot as an operator would, then reads what it left behind. */
export async function stopAndCheck(scene: Scene): Promise<void> {
  const { world, tell, stage } = scene;
  await stage('stop', 'the bot stops in good order', async () => {
    const code = await world.bot.stop();
    expectThat(code === 0, `the bot ended with ${code} after SIGTERM`);
    tell.line(
      'record',
      'SIGTERM: the bot finishes what it was doing and ends with exit code 0. Its database, read afterwards:',
    );
  });
  await stage('record', 'the database agrees with the story', async () => {
    const { db, close } = await openDatabase({ dataDir: world.dataDir });
    try {
      await sql`set default_transaction_read_only = on`.execute(db);
      for (const fact of [
        await incidentFact(db),
        await mitigationFact(db),
        await auditFact(db, world.dataDir),
        await jobFact(db),
      ]) {
        tell.line('record', fact);
      }
    } finally {
      await close();
    }
    const { length } = world.service.effects;
    expectThat(length === 1, `the service saw ${length} changes instead of one`);
  });
}

async function incidentFact(db: Db): Promise<string> {
  const incidents = await db.selectFrom('incident').selectAll().execute();
  expectThat(incidents.length === 1, `there are ${incidents.length} incidents instead of one`);
  const [incident] = incidents;
  expectThat(incident?.status === 'resolved', `the incident is ${incident?.status}, not resolved`);
  const rows = await db.selectFrom('milestone').selectAll().orderBy('at').execute();
  const names = new Set(rows.map((row) => row.name));
  const missing = MILESTONES.filter((name) => !names.has(name));
  expectThat(missing.length === 0, `the incident has no milestone ${missing.join(', ')}`);
  const path = rows.map((row) => `${row.name} ${row.at.toISOString().slice(11, 16)}`).join(' → ');
  return `INC-${incident?.id}, ${incident?.severity} ${incident?.category}, is resolved: ${path}.`;
}

async function mitigationFact(db: Db): Promise<string> {
  const mitigations = await db.selectFrom('mitigation').selectAll().execute();
  const states = mitigations.map((row) => row.status).join(', ');
  expectThat(states === 'proven', `the mitigations are "${states}", not one that is proven`);
  const votes = await db.selectFrom('vote').selectAll().execute();
  const approvals = votes.filter(
    (vote) => vote.choice === 'approve' && vote.plan_hash === mitigations[0]?.plan_hash,
  );
  return `1 mitigation, proven; ${approvals.length} approval bound to plan ${mitigations[0]?.plan_hash.slice(0, 12)}.`;
}

async function auditFact(db: Db, dataDir: string): Promise<string> {
  const headFile = join(dataDir, 'audit-head.json');
  const head = existsSync(headFile) ? JSON.parse(readFileSync(headFile, 'utf8')) : null;
  expectThat(head !== null, 'no head of the audit chain is kept outside the database');
  const verdict = verifyChain(await wholeTrail(db), head);
  if (verdict.kind === 'broken')
    throw new Error(`the audit chain is broken at row ${verdict.seq}: ${verdict.problem}`);
  return `The audit chain is intact: ${verdict.rows} rows, head ${verdict.head.slice(0, 12)}.`;
}

async function jobFact(db: Db): Promise<string> {
  const jobs = await db.selectFrom('job').select(['kind', 'state', 'last_error']).execute();
  const dead = jobs.filter((job) => job.state === 'dead');
  expectThat(
    dead.length === 0,
    `${dead.length} jobs were given up: ${dead.map((job) => `${job.kind} (${job.last_error})`).join('; ')}`,
  );
  const lost = await db.selectFrom('inbox').select('kind').where('state', '!=', 'done').execute();
  expectThat(lost.length === 0, `${lost.length} deliveries from Slack were not finished`);
  return `${jobs.length} jobs, none given up, and no delivery from Slack left undone; exactly one change at the service.`;
}
