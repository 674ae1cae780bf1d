import { existsSync, globSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import extractConfig from 'dependency-cruiser/config-utl/extract-depcruise-config';

const CONFIG = join(import.meta.dirname, '../.dependency-cruiser.mjs');

/** Runs the import lint over `root` (default: this repository) and returns what is wrong, one line each. */
async function problemsOf(root: string): Promise<{ problems: string[]; summary: string }> {
  const { forbidden = [], options = {} } = await extractConfig(CONFIG);
  const { ranks }: { ranks: string[][] } = await import(CONFIG);
  const { enhancedResolveOptions, ...cruiseOptions } = options;
  const folders = ['src', 'migrations'].filter((folder) => existsSync(join(root, folder)));
  const { output } = await cruise(
    folders,
    { ...cruiseOptions, baseDir: root, validate: true, ruleSet: { forbidden } },
    enhancedResolveOptions,
  );
  if (typeof output === 'string') throw new Error('dependency-cruiser returned a report, not a result');
  const problems = [...unread(root, output), ...unranked(root, ranks), ...violations(output)];
  const { totalCruised, totalDependenciesCruised } = output.summary;
  return { problems, summary: `${totalCruised} modules, ${totalDependenciesCruised} imports` };
}

// Beside TypeScript 7 and without @swc/core, dependency-cruiser reads no .ts file and reports "no violations".
function unread(root: string, { modules }: ICruiseResult): string[] {
  const read = new Set(modules.map((module) => module.source));
  const files = globSync('{src,migrations}/**/*.ts', { cwd: root });
  if (files.length === 0) return ['found no .ts file under src/: the lint would prove nothing'];
  const missed = files.filter((file) => !read.has(file));
  if (missed.length === files.length) return ['read none of the .ts files: is @swc/core installed?'];
  return missed.map((file) => `${file}: was not read by dependency-cruiser`);
}

function unranked(root: string, ranks: string[][]): string[] {
  const known = new Set(['config', ...ranks.flat()]);
  return readdirSync(join(root, 'src'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !known.has(entry.name))
    .map((entry) => `src/${entry.name}/: has no rank; give it one in .dependency-cruiser.mjs`);
}

function violations({ summary }: ICruiseResult): string[] {
  return summary.violations.map(({ rule, from, to, cycle, comment }) => {
    const path = cycle === undefined ? `→ ${to}` : `→ ${cycle.map((step) => step.name).join(' → ')}`;
    return `${rule.name}: ${from} ${path}${comment === undefined ? '' : ` (${comment})`}`;
  });
}

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '..'));
const { problems, summary } = await problemsOf(root);
for (const problem of problems) console.error(problem);
console.log(`import ranks: ${summary}, ${problems.length} problems`);
if (problems.length > 0) process.exitCode = 1;
