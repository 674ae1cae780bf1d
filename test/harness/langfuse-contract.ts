import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv, type ValidateFunction } from 'ajv';
import { z } from 'zod';

const contract = z.object({
  operations: z.array(
    z.object({
      method: z.string(),
      path: z.string(),
      description: z.string().optional(),
      parameters: z.array(z.object({ name: z.string() })).optional(),
    }),
  ),
});
const catalog = z.object({ versions: z.array(z.object({ version: z.string() })) });

const FOLDER = join(
  dirname(createRequire(import.meta.url).resolve('langfuse-cli/package.json')),
  'dist/contracts',
);

const contractOf = (name: string) => JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));

/** The versions of Langfuse whose published contract has v2 metrics. */
export function langfuseVersions(): string[] {
  const { versions } = catalog.parse(contractOf('catalog'));
  return versions.map(({ version }) => version).filter((version) => metricsText(version) !== undefined);
}

/** The parameters that v3 scores take in that version; none where it has no v3 scores. */
export function scoresParameterNames(version: string): string[] {
  const { operations } = contract.parse(contractOf(version));
  const found = operations.find(({ method, path }) => method === 'GET' && path === '/api/public/v3/scores');
  return (found?.parameters ?? []).map(({ name }) => name);
}

/**
 * What that version accepts as `query` of v2 metrics: its views, and for each their dimensions (those that may be
 * grouped by, and those that only filter), measures, aggregations and granularities, as its contract lists them.
 */
export function metricsQueryValidator(version: string): ValidateFunction {
  const text = metricsText(version) ?? '';
  const views = ['observations', 'scores-numeric'].map((view) => {
    const section = sectionOf(text, `### ${view}`);
    const dimensions = listed(sectionOf(section, '**Dimensions:**'));
    const measures = listed(sectionOf(section, '**Measures:**'));
    if (dimensions.length === 0 || measures.length === 0) throw new Error(`${version} lists no ${view}`);
    return viewSchema(view, { dimensions, measures, text });
  });
  return new Ajv({ strict: false, allErrors: true }).compile({ oneOf: views });
}

function metricsText(version: string): string | undefined {
  const { operations } = contract.parse(contractOf(version));
  return operations.find(({ method, path }) => method === 'GET' && path === '/api/public/v2/metrics')
    ?.description;
}

function viewSchema(view: string, listedThere: { dimensions: string[]; measures: string[]; text: string }) {
  const { dimensions, measures, text } = listedThere;
  const aggregations = quoted(sectionOf(text, '## Aggregations'));
  const granularities = quoted(sectionOf(text, '## Time Granularities'));
  const choice = (values: string[]) => ({ type: 'string', enum: [...new Set(values)] });
  const listOf = (properties: Record<string, object>) => ({
    type: 'array',
    items: { type: 'object', properties, required: Object.keys(properties), additionalProperties: false },
  });
  const properties = {
    view: { const: view },
    metrics: { ...listOf({ measure: choice(measures), aggregation: choice(aggregations) }), minItems: 1 },
    dimensions: listOf({ field: choice(dimensions) }),
    filters: listOf({
      column: choice(dimensions),
      operator: choice(['=', 'any of']),
      value: { type: ['string', 'array'] },
      type: choice(['string', 'stringOptions', 'arrayOptions']),
    }),
    timeDimension: { anyOf: [{ type: 'null' }, listOf({ granularity: choice(granularities) }).items] },
    fromTimestamp: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT.*Z$' },
    toTimestamp: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT.*Z$' },
    orderBy: { anyOf: [{ type: 'null' }, listOf({ field: {}, direction: choice(['asc', 'desc']) })] },
    config: {
      type: 'object',
      properties: { row_limit: { type: 'integer', minimum: 1, maximum: 1000 } },
      additionalProperties: false,
    },
  };
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

/** The text under a heading, up to the next of its kind. */
function sectionOf(text: string, heading: string): string {
  const start = text.indexOf(`${heading}\n`);
  if (start < 0) return '';
  const rest = text.slice(start + heading.length);
  const mark = heading.startsWith('#') ? /\n#{1,3} / : /\n(\*\*|#)/;
  return rest.slice(0, rest.search(mark) < 0 ? undefined : rest.search(mark));
}

const listed = (section: string) =>
  [...section.matchAll(/^- `(\w+)` - /gm)].map((found) => found[1] as string);
const quoted = (section: string) => [...section.matchAll(/`(\w+)`/g)].map((found) => found[1] as string);
