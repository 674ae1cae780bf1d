import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const PACKAGES = ['unleash-server@8.2.0', 'unleash-client@6.12.1'];

// Unleash is AGPL: it is a program beside this one, in a folder outside the project, never a dependency.
const [folder] = process.argv.slice(2);
const project = resolve(import.meta.dirname, '..');
if (folder === undefined || resolve(folder).startsWith(`${project}/`)) {
  console.error('usage: node scripts/install-unleash.ts FOLDER   (a folder outside this project)');
  process.exit(1);
}
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }));
const arguments_ = ['install', '--no-audit', '--no-fund', ...PACKAGES];
const { status } = spawnSync('npm', arguments_, { cwd: folder, stdio: 'inherit' });
if (status === 0)
  console.log(`Now: UNLEASH_PATH=${resolve(folder)} UNLEASH_DATABASE_URL=postgres://… npm test`);
process.exit(status ?? 1);
