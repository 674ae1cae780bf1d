import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const PROMPTFOO = 'promptfoo@0.123.1';
const LIBSQL = '0.5.29';

// Without its optional packages promptfoo takes 300 MB instead of 2 GB; of those it needs its database's binding alone.
const binding = `@libsql/${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}@${LIBSQL}`;

const [folder] = process.argv.slice(2);
const project = resolve(import.meta.dirname, '..');
if (folder === undefined || resolve(folder).startsWith(`${project}/`)) {
  console.error('usage: node scripts/install-promptfoo.ts FOLDER   (a folder outside this project)');
  process.exit(1);
}
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }));
for (const name of [PROMPTFOO, binding]) {
  const arguments_ = ['install', '--omit=optional', '--no-audit', '--no-fund', name];
  const { status } = spawnSync('npm', arguments_, { cwd: folder, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
console.log(`Now: PROMPTFOO_PATH=${resolve(folder)} npm test`);
