import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { InputError } from '../errors.ts';

/**
 * Holds `dir` for this process alone until `release` or death, kill -9 included: PGlite takes no lock, and two
 * openers lose rows. Node has no flock; an exclusive SQLite transaction is one, kept by the operating system.
 */
export function lockDirectory(dir: string): { release(): void } {
  mkdirSync(dir, { recursive: true });
  const owner = join(dir, 'owner.pid');
  const lock = new DatabaseSync(join(dir, 'lock.sqlite'));
  try {
    lock.exec('begin exclusive');
  } catch {
    lock.close();
    throw new InputError([
      `DATA_DIR: ${dir} is in use by process ${ownerOf(owner)}. Stop it, or set DATABASE_URL.`,
    ]);
  }
  writeFileSync(owner, String(process.pid));
  return { release: () => lock.close() };
}

function ownerOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return 'unknown';
  }
}
