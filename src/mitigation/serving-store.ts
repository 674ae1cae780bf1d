import { sql } from 'kysely';
import type { PromptTextConfig } from '../config/serving.ts';
import type { Db, Tx } from '../db/database.ts';
import type { Row } from '../db/schema.ts';
import { sha256Of } from '../evidence/digest.ts';
import type { Step } from './plan.ts';
import { type PromptTexts, textKey } from './served.ts';
import type { TargetState, Value } from './serving.ts';
import { changeSettings } from './serving-change.ts';

/** Any constant will do; it keeps two changes of one service from starting at the same version. */
const SERVING_LOCK = 8_412_003;

interface Place {
  service: string;
  environment: string;
}

/** One version of what a service serves. */
export interface ServingVersion extends Place {
  version: number;
  /** What differs from the configuration. */
  overrides: TargetState;
  changedAt: Date;
  planHash: string;
}

export interface ServingChange extends Place {
  /** What the configuration says. */
  initial: TargetState;
  step: Step;
  at: Date;
  by: string;
  planHash: string;
  idempotencyKey: string;
  /** It returns what a mitigation took. */
  isGivenBack: boolean;
}

export type ChangeOutcome =
  | { kind: 'changed' | 'already-done'; serving: ServingVersion }
  | { kind: 'moved'; now: Value }
  | { kind: 'refused'; problem: string };

/** The newest version of every service and environment, or of one. */
export async function newestServings(db: Db, of?: Place): Promise<ServingVersion[]> {
  const rows = await db
    .selectFrom('serving')
    .distinctOn(['service', 'environment'])
    .selectAll()
    .$if(of !== undefined, (query) =>
      query.where('service', '=', of?.service ?? '').where('environment', '=', of?.environment ?? ''),
    )
    .orderBy('service')
    .orderBy('environment')
    .orderBy('version', 'desc')
    .execute();
  return rows.map(versionOf);
}

/** Appends the next version, if the step's `from` is still true; the same idempotency key again changes nothing. */
export async function changeServing(db: Db, change: ServingChange): Promise<ChangeOutcome> {
  return db.transaction().execute(async (tx) => {
    const place = `${change.service}\n${change.environment}`;
    await sql`select pg_advisory_xact_lock(${SERVING_LOCK}::int, hashtext(${place}))`.execute(tx);
    const earlier = await madeWith(tx, change.idempotencyKey);
    if (earlier !== undefined) return repeated(earlier, change);
    const [newest] = await newestServings(tx, change);
    const { initial, step, isGivenBack } = change;
    const next = changeSettings({ initial, overrides: newest?.overrides ?? {}, isGivenBack }, step);
    if (next.kind !== 'changed') return next;
    return { kind: 'changed', serving: await append(tx, change, { newest, overrides: next.overrides }) };
  });
}

async function madeWith(tx: Tx, idempotencyKey: string): Promise<Row<'serving'> | undefined> {
  return tx
    .selectFrom('serving')
    .selectAll()
    .where('idempotency_key', '=', idempotencyKey)
    .executeTakeFirst();
}

function repeated(earlier: Row<'serving'>, { service, environment, planHash }: ServingChange): ChangeOutcome {
  const isSame =
    earlier.service === service && earlier.environment === environment && earlier.plan_hash === planHash;
  if (isSame) return { kind: 'already-done', serving: versionOf(earlier) };
  return { kind: 'refused', problem: 'the idempotency key was used for another change' };
}

async function append(
  tx: Tx,
  change: ServingChange,
  { newest, overrides }: { newest: ServingVersion | undefined; overrides: TargetState },
): Promise<ServingVersion> {
  const row = await tx
    .insertInto('serving')
    .values({
      service: change.service,
      environment: change.environment,
      version: (newest?.version ?? 0) + 1,
      settings: JSON.stringify(overrides),
      changed_at: change.at,
      changed_by: change.by,
      plan_hash: change.planHash,
      idempotency_key: change.idempotencyKey,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return versionOf(row);
}

function versionOf(row: Row<'serving'>): ServingVersion {
  const { service, environment, version, settings, changed_at: changedAt, plan_hash: planHash } = row;
  return { service, environment, version, overrides: settings, changedAt, planHash };
}

/**
 * Keeps what the configuration knows of prompt versions, so that one can still be served when it is gone from the file.
 * A version that was kept with another text stays as it was; what is wrong is returned, one line each.
 */
export async function keepPromptTexts(
  db: Db,
  texts: readonly (PromptTextConfig & { service: string })[],
  at: Date,
): Promise<string[]> {
  if (texts.length === 0) return [];
  const rows = texts.map(({ service, name = '', version, text, sha256 }) => ({
    service,
    name,
    version,
    sha256: sha256 ?? sha256Of(text ?? ''),
    text: text ?? null,
    registered_at: at,
  }));
  const problems: string[] = [];
  for (const row of rows) {
    const kept = await db
      .insertInto('prompt_text')
      .values(row)
      .onConflict((conflict) =>
        conflict
          .columns(['service', 'name', 'version'])
          .doUpdateSet({ text: sql`coalesce(prompt_text.text, excluded.text)` })
          .where('prompt_text.sha256', '=', row.sha256),
      )
      .returning('sha256')
      .executeTakeFirst();
    if (kept === undefined) {
      const prompt = `${row.name} ${row.version}`.trim();
      problems.push(
        `services.${row.service}.serving.prompt_texts: ${prompt} has another text than before; give the new text a new version`,
      );
    }
  }
  return problems;
}

/** Changes whenever a text was added, and costs less than reading them all. */
export async function promptTextsMark(db: Db): Promise<string> {
  const { mark } = await db
    .selectFrom('prompt_text')
    .select(sql<string>`count(*) || '/' || count(text)`.as('mark'))
    .executeTakeFirstOrThrow();
  return mark;
}

export async function readPromptTexts(db: Db): Promise<PromptTexts> {
  const rows = await db.selectFrom('prompt_text').selectAll().execute();
  return new Map(
    rows.map(({ service, name, version, sha256, text }) => [
      textKey(service, name, version),
      { sha256, text },
    ]),
  );
}
