import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/harness/database.ts';
import type { Db, OpenDatabase } from '../../db/database.ts';
import { appendChanges } from '../../evidence/ledger-store.ts';
import { createLog } from '../../log.ts';
import { audit } from '../../mitigation/audit-store.ts';
import { keepHeads } from './keep-heads.ts';
import { auditDatabase, auditFile, readAuditArgs } from './run-audit.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 5, 10, 0, second));
const NUMBERS = [1, 2, 3, 4, 5];

let database: TestDatabase;
let opened: OpenDatabase;
let dataDir: string;
let said: string[];
beforeAll(async () => {
  database = await createTestDatabase();
  opened = await database.open();
  dataDir = mkdtempSync(join(tmpdir(), 'llm-incident-audit-'));
  await opened.db.transaction().execute(async (tx) => {
    for (const second of NUMBERS) {
      const subject = `mitigation ${second}`;
      await audit(tx, { at: at(second), actor: 'U012', action: 'voted', subject, data: { planHash: 'a' } });
      const state = { value: `v${second}` };
      const told = {
        component: 'deploy',
        previous: null,
        source: 'reported',
        actor: null,
        recordedAt: at(9),
      };
      await appendChanges(tx, [
        { service: 'bot', environment: 'production', ...told, state, at: at(second) },
      ]);
    }
  });
  await keepHeads({ db: opened.db, log: createLog('silent') }, dataDir);
});
afterAll(async () => {
  rmSync(dataDir, { recursive: true });
  await opened.close();
  await database.drop();
});
beforeEach(() => {
  said = [];
  for (const method of ['log', 'error'] as const)
    vi.spyOn(console, method).mockImplementation((text: string) => void said.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
});

class RolledBack extends Error {}

/** What the audit says after that statement, which is taken back. */
async function audited(statement: string, asked: { exportTo?: string } = {}): Promise<[number, string[]]> {
  let code = -1;
  said = [];
  const work = async (tx: Db) => {
    await sql.raw(statement).execute(tx);
    code = await auditDatabase(tx, { dataDir, ...asked });
    throw new RolledBack();
  };
  await expect(opened.db.transaction().execute(work)).rejects.toThrow(RolledBack);
  return [code, said.filter((text) => text.includes('broken'))];
}

const swap = (table: string, key: string) =>
  `update ${table} as a set digest = b.digest || 'x', previous_digest = b.previous_digest, at = b.at from ${table} b
   where (a.${key} = 2 and b.${key} = 3) or (a.${key} = 3 and b.${key} = 2)`;

describe('the audit', () => {
  test('finds-both-chains-intact-by-the-heads-that-are-kept-outside', async () => {
    expect(await auditDatabase(opened.db, { dataDir })).toBe(0);
    expect(said).toEqual([
      expect.stringMatching(/^The audit chain is intact: 5 rows, head [0-9a-f]{64}\.$/),
      expect.stringMatching(/^The ledger is intact: 5 rows, head [0-9a-f]{64}\.$/),
    ]);
    said = [];
    expect(await auditDatabase(opened.db, { dataDir: tmpdir() })).toBe(0);
    expect(said[0]).toContain('No head of the audit chain is kept in');
    expect(said[1]).toContain('No head of the ledger is kept in');
  });

  test.each([
    ['altered', `update audit set actor = 'U999' where seq = 3`, 'row 3: was altered after it was written'],
    ['deleted', 'delete from audit where seq = 3', 'row 3: is missing or moved: row 4 stands there'],
    ['deleted first', 'delete from audit where seq = 1', 'row 1: is missing or moved: row 2 stands there'],
    [
      'cut off',
      'delete from audit where seq > 3',
      'row 4: is cut off: the head kept outside is row 5, and the chain ends before it',
    ],
    ['emptied', 'delete from audit', 'row 1: is cut off: the head kept outside is row 5'],
    ['moved', swap('audit', 'seq'), 'row 2: does not continue row 1'],
  ])('names-the-first-row-of-the-chain-that-was-%s', async (_, statement, problem) => {
    const [code, broken] = await audited(statement);
    expect(broken).toHaveLength(1);
    expect(broken[0]).toContain(`The audit chain is broken at ${problem}`);
    expect(code).toBe(1);
  });

  test.each([
    ['altered', `update ledger set state = '{"value": "v9"}' where id = 3`, 'row 3: was altered'],
    ['deleted', 'delete from ledger where id = 3', 'row 4: does not continue row 2'],
    ['deleted first', 'delete from ledger where id = 1', 'row 2: does not continue the beginning'],
    ['cut off', 'delete from ledger where id > 3', 'row 4: is cut off: the head kept outside is row 5'],
    ['moved', swap('ledger', 'id'), 'row 2: does not continue row 1'],
  ])('names-the-first-row-of-the-ledger-that-was-%s', async (_, statement, problem) => {
    const [code, broken] = await audited(statement);
    expect(broken).toHaveLength(1);
    expect(broken[0]).toContain(`The ledger is broken at ${problem}`);
    expect(code).toBe(1);
  });

  test('an-export-verifies-by-itself-and-shows-whatever-was-done-to-it', async () => {
    const path = join(dataDir, 'export.jsonl');
    expect(await auditDatabase(opened.db, { dataDir, exportTo: path })).toBe(0);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(11);
    const verified = async (changed: string[]) => {
      writeFileSync(path, changed.join('\n'));
      said = [];
      return [await auditFile(path), said.filter((text) => !text.includes('intact')).join(' ')];
    };
    expect(await verified(lines)).toEqual([0, '']);
    expect(said).toHaveLength(2);
    const without = (index: number) => lines.filter((_, place) => place !== index);
    expect(await verified(without(2))).toEqual([1, expect.stringContaining('at row 3: is missing or moved')]);
    expect(await verified(without(4))).toEqual([1, expect.stringContaining('at row 5: is cut off')]);
    expect(await verified(without(9))).toEqual([1, expect.stringContaining('The ledger is broken at row 5')]);
    expect(await verified(without(10))).toEqual([1, expect.stringContaining('the file is cut off')]);
    const forged = lines.map((line) => line.replace('"mitigation 2"', '"mitigation 3"'));
    expect(await verified(forged)).toEqual([
      1,
      expect.stringContaining('audit chain is broken at row 2: was alt'),
    ]);
    const moved = [...lines.slice(0, 6), lines[7] as string, lines[6] as string, ...lines.slice(8)];
    expect(await verified(moved)).toEqual([1, expect.stringContaining('The ledger is broken at row 3')]);
    expect(await verified([...lines, lines[0] as string])).toEqual([1, expect.stringContaining('line 12')]);
    expect(await verified(['{"chain": "audit"}', ...lines])).toEqual([
      1,
      expect.stringContaining('line 1: is no row'),
    ]);
    await expect(auditFile(join(dataDir, 'absent.jsonl'))).rejects.toThrow('cannot be read');
  });

  test('a-broken-chain-is-exported-as-it-is', async () => {
    const path = join(dataDir, 'broken.jsonl');
    const [code] = await audited(`update audit set actor = 'U999' where seq = 3`, { exportTo: path });
    expect(code).toBe(1);
    expect(await auditFile(path)).toBe(1);
  });

  test('an-option-that-there-is-not-is-refused-with-the-usage', () => {
    expect(readAuditArgs(['--export', 'a.jsonl'])).toEqual({ exportTo: 'a.jsonl' });
    expect(() => readAuditArgs(['--exprt', 'a.jsonl'])).toThrow(/npm run audit -- --export FILE/);
  });
});
