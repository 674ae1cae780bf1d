import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

interface Parameter {
  name: string;
  optional: boolean;
}

/** The flag instructions that LaunchDarkly documents, with their parameters, as its published client lists them. */
export function flagInstructions(): Map<string, Parameter[]> {
  const folder = dirname(createRequire(import.meta.url).resolve('launchdarkly-api-typescript'));
  const text = readFileSync(join(folder, 'api.d.ts'), 'utf8');
  const line = text.split('\n').find((one) => one.includes('Perform a partial update to a feature flag.'));
  const sections = (line ?? '').replaceAll('\\"', '"').split('#### ').slice(1);
  const known = new Map<string, Parameter[]>();
  for (const [index, section] of sections.entries()) {
    const kind = /^(\w+) {2}/.exec(section)?.[1];
    const next = sections[index + 1] ?? '';
    if (kind === undefined || kind === 'Parameters') continue;
    // The parameters are a heading of their own, one level deeper, and so the next piece.
    const described = section.trimEnd().endsWith('#') ? next : '';
    known.set(kind, parametersIn(described.split("Here's an example")[0] ?? ''));
  }
  return known;
}

/** What is wrong with an instruction, by that list; null when nothing is. */
export function problemOf(
  instruction: Record<string, unknown>,
  known: ReadonlyMap<string, Parameter[]>,
): string | null {
  const { kind, ...given } = instruction;
  const parameters = known.get(String(kind));
  if (parameters === undefined) return `there is no instruction ${kind}`;
  const unknown = Object.keys(given).find((key) => parameters.every(({ name }) => name !== key));
  if (unknown !== undefined) return `${kind} has no parameter ${unknown}`;
  // "variationId or rolloutWeights": one of the two will do.
  const isEither = kind === 'updateFallthroughVariationOrRollout';
  const missing = parameters.filter(({ name, optional }) => !optional && given[name] === undefined);
  return missing.length > (isEither ? 1 : 0) ? `${kind} lacks ${missing[0]?.name}` : null;
}

const parametersIn = (text: string): Parameter[] =>
  [...text.matchAll(/- `(\w+)`: (\(Optional\))?/g)].map(([, name = '', optional]) => ({
    name,
    optional: optional !== undefined,
  }));
