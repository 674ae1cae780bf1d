import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import type { Db } from '../../db/database.ts';
import { InputError, messageOf } from '../../errors.ts';
import type { ChainVerdict } from '../../evidence/chain.ts';
import { verifyLedger } from '../../evidence/ledger-store.ts';
import { verifyChain } from '../../mitigation/audit.ts';
import { wholeTrail } from '../../mitigation/audit-store.ts';
import { auditLines, verifyAuditFile } from './audit-file.ts';
import { CHAINS, type ChainName, readHead } from './keep-heads.ts';

const USAGE = 'Use `npm run audit`, `npm run audit -- --export FILE` or `npm run audit -- --verify FILE`.';
const NAMES: Record<ChainName, string> = { audit: 'audit chain', ledger: 'ledger' };

/** What `npm run audit` is asked for. Throws InputError for an option that there is not. */
export function readAuditArgs(args: readonly string[]): { exportTo?: string; verify?: string } {
  try {
    const options = { export: { type: 'string' }, verify: { type: 'string' } } as const;
    const { values } = parseArgs({ args: [...args], options });
    return {
      ...(values.export === undefined ? {} : { exportTo: values.export }),
      ...(values.verify === undefined ? {} : { verify: values.verify }),
    };
  } catch (thrown) {
    throw new InputError([messageOf(thrown), USAGE]);
  }
}

/** Verifies both chains against the heads that are kept outside the database, and exports them where it is asked to. */
export async function auditDatabase(db: Db, asked: { dataDir: string; exportTo?: string }): Promise<number> {
  const { dataDir, exportTo } = asked;
  const heads = { audit: readHead(dataDir, 'audit'), ledger: readHead(dataDir, 'ledger') };
  const chains = {
    audit: verifyChain(await wholeTrail(db), heads.audit),
    ledger: await verifyLedger(db, heads.ledger),
  };
  for (const chain of CHAINS) {
    if (heads[chain] === null)
      console.log(`No head of the ${NAMES[chain]} is kept in ${dataDir}: a cut end would not show.`);
  }
  const code = tell(chains);
  if (exportTo !== undefined) {
    await pipeline(Readable.from(withBreaks(auditLines(db))), createWriteStream(exportTo));
    console.log(`Written to ${exportTo}; \`npm run audit -- --verify ${exportTo}\` verifies it.`);
  }
  return code;
}

/** Verifies an export, which needs no database. */
export async function auditFile(path: string): Promise<number> {
  const verdict = await verifyAuditFile(path).catch((thrown: unknown) => {
    throw new InputError([`${path} cannot be read: ${messageOf(thrown)}`]);
  });
  if (verdict.kind === 'read') return tell(verdict.chains);
  console.error(`${path}: ${verdict.problem}.`);
  return 1;
}

function tell(chains: Record<ChainName, ChainVerdict>): number {
  for (const chain of CHAINS) {
    const verdict = chains[chain];
    if (verdict.kind === 'broken')
      console.error(`The ${NAMES[chain]} is broken at row ${verdict.seq}: ${verdict.problem}.`);
    else console.log(`The ${NAMES[chain]} is intact: ${verdict.rows} rows, head ${verdict.head}.`);
  }
  return CHAINS.some((chain) => chains[chain].kind === 'broken') ? 1 : 0;
}

async function* withBreaks(lines: AsyncIterable<string>): AsyncIterable<string> {
  for await (const text of lines) yield `${text}\n`;
}
